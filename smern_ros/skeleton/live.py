# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Causal filtering of live skeletons at 30 Hz, with a known delay."""
from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence

import numpy as np

from smern_ros.skeleton.lowpass import CausalLowPass, delay_frames
from smern_ros.skeleton.resample import GridStream
from smern_ros.spec import SPEC, FeatureSpec
from smern_ros.values import SECOND, Skeleton


class LiveFilter:
    """Resamples and filters the skeletons of all people. Output stamps lag behind the input by `delay_ns`.

    Fields that are not filtered (confidences, score, extent, image positions) are those of the person's last raw
    skeleton at or before the output stamp.
    """

    def __init__(self, spec: FeatureSpec = SPEC):
        self._spec = spec
        self.delay_ns = round(delay_frames(spec) * SECOND / spec.skeleton_rate)
        self.reset()

    def reset(self) -> None:
        """Restart the filters of all people."""
        self._grid = GridStream(0, self._spec)  # without joints: only the times
        self._first_ns: int | None = None
        self._people: dict[str, _Person] = {}

    def push(self, stamp_ns: int, skeletons: Sequence[Skeleton]) -> list[tuple[int, list[Skeleton]]]:
        """Add the skeletons of one camera frame.

        :param stamp_ns: later than the last one.
        :return: (stamp, skeletons) of each complete frame at the spec's rate.
        """
        if self._first_ns is None:
            self._first_ns = stamp_ns
        present = {skeleton.person_id: skeleton for skeleton in skeletons}
        for person_id in present.keys() - self._people.keys():
            self._people[person_id] = _Person(self._spec, self.delay_ns)
        times = [time - self.delay_ns for time, _ in self._grid.push(stamp_ns, np.empty((0, 3)))]
        filtered = [self._people[p].push(stamp_ns, present.get(p)) for p in sorted(self._people)]
        self._people = {p: person for p, person in self._people.items() if not person.gone}
        return [
            (time, [person[time] for person in filtered if time in person]) for time in times if time >= self._first_ns
        ]


class _Person:
    """One person's stream."""

    def __init__(self, spec: FeatureSpec, delay_ns: int):
        joints = len(spec.joints)
        self._delay_ns = delay_ns
        self._unseen = np.full((joints, 3), np.nan)
        self._grid = GridStream(joints, spec)
        self._lowpass = CausalLowPass((joints, 3), spec)
        self._since = np.zeros(joints, np.int64)  # when each joint's present run of frames began
        self._running = np.zeros(joints, bool)
        self._raw: deque[Skeleton] = deque()      # from the one at or before the next output's time on
        self.gone = False                         # no joint has been visible for longer than a gap

    def push(self, stamp_ns: int, skeleton: Skeleton | None) -> dict[int, Skeleton]:
        """:return: the filtered skeletons by the time they belong to; none for times at which nobody was seen."""
        if skeleton is not None:
            self._raw.append(skeleton)
        filtered = {}
        frames = self._grid.push(stamp_ns, self._unseen if skeleton is None else skeleton.positions)
        for time, frame in frames:
            while len(self._raw) > 1 and self._raw[1].stamp_ns <= time - self._delay_ns:
                self._raw.popleft()
            positions = self._filter(time, frame)
            if np.isfinite(positions).any():
                filtered[time - self._delay_ns] = dataclasses.replace(
                    self._raw[0], stamp_ns=time - self._delay_ns, positions=positions.astype(np.float32)
                )
        self.gone = bool(frames) and skeleton is None and not self._running.any()
        return filtered

    def _filter(self, time: int, frame: np.ndarray) -> np.ndarray:
        positions = self._lowpass.push(frame)
        visible = np.isfinite(frame).all(-1)
        self._since[visible & ~self._running] = time
        self._running = visible
        # What belongs to a time before the joint was seen is the filter's guess, not a measurement.
        positions[self._since > time - self._delay_ns] = np.nan
        return positions
