# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Saying the same thing over and over helps nobody."""
from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict, deque

_VALUES = re.compile(r"'[^']*'|[\d.]+")
_KINDS, _SUBJECTS = 256, 64
"""Most kinds of lines and most subjects remembered."""
MAX_KINDS = 20
"""Lines of different kinds on one subject in a period; garbage makes a new kind with each message."""


class Throttle:
    """Lets one line of a kind through in a period. Lines that differ only in numbers and quoted values are a kind."""

    def __init__(self, period: float) -> None:
        """:param period: s."""
        self._period = period
        self._lines: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._recent: OrderedDict[str, deque[float]] = OrderedDict()  # when lines on a subject were let through
        self._lock = threading.Lock()

    def count(self, subject: str, line: str) -> int | None:
        """:return: how many of its kind were held back since one was let through; None if this one is held back."""
        kind = f'{subject}: {_VALUES.sub("#", line[:500])}'
        now = time.monotonic()
        with self._lock:
            logged_at, suppressed = self._lines.pop(kind, (-float('inf'), 0))
            if now < logged_at + self._period or self._is_busy(subject, now):
                self._remember(kind, logged_at, suppressed + 1)
                return None
            self._remember(kind, now, 0)
            return suppressed

    def _is_busy(self, subject: str, now: float) -> bool:
        recent = self._recent.setdefault(subject, deque(maxlen=MAX_KINDS))
        self._recent.move_to_end(subject)
        if len(self._recent) > _SUBJECTS:
            self._recent.popitem(last=False)
        if len(recent) == MAX_KINDS and now < recent[0] + self._period:
            return True
        recent.append(now)
        return False

    def _remember(self, kind: str, logged_at: float, suppressed: int) -> None:
        self._lines[kind] = (logged_at, suppressed)
        if len(self._lines) > _KINDS:
            self._lines.popitem(last=False)
