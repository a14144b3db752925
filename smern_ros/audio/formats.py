# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Audio of other packages' messages: sample formats, and stamps for audio without any."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from smern_ros.audio.pcm import MAX_CHANNELS, require_rate, require_short
from smern_ros.values import SECOND

GSTREAMER: Mapping[str, np.dtype] = {
    name: np.dtype(kind) for name, kind in {
        'S8': 'i1', 'U8': 'u1', 'S16LE': '<i2', 'S16BE': '>i2', 'S32LE': '<i4', 'S32BE': '>i4',
        'F32LE': '<f4', 'F32BE': '>f4',
    }.items()
}
"""By the name that GStreamer has for it, as in `sample_format` of ros-drivers' AudioInfo."""
PORTAUDIO: Mapping[int, np.dtype] = {
    number: np.dtype(kind) for number, kind in {1: 'f4', 2: 'i4', 8: 'i2', 16: 'i1', 32: 'u1'}.items()
}
"""By PortAudio's number, as in `format` of mgonzs13's AudioInfo."""


def frames(size: int, dtype: np.dtype, channels: int, sample_rate: int) -> int:
    """Samples of one channel in that many bytes.

    :raises ValueError: if no sound can be written down so.
    """
    require_rate(sample_rate)
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f'{channels} channels; expected 1 to {MAX_CHANNELS}')
    each = dtype.itemsize * channels
    if size == 0 or size % each:
        raise ValueError(
            f'{size} bytes are not a whole number of samples of {channels} channels in {dtype.str}, {each} bytes each'
        )
    require_short(size // each, sample_rate)
    return size // each


def to_chunk(data: bytes | memoryview, dtype: np.dtype) -> tuple[str, bytes]:
    """The encoding of an AudioChunk that holds these samples without loss of what can be heard, and its bytes.

    :param data: interleaved samples of that type.
    """
    if dtype == np.dtype('<i2'):
        return 's16le', bytes(data)
    samples = np.frombuffer(data, dtype).astype(np.float32)
    if dtype.kind == 'u':
        samples -= 128
    if dtype.kind != 'f':
        samples /= 2.0 ** (8 * dtype.itemsize - 1)
    return 'f32le', samples.astype('<f4').tobytes()


GAP = SECOND // 2
"""ns by which sound may come late; what comes later still follows a gap."""
CREEP = 0.001
"""Of its duration a stream that seems late is moved: a sound card may run slow, up to 1,000 ppm."""


class ArrivalClock:
    """Stamps chunks by their arrival, smoothed by the count of samples.

    Arrival less duration is an upper bound of the time of the first sample, late by transport and scheduling. The
    chunk with the least delay sets the time; the others follow by the count of samples, until one is so late that
    audio must be missing.
    """

    def __init__(self) -> None:
        self._next_ns: int | None = None

    def stamp(self, samples: int, sample_rate: int, arrival_ns: int) -> int:
        """
        :param samples: of one channel in the chunk.
        :param arrival_ns: by the clock that stamps everything else.
        :return: ns, time of the first sample.
        """
        duration_ns = samples * SECOND // sample_rate
        latest_ns = arrival_ns - duration_ns
        stamp_ns = latest_ns if self._next_ns is None else self._next_ns
        late_ns = latest_ns - stamp_ns
        if late_ns < 0 or late_ns > GAP:
            stamp_ns = latest_ns
        else:
            stamp_ns += min(late_ns, round(CREEP * duration_ns))
        self._next_ns = stamp_ns + duration_ns
        return stamp_ns
