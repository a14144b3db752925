# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fundamental frequency by autocorrelation and the cheapest path through its candidates.

After P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound", Proceedings of the Institute of Phonetic Sciences 17 (1993) 97-110. The costs are his, but for the
voicing threshold (his 0.45), at which breath and fricatives pass for voice. The search is made twice, the second time
within the range of the speaker that the first has shown (C. De Looze and D. Hirst, "Detecting changes in key and
range for the automatic modelling and coding of intonation", Speech Prosody 2008): fricatives, which resemble a high
voice for moments, drop out.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from smern_ros.audio import frames

LOWEST = 52.0             # Hz
HIGHEST = 620.0           # Hz
WINDOW = 0.050            # s, Hann: two and a half periods of the lowest F0
OVERSAMPLING = 2          # lags are searched in halves of a sample; else a high voice's peaks fall between two
CANDIDATES = 6            # periods kept of each frame
VOICING_THRESHOLD = 0.5   # a frame whose best period correlates less is rather unvoiced
SILENCE_THRESHOLD = 0.03  # a frame whose peak is below this fraction of the signal's peak is rather unvoiced
OCTAVE_COST = 0.01        # per octave, prefers the higher of two equally good candidates
OCTAVE_JUMP_COST = 0.35   # per octave between neighbouring frames
VOICING_COST = 0.14       # of beginning or ending a voiced stretch
BELOW, ABOVE = 0.75, 2.5  # the second search's range: of the lower and of the upper quartile that the first found
SHORTEST_VOICED = 3       # frames; a shorter stretch is no voice but a click
NO_SOUND = 1e-10          # mean square of a frame below which (-100 dB of full scale) nothing is heard


@dataclass(frozen=True, eq=False)
class Pitch:
    """What a signal's voice does, one value a frame."""

    f0: np.ndarray        # (T,) Hz, 52..620; 0 where unvoiced
    strength: np.ndarray  # (T,) 0..1, normalised autocorrelation at the period (unvoiced: at the best candidate)

    @property
    def voiced(self) -> np.ndarray:
        """(T,) bool"""
        return self.f0 > 0


def track(samples: np.ndarray, *, sample_rate: int, shift: int) -> Pitch:
    """Follow F0 through a signal; the result does not depend on the signal's gain.

    :param samples: (N,) mono
    :param shift: samples from frame to frame
    :return: N // shift + 1 frames; a signal without sound has no voiced one
    """
    cut = frames.centred(samples.astype(np.float64), length=round(WINDOW * sample_rate), shift=shift)
    cut = cut - cut.mean(axis=1, keepdims=True)
    fine_rate = sample_rate * OVERSAMPLING
    correlation = _normalised_autocorrelation(cut, lags=int(fine_rate / LOWEST) + 2)
    lags, strengths = _candidates(correlation, shortest=int(fine_rate / HIGHEST))
    frequencies = fine_rate / lags
    unvoiced = _unvoiced_scores(cut)

    first = _choose(frequencies, strengths, unvoiced, LOWEST, HIGHEST)
    if not first.voiced.any():
        return first
    lower, upper = np.percentile(first.f0[first.voiced], (25, 75))
    return _choose(frequencies, strengths, unvoiced, max(LOWEST, BELOW * lower), min(HIGHEST, ABOVE * upper))


def _choose(
    frequencies: np.ndarray, strengths: np.ndarray, unvoiced: np.ndarray, lowest: float, highest: float
) -> Pitch:
    """The best path through the candidates (T, CANDIDATES) that lie between two frequencies."""
    possible = (strengths > 0) & (frequencies >= lowest) & (frequencies <= highest)
    strengths = np.where(possible, strengths, 0.0)
    octaves = np.log2(frequencies / LOWEST)
    chosen = _cheapest_path(np.where(possible, strengths + OCTAVE_COST * octaves, -np.inf), unvoiced, octaves)
    voiced = _without_short_runs(chosen < CANDIDATES)
    index = np.where(chosen < CANDIDATES, chosen, strengths.argmax(axis=1))[:, None]
    f0, strength = (np.take_along_axis(values, index, axis=1)[:, 0] for values in (frequencies, strengths))
    return Pitch(f0=np.where(voiced, f0, 0.0), strength=strength)


def _normalised_autocorrelation(cut: np.ndarray, lags: int) -> np.ndarray:
    """(T, lags): of each frame, divided by its value at lag 0 and by the window's own autocorrelation.

    One lag is 1 / OVERSAMPLING of a sample.
    """
    length = cut.shape[1]
    window = np.hanning(length)
    size = fft.next_fast_len(2 * length, real=True)

    def autocorrelation(x: np.ndarray) -> np.ndarray:
        return fft.irfft(np.abs(fft.rfft(x, size)) ** 2, OVERSAMPLING * size)[..., :lags]

    of_frames, of_window = autocorrelation(cut * window), autocorrelation(window)
    heard = np.mean(cut**2, axis=1, keepdims=True) > NO_SOUND
    normalised = of_frames / np.where(heard, of_frames[:, :1], 1.0) / (of_window / of_window[0])
    return np.where(heard, normalised, 0.0)


def _candidates(correlation: np.ndarray, shortest: int) -> tuple[np.ndarray, np.ndarray]:
    """Lags (between two, by a parabola through three points) and heights of each frame's best maxima.

    :return: two arrays (T, CANDIDATES); a height of 0 marks a place that no maximum filled
    """
    before, at, after = correlation[:, :-2], correlation[:, 1:-1], correlation[:, 2:]
    maximum = (at > before) & (at >= after) & (at > 0)
    maximum[:, : shortest - 2] = False
    worth = np.where(maximum, at - OCTAVE_COST * np.log2(np.arange(1, at.shape[1] + 1)), -np.inf)
    best = np.argpartition(-worth, CANDIDATES, axis=1)[:, :CANDIDATES]
    found = np.take_along_axis(maximum, best, axis=1)
    left, middle, right = (np.take_along_axis(part, best, axis=1) for part in (before, at, after))
    curvature = np.where(found, left - 2 * middle + right, -1.0)
    offset = np.where(found, (left - right) / (2 * curvature), 0.0)
    height = np.where(found, middle - (left - right) * offset / 4, 0.0)
    # The division by the window's autocorrelation can lift a peak above 1; it is then as far from perfect as 1/r.
    return best + 1 + offset, np.where(height > 1, 1 / np.maximum(height, 1), height)


def _unvoiced_scores(cut: np.ndarray) -> np.ndarray:
    """(T,): the quieter a frame beside the loudest, the rather it is unvoiced."""
    peaks = np.abs(cut).max(axis=1)
    loudest = max(peaks.max(), np.sqrt(NO_SOUND))
    return VOICING_THRESHOLD + np.maximum(0.0, 2 - peaks / loudest / (SILENCE_THRESHOLD / (1 + VOICING_THRESHOLD)))


def _without_short_runs(voiced: np.ndarray) -> np.ndarray:
    """The same (T,) bool without runs of fewer than SHORTEST_VOICED frames."""
    edges = np.flatnonzero(np.diff(voiced, prepend=False, append=False))
    kept = voiced.copy()
    for begin, end in edges.reshape(-1, 2):
        if end - begin < SHORTEST_VOICED:
            kept[begin:end] = False
    return kept


def _cheapest_path(voiced: np.ndarray, unvoiced: np.ndarray, octaves: np.ndarray) -> np.ndarray:
    """Viterbi search for the sequence of candidates with the highest scores and the fewest jumps.

    :param voiced: (T, C) scores
    :param unvoiced: (T,) scores
    :param octaves: (T, C) log2 of the candidates' frequencies
    :return: (T,) candidate of each frame, C for unvoiced
    """
    count, states = voiced.shape[0], voiced.shape[1] + 1
    scores = np.column_stack([voiced, unvoiced])
    came_from = np.zeros((count, states), np.intp)
    total = scores[0]
    for t in range(1, count):
        cost = np.full((states, states), VOICING_COST)  # (from, to)
        cost[-1, -1] = 0.0
        cost[:-1, :-1] = OCTAVE_JUMP_COST * np.abs(octaves[t - 1, :, None] - octaves[t])
        arriving = total[:, None] - cost
        came_from[t] = arriving.argmax(axis=0)
        total = arriving.max(axis=0) + scores[t]
    path = np.empty(count, np.intp)
    path[-1] = total.argmax()
    for t in range(count - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path
