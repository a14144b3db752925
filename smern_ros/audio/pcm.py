# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decoding and validation of PCM audio."""
from __future__ import annotations

import numpy as np

ENCODINGS: dict[str, np.dtype] = {'s16le': np.dtype('<i2'), 'f32le': np.dtype('<f4')}
"""Encodings of an AudioChunk and the type of one sample."""

MAX_CHANNELS = 32
MIN_RATE, MAX_RATE = 4000, 192_000  # Hz
LONGEST = 10
"""s of sound in one message; more is no stream."""
LOUDEST = 8.0
"""Float samples beyond 1 are clipped, since mixers overshoot; beyond this they are no sound in -1..1 at all."""


def decode(data: bytes | bytearray | memoryview, *, encoding: str, channels: int) -> np.ndarray:
    """Decode interleaved PCM.

    :param data: interleaved samples, any buffer of bytes
    :param encoding: `s16le` (signed 16 bit) or `f32le` (float 32 bit in -1..1), both little endian
    :return: (N, channels) float32 in -1..1
    :raises ValueError: for an unknown encoding, a number of channels that cannot be, no or partial samples, and samples
        that are NaN, infinite or far outside -1..1
    """
    if encoding not in ENCODINGS:
        raise ValueError(f'unknown encoding {encoding!r}; expected one of {", ".join(ENCODINGS)}')
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f'{channels} channels; expected 1 to {MAX_CHANNELS}')
    sample = ENCODINGS[encoding]
    size = memoryview(data).nbytes
    if size == 0:
        raise ValueError('the chunk is empty; send at least one sample')
    if size % (sample.itemsize * channels):
        raise ValueError(
            f'{size} bytes are not a whole number of samples; one sample of {channels} channels in {encoding} has '
            f'{sample.itemsize * channels} bytes'
        )
    raw = np.frombuffer(data, sample).reshape(-1, channels)
    if sample.kind == 'i':
        return raw.astype(np.float32) / 32768
    loudest = np.abs(raw).max()
    if not loudest <= LOUDEST:  # NaN is not, either
        raise ValueError(f'sample magnitude is {loudest}; {encoding} samples must be in -1..1')
    return np.clip(raw, -1, 1).astype(np.float32)


def require_short(samples: int, sample_rate: int) -> None:
    """:raises ValueError: if one message has more samples of a channel than a stream gives."""
    if samples > LONGEST * sample_rate:
        raise ValueError(f'{samples / sample_rate:.0f} s of audio in one message; the maximum is {LONGEST} s')


def require_rate(sample_rate: int) -> None:
    """:raises ValueError: if no microphone has that sample rate."""
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise ValueError(f'sample rate is {sample_rate} Hz; expected {MIN_RATE} to {MAX_RATE} Hz')
