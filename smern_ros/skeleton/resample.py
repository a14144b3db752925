# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Resampling of skeletons to a fixed rate, by their stamps.

Gaps up to `max_gap` are interpolated; in longer ones the joint is not visible.
"""
from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from smern_ros.spec import SPEC, FeatureSpec
from smern_ros.values import SECOND


def _period(rate: float) -> Fraction:
    """Nanoseconds between two frames, exactly."""
    return SECOND / Fraction(rate).limit_denominator(1001)


def _periods_in(duration_ns: int, period: Fraction) -> int:
    """How many whole periods a duration holds, each period's end rounded to the nanosecond."""
    return int((duration_ns + Fraction(1, 2)) // period)


def grid(start_ns: int, end_ns: int, rate: float) -> np.ndarray:
    """Times from start to end, `rate` a second, each rounded to the nanosecond.

    :return: (T,) int64 with T = floor((end - start) * rate) + 1 and the first at start.
    :raises ValueError: if the end lies before the start.
    """
    if end_ns < start_ns:
        raise ValueError(f'window is {start_ns} to {end_ns} ns; the end must not be before the start')
    period = _period(rate)
    k = np.arange(_periods_in(end_ns - start_ns, period) + 1, dtype=np.int64)
    # Halves are rounded down, as in _periods_in: ceil(k * period - 1/2).
    return start_ns - (period.denominator - 2 * k * period.numerator) // (2 * period.denominator)


def resample(
    stamps_ns: np.ndarray, positions: np.ndarray, start_ns: int, end_ns: int, spec: FeatureSpec = SPEC
) -> tuple[np.ndarray, np.ndarray]:
    """Resample one person's positions to the spec's rate, linearly for each joint.

    A joint is visible between two detections that are at most `max_gap` apart. Before the first and after the last
    detection it is held for up to `max_gap / 2`.

    :param stamps_ns: (N,) int64 in any order; of equal ones the last counts. Those outside of the window are ignored.
    :param positions: (N, J, D), NaN where not seen.
    :return: positions (T, J, D) float64, 0 where not visible, and visible (T, J) bool, at the times of `grid`.
    """
    stamps_ns, positions = np.asarray(stamps_ns, np.int64), np.asarray(positions, np.float64)
    if positions.ndim != 3 or stamps_ns.shape != positions.shape[:1]:
        raise ValueError(
            f'resample needs stamps (N,) and positions (N, J, D), got {stamps_ns.shape} and {positions.shape}'
        )
    times = grid(start_ns, end_ns, spec.skeleton_rate)
    inside = np.flatnonzero((stamps_ns >= start_ns) & (stamps_ns <= end_ns))
    # The first of equal stamps in the reversed order is the last that came.
    stamps, last = np.unique(stamps_ns[inside][::-1], return_index=True)
    samples = positions[inside[::-1][last]]
    seen = np.isfinite(samples).all(-1)  # (N, J)

    out = np.zeros((len(times), *positions.shape[1:]))
    visible = np.zeros(out.shape[:2], bool)
    for joint in range(positions.shape[1]):
        sightings = seen[:, joint]
        if sightings.any():
            visible[:, joint] = _covered(times, stamps[sightings], spec.max_gap, end_ns)
            out[:, joint] = _interpolate(times, stamps[sightings], samples[sightings, joint])
    out[~visible] = 0
    return out, visible


def _covered(times: np.ndarray, stamps: np.ndarray, max_gap: float, end_ns: int) -> np.ndarray:
    """Whether each time lies in a gap that is short enough; a sighting's own time always does."""
    limit = round(max_gap * SECOND)
    before = np.searchsorted(stamps, times, 'right') - 1  # the newest sighting at or before; -1: none
    after = np.searchsorted(stamps, times, 'left')        # the oldest sighting at or after; N: none
    gap = stamps[np.minimum(after, len(stamps) - 1)] - stamps[np.maximum(before, 0)]
    gap = np.where(before < 0, 2 * (stamps[0] - times[0]), gap)
    gap = np.where(after == len(stamps), 2 * (end_ns - stamps[-1]), gap)
    return gap <= limit


def _interpolate(times: np.ndarray, stamps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Linear between stamps, held outside of them. Differences are taken in whole nanoseconds: floats lose stamps."""
    origin = stamps[0]
    x, xs = (times - origin).astype(np.float64), (stamps - origin).astype(np.float64)
    return np.stack([np.interp(x, xs, values[:, d]) for d in range(values.shape[1])], axis=-1)


class GridStream:
    """Resampling of a live stream: each camera frame returns the frames of the grid that it completes.

    The grid lies at multiples of the period since stamp 0, independent of the start of the stream. A joint that is not
    detected is held for up to `max_gap`.

    :param joints: number of joints.
    """

    def __init__(self, joints: int, spec: FeatureSpec = SPEC):
        self._joints = joints
        self._limit = round(spec.max_gap * SECOND)
        self._period = _period(spec.skeleton_rate)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._next: int | None = None                           # index on the grid of the next frame to give
        self._stamps: list[int | None] = [None] * self._joints  # of each joint's newest sighting
        self._values = np.full((self._joints, 0), np.nan)       # its position

    def push(self, stamp_ns: int, positions: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """Add a camera frame.

        After a long gap only the last 2 `max_gap` before the new frame are returned.

        :param stamp_ns: later than that of the last frame.
        :param positions: (J, D), NaN where not seen.
        :return: (stamp_ns, positions (J, D), NaN where not visible) of each frame of the grid.
        """
        newest = _periods_in(stamp_ns, self._period)
        if self._next is None:
            # Nothing is known of the time before: only a grid time that is the stamp itself can be given.
            self._next = newest if self._time(newest) == stamp_ns else newest + 1
            self._values = np.full(positions.shape, np.nan)
        # Of what is skipped, no sighting can be held any more: 2 max_gap later all joints are unseen.
        first = max(self._next, newest - _periods_in(2 * self._limit, self._period))
        frames = [(self._time(k), self._at(self._time(k), stamp_ns, positions)) for k in range(first, newest + 1)]
        self._next = max(self._next, newest + 1)
        seen = np.isfinite(positions).all(-1)
        self._values[seen] = positions[seen]
        self._stamps = [stamp_ns if s else since for s, since in zip(seen, self._stamps, strict=True)]
        return frames

    def _time(self, index: int) -> int:
        return math.ceil(index * self._period - Fraction(1, 2))

    def _at(self, time: int, stamp_ns: int, positions: np.ndarray) -> np.ndarray:
        out = np.full(positions.shape, np.nan)
        for joint, since in enumerate(self._stamps):
            now, before = positions[joint], self._values[joint]
            seen = np.isfinite(now).all()
            if seen and time == stamp_ns:
                out[joint] = now
            elif since is None:
                continue
            elif seen and stamp_ns - since <= self._limit:
                out[joint] = before + (time - since) / (stamp_ns - since) * (now - before)
            elif time - since <= self._limit:
                out[joint] = before
        return out
