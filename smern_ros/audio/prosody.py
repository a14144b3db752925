# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Prosody: 35 numbers that say how something was said (paper, section IV-B; the list is ours, see below).

The paper counts 35 prosodic values made of "the F0 fundamental frequency, the voicing probability, and the loudness
contours" without listing them. Here five contours go through seven functionals; the names and their order are
`smern_ros.spec.PROSODY`.
"""
from __future__ import annotations

import numpy as np

from smern_ros.audio import loudness, pitch
from smern_ros.spec import PROSODY_FUNCTIONALS, SPEC, FeatureSpec

REFERENCE = 27.5       # Hz, the tone A0, at 0 semitones
LARGEST_HNR = 40.0     # dB

Contour = tuple[np.ndarray, np.ndarray]
"""Times in seconds from the start and values there, both (n,)."""


def prosody(samples: np.ndarray, spec: FeatureSpec = SPEC) -> np.ndarray:
    """The prosodic values of a signal.

    Contours, one value each 10 ms:

    - `f0`: semitones above 27.5 Hz, voiced frames only
    - `f0_envelope`: the same held through unvoiced stretches (before the first voiced frame: its value), all frames
    - `voicing`: 0..1, normalised autocorrelation at the period, all frames
    - `hnr`: harmonics-to-noise ratio in dB, 0..40, voiced frames only
    - `loudness`: see `smern_ros.audio.loudness`, all frames

    Functionals: mean, standard deviation, slope of the regression line per second, temporal centroid as a fraction of
    the signal's duration, 10th and 90th percentile, and the range between these. A contour without a frame (no voiced
    one) has 0 in all of them, one frame or a contour of zeros has slope 0 and centroid 0.5. Always finite.

    :param samples: (N,) float32 in -1..1 at the spec's sample rate, N >= 1
    :return: (35,) float32 in the order of `spec.prosody`
    """
    duration = len(samples) / spec.sample_rate
    return np.array([functionals(c, duration) for c in contours(samples, spec)], np.float32).ravel()


def contours(samples: np.ndarray, spec: FeatureSpec = SPEC) -> tuple[Contour, ...]:
    """The contours in the order of `smern_ros.spec.PROSODY_CONTOURS`."""
    shift = round(spec.frame_shift * spec.sample_rate)
    voice = pitch.track(samples, sample_rate=spec.sample_rate, shift=shift)
    times = np.arange(len(voice.f0)) * (shift / spec.sample_rate)
    voiced = voice.voiced

    semitones = 12 * np.log2(voice.f0[voiced] / REFERENCE)
    strength = voice.strength[voiced]
    noise = np.maximum(1 - strength, 10 ** (-LARGEST_HNR / 10))
    hnr = np.clip(10 * np.log10(strength / noise), 0, LARGEST_HNR)

    newest_voiced = np.cumsum(voiced) - 1  # index into semitones, -1 before the first
    envelope = semitones[np.maximum(newest_voiced, 0)] if len(semitones) else np.zeros(len(times))
    return (
        (times[voiced], semitones),
        (times, envelope),
        (times, voice.strength),
        (times[voiced], hnr),
        (times, loudness.contour(samples, spec)),
    )


def functionals(contour: Contour, duration: float) -> tuple[float, ...]:
    """Values in the order of `smern_ros.spec.PROSODY_FUNCTIONALS`; see `prosody`."""
    times, values = contour
    if len(values) == 0:
        return (0.0,) * len(PROSODY_FUNCTIONALS)
    centred = times - times.mean()
    spread = np.sum(centred**2)
    slope = np.sum(centred * (values - values.mean())) / spread if spread > 0 else 0.0
    total = values.sum()
    centroid = np.sum(times * values) / total / duration if total > 0 and spread > 0 else 0.5
    p10, p90 = np.percentile(values, (10, 90))
    return values.mean(), values.std(), slope, centroid, p10, p90, p90 - p10
