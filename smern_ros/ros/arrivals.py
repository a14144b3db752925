"""How many of the messages that were sent have come, by the numbers that their publishers give them. Needs no ROS."""
from __future__ import annotations

from collections import deque

WINDOW = 10
"""Looks, once a second, over which it is counted."""
FEW, SOME = 0.5, 5
"""Fewer than this share have come, and at least so many are missing: far fewer than were sent."""
MOST_PUBLISHERS = 64


class ArrivalCounter:
    """A slow camera and a replay that pauses leave no gaps in the numbers; loss does."""

    def __init__(self) -> None:
        self._newest: dict[bytes, int] = {}  # number, by publisher
        self._past: deque[tuple[int, int]] = deque(maxlen=WINDOW)
        self._received = self._missing = 0

    @property
    def any(self) -> bool:
        return bool(self._newest)

    def record(self, publisher: bytes, number: int) -> None:
        """A message has come. :param number: grows by one with each that this publisher sends."""
        newest = self._newest.get(publisher)
        if newest is None and len(self._newest) >= MOST_PUBLISHERS:
            self._newest.clear()
        self._newest[publisher] = number
        self._received += 1
        if newest is not None:
            self._missing += max(number - newest - 1, 0)

    def recent_loss(self) -> tuple[int, int] | None:
        """Once a second. :return: how many received and how many were sent of late, if that is far fewer."""
        self._past.append((self._received, self._missing))
        self._received = self._missing = 0
        received, missing = (sum(counts) for counts in zip(*self._past, strict=True))
        return (received, received + missing) if missing >= SOME and received < FEW * (received + missing) else None
