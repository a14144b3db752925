#!/usr/bin/env python3
# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A dialog manager that chooses what the robot says by how people feel.

    smern run --with media_source                          # or ros2 launch ... emotion.launch.py media_source:=true
    python examples/dialog_manager.py                      # beside it
    ros2 topic echo /say

It listens to `emotion_state` and publishes the sentence for the robot's voice on `say` (std_msgs/String). Whoever
speaks it tells `robot_speaking` (std_msgs/Bool, true at the beginning, false at the end), so that the graph does not
listen to the robot itself.

Topics are relative: with `--ros-args -r __ns:=/robot` it talks to a graph that runs in that namespace.
"""
# ruff: noqa: E402
from __future__ import annotations

import os
import sys
from typing import Any

from smern_ros.deploy import dds, stop_signals

stop = stop_signals.begin()  # from here on Ctrl-C is heard, also while the rest is imported

import rclpy
from debounce import Debouncer
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String

from smern_ros.msg import EmotionState

REPLIES = {
    'happy': 'That sounds good! Tell me more.',
    'sad': 'I am sorry to hear that. Can I do something for you?',
    'angry': 'I see that this upsets you. Let us go through it calmly.',
    'neutral': '',  # nothing
}
"""What is said by default, by the label of the state. Each is a parameter: `-p replies.sad:="Oh dear."`"""

SETTINGS = {
    'min_confidence': (0.5, '0..1, below which a state says nothing'),
    'hysteresis': (0.1, '0..1, by how much more confident a state must be that contradicts the one before'),
    'hold': (1.5, 's for which a state that is not final must last'),
    'gap': (1.5, 's without a state after which it begins to last anew'),
    'quiet': (10.0, 's in which the same feeling of the same person is not answered twice'),
}
"""Of the Debouncer: default and meaning of each."""


class DialogManager(Node):
    """Answers feelings that are settled."""

    def __init__(self) -> None:
        super().__init__('dialog_manager')
        settings: dict[str, Any] = {name: self._parameter(name, *about) for name, about in SETTINGS.items()}
        self._max_age = self._parameter('max_age', 5.0, 's after which a feeling is no longer worth an answer')
        self._replies = {
            label: self._parameter(f'replies.{label}', text, f'said to whoever is {label}; empty: nothing')
            for label, text in REPLIES.items()
        }
        self._debouncer = Debouncer(**settings)
        self._say = self.create_publisher(String, 'say', 10)
        # Volatile, though the graph keeps its last states for late comers: what was felt before we came is over.
        reliable = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
        self.create_subscription(EmotionState, 'emotion_state', self._take, reliable)

    def _take(self, state: EmotionState) -> None:
        """One state: provisional (a better one will come), final (of a whole utterance) or from movement alone."""
        stamp = state.header.stamp.sec + state.header.stamp.nanosec / 1e9
        age = self.get_clock().now().nanoseconds / 1e9 - stamp
        if age > self._max_age:  # of a slow computer, or a clock that differs from the sensors'
            self.get_logger().warning(f'a state is {age:.1f} s old: left out', throttle_duration_sec=10.0)
            return
        answer = self._debouncer.feed(
            state.person_id, state.label, state.confidence, is_final=state.is_final, stamp=stamp
        )
        if answer:
            self._reply(state)

    def _reply(self, state: EmotionState) -> None:
        text = self._replies.get(state.label, '')
        self.get_logger().info(
            f'{state.person_id or "somebody"} is {state.label} ({state.confidence:.2f}, by '
            f'{", ".join(state.modalities)}): {text or "nothing to say"}'
        )
        if text:
            self._say.publish(String(data=text))

    def _parameter(self, name: str, default: float | str, description: str) -> float | str:
        return self.declare_parameter(name, default, ParameterDescriptor(description=description, read_only=True)).value


def main() -> int:
    os.environ.update(dds.environment())  # as the graph does: feelings that the network claims are not heard
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    stop.close_first()
    try:
        node = DialogManager()
    except (ValueError, ParameterException) as error:
        print(f'dialog_manager: {error}', file=sys.stderr)
        return 2
    while not stop.requested:
        rclpy.spin_once(node, timeout_sec=0.2)
    with stop_signals.closing():
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
