# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The time of use_sim_time, given by whoever plays a recording."""
from __future__ import annotations

import threading
from collections.abc import Callable

from rosgraph_msgs.msg import Clock

from smern_ros.ros.messages import to_time


class SimulatedTime:
    """Never goes back, though several threads drive it."""

    def __init__(self, publish: Callable[[Clock], object]) -> None:
        self._publish = publish
        self._now_ns, self._lock = 0, threading.Lock()

    def advance(self, now_ns: int) -> None:
        """It is at least so late now."""
        with self._lock:
            if now_ns > self._now_ns:
                self._now_ns = now_ns
                self._publish(Clock(clock=to_time(now_ns)))

    def reset(self) -> None:
        """The next playing may begin at an earlier time."""
        with self._lock:
            self._now_ns = 0
