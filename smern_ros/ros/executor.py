# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What runs a node's callbacks: rclpy's events executor where there is one.

rclpy's older executors go through everything that a node has, services and timers and all, for each message. At thirty
messages a second that is 3 % of a core for a node that does nothing else; the events executor takes 1 %.
"""
from __future__ import annotations

from rclpy.context import Context
from rclpy.executors import Executor, SingleThreadedExecutor


def create(context: Context | None = None) -> Executor:
    """One thread; callbacks in the order in which their messages came. Loop over its `spin_once`: the `spin` of the
    events executor does not end by SIGTERM."""
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:  # Jazzy before rclpy 7.1.4
        return SingleThreadedExecutor(context=context)
    return EventsExecutor(context=context)
