"""Which frames of a camera are looked at: all while somebody is in view, a few a second while nobody is.

A robot is alone most of the day, and looking for people who are not there costs as much as following those who are.
What is decided depends on stamps alone, so a recording is looked at in the same frames as the camera was.
"""
from __future__ import annotations

from smern_ros.values import SECOND

IDLE_RATE = 4.0
"""Frames a second while nobody is in view: somebody who comes in is looked at within a quarter of a second, and within
two frames if the camera is slower than that."""
STAYS_AWAKE = 2 * SECOND
"""ns after somebody was last seen in which every frame is looked at: who is hidden for a moment is not gone."""


class IdleFrameSkipper:
    """Asked before each frame, and told what was found in those that were looked at."""

    def __init__(self, idle_rate: float = IDLE_RATE) -> None:
        """:param idle_rate: frames a second that are looked at while nobody is in view; 0: all of them."""
        if not idle_rate >= 0:
            raise ValueError(f'idle_rate is {idle_rate}; expected Hz, or 0 for all frames')
        self._period_ns = round(SECOND / idle_rate) if idle_rate else 0
        self._looked_ns: int | None = None
        self._seen_ns: int | None = None

    def wants(self, stamp_ns: int) -> bool:
        """Whether the frame of this stamp is to be looked at. Stamps that jumped, either way, are a new stream."""
        if self._looked_ns is None or stamp_ns < self._looked_ns or stamp_ns - self._looked_ns >= self._period_ns:
            return True
        return self._seen_ns is not None and stamp_ns - self._seen_ns <= STAYS_AWAKE

    def looked(self, stamp_ns: int, *, anybody: bool) -> None:
        """That frame was looked at. :param anybody: somebody was in it."""
        if self._looked_ns is not None and stamp_ns < self._looked_ns:
            self._seen_ns = None
        self._looked_ns = stamp_ns
        if anybody:
            self._seen_ns = stamp_ns
