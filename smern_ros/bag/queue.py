# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bounded queue between network and disk: with a slow disk messages are dropped instead of using more memory."""
from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Received:
    """A received message, serialized as CDR."""

    topic: str
    time_ns: int
    data: bytes


class BoundedQueue:
    """FIFO queue of at most `limit` bytes between two threads.

    When it is full, new messages are dropped and counted, so that the recording has one gap instead of many.
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
        """Append a message, or drop it if the queue is full. Does not block."""
        with self._changed:
            if self._closed or self._held + len(received.data) > self._limit:
                self.dropped[received.topic] += 1
                return
            self._held += len(received.data)
            self._waiting.append(received)
            self._changed.notify()

    def take(self) -> Received | None:
        """Wait for the next message. :return: None if the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            received = self._waiting.popleft()
            self._held -= len(received.data)
            return received

    def close(self) -> None:
        """Accept no more messages; those in the queue can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()
