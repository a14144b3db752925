# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Downmix to mono: the mean of all channels, or one channel if the mean would lose the voice."""
from __future__ import annotations

import numpy as np

from smern_ros.audio.pcm import require_rate

AUTOMATIC = -1
"""Channel number that means: chosen automatically."""
BLOCKS_PER_SECOND = 100
MEMORY = 5.0
"""s, time constant of the power estimate."""
CANCELLED, MIXED = 0.5, 0.9
"""Power of the mean, as a share of what channels that have nothing in common would give: below the first they cancel
each other, above the second no longer."""
SILENT, AUDIBLE = 0.01, 0.04
"""Power of the second loudest channel, as a share of the loudest: below the first the others are dead (-20 dB), above
the second no longer."""
LOUDER = 4.0
"""Times the power that another channel must have before it is taken instead (6 dB)."""


def pick(samples: np.ndarray, channel: int) -> np.ndarray:
    """Select a channel: (N, channels) -> (N, 1). Mono audio is returned as it is.

    :raises ValueError: if the sound has several, but not that one.
    """
    channels = samples.shape[1]
    if channels == 1:
        return samples
    if not 0 <= channel < channels:
        raise ValueError(f'channel is {channel}, but the audio has channels 0 to {channels - 1}')
    return samples[:, channel:channel + 1]


class Downmix:
    """Downmixes a stream to mono.

    The output is the mean of all channels. If they cancel each other (reversed polarity), or all but one are silent,
    it is the loudest channel. The decision of each 10 ms block applies from the next block on, independent of chunk
    sizes, with hysteresis so that it does not toggle within an utterance.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Restart the stream."""
        self._rate = 0
        self.channel = AUTOMATIC                        # the one that is taken now; AUTOMATIC: the mean
        self._block = np.zeros((0, 0), np.float32)      # what of the present 10 ms has come
        self._power = np.zeros(0)                       # of each channel and of the mean

    def push(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """:param samples: (N, channels) float32. :return: (N,). :raises ValueError: for a rate that cannot be."""
        require_rate(sample_rate)
        channels = samples.shape[1]
        if channels == 1:
            self.reset()
            return samples[:, 0]
        if (sample_rate, channels) != (self._rate, self._block.shape[1]):
            self.reset()
            self._rate, self._block, self._power = sample_rate, samples[:0], np.zeros(channels + 1)
        size = sample_rate // BLOCKS_PER_SECOND
        parts = []
        at = 0
        while at < len(samples):
            piece = samples[at:at + size - len(self._block)]
            at += len(piece)
            parts.append(piece.mean(axis=1, dtype=np.float32) if self.channel < 0 else piece[:, self.channel])
            self._block = np.concatenate([self._block, piece])
            if len(self._block) == size:
                self._decide()
                self._block = samples[:0]
        return np.concatenate(parts) if parts else samples[:0, 0]

    def _decide(self) -> None:
        block = np.column_stack([self._block, self._block.mean(axis=1)]).astype(np.float64)
        self._power *= np.exp(-1 / (BLOCKS_PER_SECOND * MEMORY))
        self._power += block.var(axis=0)  # an offset is no sound
        each, mean = self._power[:-1], self._power[-1]
        *_, second, most = np.sort(each)
        apart = each.sum() / len(each) ** 2  # the mean's power, had the channels nothing in common
        if self.channel < 0:
            if mean < CANCELLED * apart or second < SILENT * most:
                self.channel = int(each.argmax())
        elif mean > MIXED * apart and second > AUDIBLE * most:
            self.channel = AUTOMATIC
        elif most > LOUDER * each[self.channel]:
            self.channel = int(each.argmax())
