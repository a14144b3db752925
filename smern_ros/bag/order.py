# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages of many files and chunks, in the order of time. Needs no ROS."""
from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from smern_ros.bag.contents import Message, Part
from smern_ros.bag.errors import BagError

MAX_HELD = 1 << 28
"""Bytes of parts that are read at once: of those whose times overlap."""
MAX_OPEN = 200
"""Parts, for each may be an open file."""


def in_time_order(parts: Iterable[Part], problems: list[BagError]) -> Iterator[Message]:
    """Parts are read when it is their time; of messages of the same time the part that comes first is first.

    :param problems: gets what went wrong with a part; the others go on.
    """
    waiting = sorted(parts, key=lambda part: part.start_ns)
    heap: list[tuple[int, int, Message, Iterator[Message], int]] = []
    held = begun = 0
    crowded = False

    def push(number: int, messages: Iterator[Message], size: int) -> bool:
        try:
            message = next(messages, None)
        except BagError as error:
            problems.append(error)
            return False
        if message is not None:
            heapq.heappush(heap, (message.time_ns, number, message, messages, size))
        return message is not None

    while heap or begun < len(waiting):
        while begun < len(waiting) and (not heap or waiting[begun].start_ns <= heap[0][0]):
            part = waiting[begun]
            if heap and (held + part.size > MAX_HELD or len(heap) >= MAX_OPEN):
                crowded = True
                break
            if push(begun, part.read(), part.size):
                held += part.size
            begun += 1
        if not heap:
            continue
        _, number, message, messages, size = heapq.heappop(heap)
        yield message
        if not push(number, messages, size):
            held -= size
    if crowded:
        problems.append(BagError('the messages are too far from the order of their times; some were played late'))
