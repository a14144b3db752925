#!/usr/bin/env python3
# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Prints how people feel, a line for each state: the shortest listener to `emotion_state`.

    smern run --with media_source     # webcam and microphone into the graph
    python examples/listen.py         # beside it, in another terminal
"""
# ruff: noqa: E402
import os

from smern_ros.deploy import dds, stop_signals

stop = stop_signals.begin()  # from here on Ctrl-C is heard, also while the rest is imported

import rclpy
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions

from smern_ros.msg import EmotionState


def show(state: EmotionState) -> None:
    kind = 'final' if state.is_final else 'provisional' if state.utterance_id else 'movement'
    felt = ', '.join(f'{label} {p:.2f}' for label, p in zip(state.labels, state.probabilities, strict=False))
    print(f'{state.person_id or "somebody"}: {felt} ({kind}, by {", ".join(state.modalities)})', flush=True)


def main() -> None:
    os.environ.update(dds.environment())  # as the graph does: this host alone
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    stop.close_first()
    node = rclpy.create_node('listen')
    node.create_subscription(EmotionState, 'emotion_state', show, QoSProfile(depth=50))  # reliable
    while not stop.requested:
        rclpy.spin_once(node, timeout_sec=0.2)
    with stop_signals.closing():
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
