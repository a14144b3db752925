"""Spells in which something holds, told from elsewhere: that the robot itself speaks, or that somebody does."""
from __future__ import annotations

from collections import deque

from smern_ros.values import SECOND

REMEMBERED = 64  # spells that no sound has passed yet


class TimeIntervals:
    """From when to when it held, on the time line of the sound."""

    def __init__(self, tail: float) -> None:
        """:param tail: s for which it still holds after its end is told"""
        self.tail = tail  # may be changed at any time
        self._since: int | None = None
        self._past: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def set(self, stamp_ns: int, on: bool) -> None:
        """It begins or ends. Said again, it changes nothing."""
        if on and self._since is None:
            self._since = stamp_ns
        elif not on and self._since is not None:
            self._past.append((self._since, max(stamp_ns, self._since) + round(self.tail * SECOND)))
            self._since = None

    def overlaps(self, start_ns: int, end_ns: int) -> bool:
        """Whether it held in any of that span. Spans are asked for in their order."""
        while self._past and self._past[0][1] <= start_ns:
            self._past.popleft()
        now = self._since is not None and self._since < end_ns
        return now or any(begin < end_ns and start_ns < end for begin, end in self._past)

    def restart(self) -> None:
        """Time has jumped back: only what holds now still does."""
        self._past.clear()
        if self._since is not None:
            self._since = 0
