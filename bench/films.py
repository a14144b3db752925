# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Films for measurements: nobody in view, and people who come and go."""
from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from smern_ros.media.reader import ffmpeg_path

SOUND_RATE = 16_000
_BLOCK = 1024  # samples


def nobody(path: Path, *, seconds: float, width: int = 640, height: int = 480, rate: int = 30) -> Path:
    """An empty grey room with a camera's noise, and a microphone's. Written once."""
    frames = (_room(k, height, width) for k in range(round(seconds * rate)))
    return _once(path, frames, _hiss(seconds), rate)


def coming_and_going(clip: Path, path: Path, *, away: float) -> Path:
    """The clip, and then nobody for so many seconds: looped, somebody leaves and comes back. Written once."""
    from smern_ros.media.reader import AudioBlock, MediaReader, VideoFrame

    items = list(MediaReader(clip))
    frames = [item for item in items if isinstance(item, VideoFrame)]
    sound = [item for item in items if isinstance(item, AudioBlock)]
    if {block.sample_rate for block in sound} != {SOUND_RATE}:
        raise ValueError(f'{clip} has sound at {sorted({b.sample_rate for b in sound})} Hz; wanted is {SOUND_RATE} Hz')
    rate = round((len(frames) - 1) * 1e9 / (frames[-1].stamp_ns - frames[0].stamp_ns))
    height, width = frames[0].image.shape[:2]
    empty = (_room(k, height, width) for k in range(round(away * rate)))
    spoken = np.concatenate([block.samples[:, 0] for block in sound])[:len(frames) * SOUND_RATE // rate]
    pause = np.zeros(len(frames) * SOUND_RATE // rate - len(spoken), np.int16)
    return _once(path, (*(f.image for f in frames), *empty), np.concatenate([spoken, pause, _hiss(away)]), rate)


def _room(k: int, height: int, width: int) -> np.ndarray:
    """(height, width, 3) uint8, frame k."""
    wall = np.linspace(90, 140, height)[:, None, None]
    noise = np.random.default_rng(k).normal(0, 3, (height, width, 1))
    return np.clip(wall + noise, 0, 255).astype(np.uint8).repeat(3, axis=2)


def _hiss(seconds: float) -> np.ndarray:
    """(N,) int16 at -60 dB."""
    return np.random.default_rng(0).normal(0, 33, round(seconds * SOUND_RATE)).astype(np.int16)


def _once(path: Path, frames: Iterable[np.ndarray], samples: np.ndarray, rate: int) -> Path:
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'part-{path.name}')
    with av.open(ffmpeg_path(part), 'w') as container:
        sound = container.add_stream('pcm_s16le', rate=SOUND_RATE, layout='mono')
        film = None
        for k, image in enumerate(frames):
            if film is None:
                film = container.add_stream('libx264', rate=rate, options={'preset': 'veryfast', 'crf': '23'})
                film.height, film.width = image.shape[:2]
                film.pix_fmt = 'yuv420p'
            picture = av.VideoFrame.from_ndarray(image, format='bgr24')
            picture.pts, picture.time_base = k, Fraction(1, rate)
            container.mux(film.encode(picture))
        if film is not None:
            container.mux(film.encode(None))
        for first in range(0, len(samples), _BLOCK):
            block = av.AudioFrame.from_ndarray(samples[None, first:first + _BLOCK], 's16', 'mono')
            block.sample_rate, block.pts, block.time_base = SOUND_RATE, first, Fraction(1, SOUND_RATE)
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return part.rename(path)
