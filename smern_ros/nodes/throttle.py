"""Saying the same thing over and over helps nobody."""
from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict

_VALUES = re.compile(r"'[^']*'|[\d.]+")
_KINDS = 64
"""Most kinds of lines remembered."""


class Throttle:
    """Lets one line of a kind through in a period. Lines that differ only in numbers and quoted values are a kind."""

    def __init__(self, period: float) -> None:
        """:param period: s."""
        self._period = period
        self._said: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, line: str) -> int | None:
        """:return: how many of its kind were held back since one was let through; None if this one is held back."""
        kind = _VALUES.sub('#', line[:500])
        now = time.monotonic()
        with self._lock:
            said_at, unsaid = self._said.pop(kind, (-float('inf'), 0))
            if now < said_at + self._period:
                self._said[kind] = (said_at, unsaid + 1)
                return None
            self._said[kind] = (now, 0)
            while len(self._said) > _KINDS:
                self._said.popitem(last=False)
            return unsaid
