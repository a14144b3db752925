# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mel-frequency cepstral coefficients: the sequence that the audio encoder reads (paper, section IV-B)."""
from __future__ import annotations

import functools

import numpy as np

from smern_ros.audio import frames
from smern_ros.spec import SPEC, FeatureSpec

FLOOR = 1e-10
"""Power of a band that is taken for silence."""
RANGE = 80.0
"""dB below the loudest band of the signal at which everything quieter is held."""
DIFFERENCES = np.array([-2, -1, 0, 1, 2]) / 10
"""Least-squares slope over five frames."""


def mfcc(samples: np.ndarray, spec: FeatureSpec = SPEC) -> np.ndarray:
    """39 MFCC of each frame: 13 coefficients (C0 to C12), their first and their second differences over 5 frames.

    Power spectrum of Hamming-windowed frames of 25 ms each 10 ms, 26 triangular mel bands from 0 Hz to half the
    sample rate, in dB and not more than 80 dB below the loudest of the signal, orthonormal DCT-II: as speechbrain's
    MFCC (Ravanelli et al. 2021) with these settings. Frame k is centred on sample k * shift, the signal being continued
    with zeros. C0 is in dB times the root of the number of bands; digital silence gives a constant C0 and zeros.

    :param samples: (N,) float32 in -1..1 at the spec's sample rate, N >= 1
    :return: (N // shift + 1, 39) float32
    """
    length, shift = round(spec.frame_length * spec.sample_rate), round(spec.frame_shift * spec.sample_rate)
    window, bands, cosines = _tables(spec)
    cut = frames.centred(np.asarray(samples, np.float64), length=length, shift=shift)
    power = np.abs(np.fft.rfft(cut * window)) ** 2                                  # (T, 201)
    decibel = 10 * np.log10(np.maximum(power @ bands, FLOOR))                       # (T, 26)
    base = np.maximum(decibel, decibel.max() - RANGE) @ cosines                     # (T, 13)
    first = _differences(base)
    return np.concatenate([base, first, _differences(first)], axis=1).astype(np.float32)


def _differences(values: np.ndarray) -> np.ndarray:
    """The same shape; the first and the last frame are repeated beyond the ends."""
    padded = np.pad(values, ((2, 2), (0, 0)), mode='edge')
    return np.tensordot(np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0), DIFFERENCES, axes=1)


@functools.cache
def _tables(spec: FeatureSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """:return: window (400,), power to bands (201, 26), bands to coefficients (26, 13)"""
    length = round(spec.frame_length * spec.sample_rate)
    window = np.hamming(length + 1)[:-1]
    mel = np.linspace(0, 2595 * np.log10(1 + spec.sample_rate / 2 / 700), spec.mel_bands + 2)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    # As wide above its centre as below, like speechbrain's: HTK's triangles end at the next centre.
    slopes = (np.fft.rfftfreq(length, 1 / spec.sample_rate)[:, None] - hertz[1:-1]) / np.diff(hertz)[:-1]
    bands = np.clip(1 - np.abs(slopes), 0, None)
    order, place = np.arange(spec.mfcc // 3), np.arange(spec.mel_bands)[:, None] + 0.5
    cosines = np.cos(np.pi * order * place / spec.mel_bands) * np.sqrt(2 / spec.mel_bands)
    cosines[:, 0] /= np.sqrt(2)
    return window, bands, cosines
