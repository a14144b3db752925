# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The default clip of the demo: a silent video of one person with recorded speech of another."""
from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from smern_ros.media.reader import ffmpeg_path

VIDEO_ASSET, SPEECH_ASSET = 'demo-video', 'demo-speech'
STATEMENT = (
    'Picture and voice are two recordings of two people, put together for this demo: a silent film of a woman who '
    'acts grief and then joy, and a volunteer who reads three sentences of Jane Austen aloud. The states show that '
    'the whole graph works. They do not tell how either of the two felt.'
)
"""Notice shown with the clip."""
_AAC_FRAME = 1024
"""Samples."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Sentences of the clip and their pauses. The default fits the length of the video."""

    sentences: tuple[str, ...] = ('0880', '0890', '0930')
    lead: float = 2.6   # s of silence before the first: enough for a state of movement alone
    pause: float = 1.8  # s of silence after each


def compose(film: Path, speech: Path, folder: Path, layout: Layout = Layout()) -> Path:
    """Create the clip in `folder`, unless it exists: the same inputs give the same file.

    Copies the video packets for the length of the sentences, and replaces the audio.

    :param film: a video file that MP4 can hold.
    :param speech: folder of the sentences, NAME.wav, all with the same sample rate.
    :raises ValueError: if the sentences last longer than the film, or have different sample rates.
    """
    sentences = [speech / f'{name}.wav' for name in layout.sentences]
    clip = folder / f'clip-{_key([film, *sentences], layout)}.mp4'
    if clip.exists():
        return clip
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = clip.with_suffix(f'.{os.getpid()}.part')
    try:
        _join(film, *_read(sentences, layout), unfinished)
        unfinished.replace(clip)
    finally:
        unfinished.unlink(missing_ok=True)
    return clip


def _key(files: Sequence[Path], layout: Layout) -> str:
    digest = hashlib.sha256(repr(layout).encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _read(sentences: Sequence[Path], layout: Layout) -> tuple[np.ndarray, int]:
    """Samples (N,) int16 of the sentences with pauses, and the rate in Hz."""
    import soundfile

    parts: list[np.ndarray] = []
    rates = set()
    for file in sentences:
        samples, rate = soundfile.read(file, dtype='int16', always_2d=True)
        parts += [np.zeros(int((layout.pause if parts else layout.lead) * rate), np.int16), samples[:, 0]]
        rates.add(rate)
    if len(rates) != 1:
        raise ValueError(f'the sentences {layout.sentences} have sample rates {sorted(rates)} Hz; expected one rate')
    return np.concatenate([*parts, np.zeros(int(layout.pause * rate), np.int16)]), rate


def _join(film: Path, samples: np.ndarray, rate: int, out: Path) -> None:
    import av

    made = av.open(ffmpeg_path(out), 'w', format='mp4', options={'fflags': '+bitexact'})
    with av.open(ffmpeg_path(film)) as source, made as clip:
        pictures = source.streams.video[0]
        duration = float((pictures.duration or 0) * (pictures.time_base or 0))
        if len(samples) > duration * rate:
            raise ValueError(f'the sentences last {len(samples) / rate:.1f} s, the film {film} only {duration:.1f} s; '
                             'choose fewer sentences or shorter pauses')
        copied = clip.add_stream_from_template(pictures)
        sound = clip.add_stream('aac', rate=rate, layout='mono')
        sound.bit_rate = 64_000
        for packet in source.demux(pictures):
            # The last packet is empty and has no dts. Packets before a given one can be decoded without it.
            if packet.dts is None or packet.dts * packet.time_base * rate >= len(samples):
                break
            packet.stream = copied
            clip.mux(packet)
        for start in range(0, len(samples), _AAC_FRAME):
            block = av.AudioFrame.from_ndarray(samples[None, start:start + _AAC_FRAME], format='s16', layout='mono')
            block.sample_rate, block.pts, block.time_base = rate, start, Fraction(1, rate)
            clip.mux(sound.encode(block))
        clip.mux(sound.encode(None))
