# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frame skipping while nobody is in view. Depends on stamps only, so a replay skips the same frames."""
from __future__ import annotations

from smern_ros.values import SECOND

IDLE_RATE = 4.0
"""Frames a second while nobody is in view: somebody who comes in is looked at within a quarter of a second, and within
two frames if the camera is slower than that."""
STAYS_AWAKE = 2 * SECOND
"""ns after somebody was last seen in which every frame is looked at: who is hidden for a moment is not gone."""


class IdleFrameSkipper:
    """Call `wants` before each frame, and `looked` after each processed frame."""

    def __init__(self, idle_rate: float = IDLE_RATE) -> None:
        """:param idle_rate: frames a second that are looked at while nobody is in view; 0: all of them."""
        if not idle_rate >= 0:
            raise ValueError(f'idle_rate is {idle_rate}; expected Hz, or 0 for all frames')
        self._period_ns = round(SECOND / idle_rate) if idle_rate else 0
        self._looked_ns: int | None = None
        self._seen_ns: int | None = None

    def wants(self, stamp_ns: int) -> bool:
        """Whether to process the frame of this stamp. A jump of the stamps starts a new stream."""
        if self._looked_ns is None or stamp_ns < self._looked_ns or stamp_ns - self._looked_ns >= self._period_ns:
            return True
        return self._seen_ns is not None and stamp_ns - self._seen_ns <= STAYS_AWAKE

    def looked(self, stamp_ns: int, *, anybody: bool) -> None:
        """Report a processed frame. :param anybody: whether a person was found."""
        if self._looked_ns is not None and stamp_ns < self._looked_ns:
            self._seen_ns = None
        self._looked_ns = stamp_ns
        if anybody:
            self._seen_ns = stamp_ns
