# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Merges messages of many files and chunks in the order of time. Needs no ROS."""
from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from smern_ros.bag.contents import Message, Part
from smern_ros.bag.errors import BagError

MAX_HELD = 1 << 28
"""Most bytes of parts in memory at once, which are those with overlapping times."""
MAX_OPEN = 200
"""Most parts read at once; each may be an open file."""


def in_time_order(parts: Iterable[Part], problems: list[BagError]) -> Iterator[Message]:
    """Merge the messages. A part is opened when its start is reached; ties are in the order of the parts.

    :param problems: errors of parts are appended; the other parts go on.
    """
    waiting = sorted(parts, key=lambda part: part.start_ns)
    heap: list[tuple[int, int, Message, Iterator[Message], int]] = []
    held = opened = 0
    limited = False

    def push(number: int, messages: Iterator[Message], size: int) -> bool:
        try:
            message = next(messages, None)
        except BagError as error:
            problems.append(error)
            return False
        if message is not None:
            heapq.heappush(heap, (message.time_ns, number, message, messages, size))
        return message is not None

    while heap or opened < len(waiting):
        while opened < len(waiting) and (not heap or waiting[opened].start_ns <= heap[0][0]):
            part = waiting[opened]
            if heap and (held + part.size > MAX_HELD or len(heap) >= MAX_OPEN):
                limited = True
                break
            if push(opened, part.read(), part.size):
                held += part.size
            opened += 1
        if not heap:
            continue
        _, number, message, messages, size = heapq.heappop(heap)
        yield message
        if not push(number, messages, size):
            held -= size
    if limited:
        problems.append(BagError('the messages are too far out of order; some were played late'))
