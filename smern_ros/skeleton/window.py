# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Windows of filtered skeletons, one for each person and utterance."""
from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from smern_ros.skeleton.lowpass import zero_phase
from smern_ros.skeleton.resample import resample
from smern_ros.spec import SPEC, FeatureSpec
from smern_ros.values import Skeleton, SkeletonWindow


def cut(skeletons: Iterable[Skeleton], start_ns: int, end_ns: int, spec: FeatureSpec = SPEC) -> list[SkeletonWindow]:
    """Resample and filter the raw skeletons from start to end.

    Only skeletons with start <= stamp <= end are used, so later frames do not change a window. Each interval in which
    a joint is visible is filtered by itself.

    :param skeletons: of any persons, in any order.
    :return: one window for each person seen at all, the largest extent (the nearest) first; empty if there is nobody.
    :raises ValueError: if the end lies before the start.
    """
    if end_ns < start_ns:
        raise ValueError(f'window is {start_ns} to {end_ns} ns; the end must not be before the start')
    persons: dict[str, list[Skeleton]] = {}
    for skeleton in skeletons:
        if start_ns <= skeleton.stamp_ns <= end_ns:
            persons.setdefault(skeleton.person_id, []).append(skeleton)
    windows = [_window(seen, start_ns, end_ns, spec) for seen in persons.values()]
    windows = [window for window in windows if window.visible.any()]
    return sorted(windows, key=lambda window: (-window.extent, window.person_id))


def _window(skeletons: list[Skeleton], start_ns: int, end_ns: int, spec: FeatureSpec) -> SkeletonWindow:
    positions, visible = resample(
        np.array([skeleton.stamp_ns for skeleton in skeletons], np.int64),
        np.stack([skeleton.positions for skeleton in skeletons]),
        start_ns, end_ns, spec,
    )
    return SkeletonWindow(
        person_id=skeletons[0].person_id,
        start_ns=start_ns,
        end_ns=end_ns,
        positions=smooth(positions, visible, spec).astype(np.float32),
        visible=visible,
        extent=float(np.mean([skeleton.extent for skeleton in skeletons])),
    )


def smooth(
    positions: np.ndarray, visible: np.ndarray, spec: FeatureSpec = SPEC,
    lowpass: Callable[[np.ndarray, FeatureSpec], np.ndarray] = zero_phase,
) -> np.ndarray:
    """Filter each joint, separately in each interval in which it is visible.

    :param positions: (T, J, D) at the spec's rate.
    :param visible: (T, J) bool.
    :param lowpass: of one interval, (T, ..., D) to the same shape; zero phase at inference.
    :return: (T, J, D) float64, 0 where not visible.
    """
    if visible.all():
        return lowpass(positions, spec)
    out = np.zeros(positions.shape)
    for joint in range(visible.shape[1]):
        for start, stop in _stretches(visible[:, joint]):
            out[start:stop, joint] = lowpass(positions[start:stop, joint], spec)
    return out


def _stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and one past last index of each run of True in (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
