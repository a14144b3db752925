# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Perceived loudness of each frame."""
from __future__ import annotations

import functools

import numpy as np

from smern_ros.audio import frames
from smern_ros.spec import SPEC, FeatureSpec

COMPRESSION = 1 / 3  # from intensity to loudness


def contour(samples: np.ndarray, spec: FeatureSpec = SPEC) -> np.ndarray:
    """Loudness of each frame: the sum over mel bands of the cube root of the power, weighted for equal loudness.

    That is the auditory spectrum of perceptual linear prediction (H. Hermansky, J. Acoust. Soc. Am. 87 (1990) 1738)
    summed over bands. The unit is arbitrary: a full-scale sine at 1 kHz has about 1, silence 0, and 9 dB more sound
    has twice the loudness.

    :param samples: (N,) in -1..1 at the spec's sample rate
    :return: (N // shift + 1,) float64, >= 0
    """
    length = round(spec.frame_length * spec.sample_rate)
    cut = frames.centred(samples.astype(np.float64), length=length, shift=round(spec.frame_shift * spec.sample_rate))
    window = np.hamming(length)
    power = np.abs(np.fft.rfft(cut * (2 / window.sum() * window))) ** 2  # a full-scale sine has 1 in its bin
    bands, weights = _mel_bands(length, spec)
    return ((power @ bands * weights) ** COMPRESSION).sum(axis=1)


@functools.cache
def _mel_bands(size: int, spec: FeatureSpec) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (bins, bands) with centres evenly spaced in mel, and the ear's relative sensitivity (bands,)."""
    frequencies = np.fft.rfftfreq(size, 1 / spec.sample_rate)
    highest = 2595 * np.log10(1 + spec.sample_rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, spec.mel_bands + 2) / 2595) - 1)
    low, centre, high = corners[:-2], corners[1:-1], corners[2:]
    rising = (frequencies[:, None] - low) / (centre - low)
    falling = (high - frequencies[:, None]) / (high - centre)
    squared = (2 * np.pi * centre) ** 2
    sensitivity = (squared + 56.8e6) * squared**2 / ((squared + 6.3e6) ** 2 * (squared + 0.38e9))  # Hermansky, eq. 5
    return np.clip(np.minimum(rising, falling), 0, None), sensitivity / sensitivity.max()
