# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A process that listens to the graph, sees what ROS tells of it, and says so in JSON, four times a second.

    observer.py [SPEAKS]     it publishes emotion_state with that label, too
"""
import contextlib
import json
import sys
from collections import Counter

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import stamp_of
from smern_ros.values import SECOND

HEARD = (
    (msg.AudioChunk, topics.AUDIO, qos.AUDIO),
    (Image, topics.IMAGE, qos_profile_sensor_data),
    (CompressedImage, topics.IMAGE_COMPRESSED, qos_profile_sensor_data),
    (msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM),
    (msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE),
)
GREETING = 'greeting'


def stretches(sound: list[tuple[int, int]]) -> list[float]:
    """How long the stretches without a gap are, in seconds."""
    lengths: list[float] = []
    previous_end = None
    for start, end in sorted(sound):
        joined = previous_end is not None and abs(start - previous_end) < SECOND / 1000
        lengths[len(lengths) - joined:] = [(lengths[-1] if joined else 0.0) + (end - start) / SECOND]
        previous_end = end
    return lengths


class Observer(Node):
    def __init__(self, speaks: str) -> None:
        super().__init__(f'observer_{speaks}' if speaks else 'observer')
        self._heard: Counter[str] = Counter()
        self._sound: list[tuple[int, int]] = []  # start and end of each chunk, ns
        self._states: list[msg.EmotionState] = []
        for kind, topic, profile in HEARD:
            self.create_subscription(kind, topic, lambda message, topic=topic: self._hear(topic, message), profile)
        self.create_subscription(msg.EmotionState, topics.EMOTION_STATE, self._states.append, qos.STATE)
        self.create_subscription(String, GREETING, lambda message: self._hear(GREETING, message), 10)
        self._greeting = self.create_publisher(String, GREETING, 10)
        self._forged = self.create_publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE) if speaks else None
        self._speaks = speaks
        self._reports = 0
        self.create_timer(0.25, self._report)

    def _hear(self, topic: str, message) -> None:
        self._heard[topic] += 1
        if isinstance(message, msg.AudioChunk):
            start = stamp_of(message.header)
            samples = len(message.data) // 2 // message.channels
            self._sound.append((start, start + round(samples * SECOND / message.sample_rate)))
        if isinstance(message, String):
            self._heard[f'{GREETING} of {message.data}'] += 1

    def _report(self) -> None:
        self._greeting.publish(String(data=self._speaks))
        if self._forged is not None:
            self._forged.publish(msg.EmotionState(label=self._speaks))
        self._reports += 1
        print(json.dumps({
            'reports': self._reports,
            'topics': sorted(name for name, _ in self.get_topic_names_and_types()),
            'nodes': sorted(self.get_node_names()),
            'heard': self._heard,
            'sound': stretches(self._sound),
            'labels': sorted({state.label for state in self._states}),
            'finals': [
                {'utterance': s.utterance_id, 'end': stamp_of(s.header), 'modalities': list(s.modalities),
                 'unfamiliar': list(s.unfamiliar)}
                for s in self._states if s.is_final
            ],
        }), flush=True)


def main() -> int:
    rclpy.init()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Observer(sys.argv[1] if len(sys.argv) > 1 else ''))
    return 0


if __name__ == '__main__':
    sys.exit(main())
