"""Sound in chunks of one length, whatever the blocks a file or device gives."""
from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from smern_ros.media.tracks import AUDIO_JITTER, AudioBlock
from smern_ros.values import SECOND


def chunks(blocks: Iterable[AudioBlock], seconds: float) -> Iterator[AudioBlock]:
    """The same samples in chunks of `seconds`; the last one, and the last before a gap or another format, is shorter.

    Stamps are counted in samples from the first block, and anew after a gap.
    """
    waiting = np.zeros((0, 1), np.int16)
    anchor_ns = given = sample_rate = 0  # the stamp of a sample is anchor + its number since there / rate
    for block in blocks:
        expected_ns = anchor_ns + (given + len(waiting)) * SECOND // max(sample_rate, 1)
        same_format = block.sample_rate == sample_rate and block.samples.shape[1] == waiting.shape[1]
        if not same_format or abs(block.stamp_ns - expected_ns) >= AUDIO_JITTER:
            if len(waiting):
                yield AudioBlock(anchor_ns + given * SECOND // sample_rate, waiting, sample_rate)
            anchor_ns, given, sample_rate = block.stamp_ns, 0, block.sample_rate
            waiting = block.samples[:0]
        waiting = np.concatenate([waiting, block.samples])
        size = max(round(seconds * sample_rate), 1)
        while len(waiting) >= size:
            yield AudioBlock(anchor_ns + given * SECOND // sample_rate, waiting[:size], sample_rate)
            waiting, given = waiting[size:], given + size
    if len(waiting):
        yield AudioBlock(anchor_ns + given * SECOND // sample_rate, waiting, sample_rate)


def silence_after(block: AudioBlock, seconds: float) -> AudioBlock:
    """Zeros that follow a block, in its format."""
    count = round(seconds * block.sample_rate)
    return AudioBlock(block.end_ns, np.zeros((count, block.samples.shape[1]), np.int16), block.sample_rate)
