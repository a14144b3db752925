# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Quality of service by the kind of stream: which may lose messages, and what a late joiner must still get."""
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)


def _reliable(depth: int, durability: DurabilityPolicy = DurabilityPolicy.VOLATILE) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.RELIABLE, durability=durability
    )


IMAGES = qos_profile_sensor_data
"""A camera's newest frames; a lost one is not worth waiting for."""

LOSSLESS_IMAGES = _reliable(10)
"""Frames of a file: each counts, since a replay must give the same states again."""

AUDIO = _reliable(500)
"""A lost chunk is a lost word: ten seconds of 20 ms chunks may wait."""

STREAM = _reliable(100)
"""Skeletons and voice activity, at some 30 Hz."""

EVIDENCE = _reliable(50)
"""What is said once for each utterance."""

STATE = _reliable(10, DurabilityPolicy.TRANSIENT_LOCAL)
"""What a late joiner must know at once. Deep enough that a final state never pushes out another's."""

LATCHED = _reliable(1, DurabilityPolicy.TRANSIENT_LOCAL)
"""What holds until something else is said: lists of ids and matches (REP-155)."""

ANY_AUDIO = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=500, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Sound of other people's drivers: some publish it best effort, and a reliable subscription would not hear those."""
