# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What waits between the network and the disk: bounded, so that a slow disk costs messages and never memory."""
from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Received:
    """A message in CDR, and when it came."""

    topic: str
    time_ns: int
    data: bytes


class BoundedQueue:
    """First in, first out, between two threads; never more than so many bytes.

    What finds no room is dropped and counted: what waits already is older, and a recording with one gap is better than
    one with many.
    """

    def __init__(self, limit: int) -> None:
        """:param limit: bytes."""
        self._limit = limit
        self._held = 0
        self._waiting: deque[Received] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.dropped: Counter[str] = Counter()  # messages by topic

    def put(self, received: Received) -> None:
        """Never waits."""
        with self._changed:
            if self._closed or self._held + len(received.data) > self._limit:
                self.dropped[received.topic] += 1
                return
            self._held += len(received.data)
            self._waiting.append(received)
            self._changed.notify()

    def take(self) -> Received | None:
        """Waits for the next. :return: None if the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            received = self._waiting.popleft()
            self._held -= len(received.data)
            return received

    def close(self) -> None:
        """What waits can still be taken; nothing more comes in."""
        with self._changed:
            self._closed = True
            self._changed.notify()
