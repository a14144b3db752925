# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph's topics with their types: what goes in and what comes out, for whoever listens to all of it."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Bool, String

from smern_ros import msg
from smern_ros.ros import qos, topics


class Role(Enum):
    """What a topic is to the graph."""

    IMAGES = 'images'        # the camera's, into the graph
    SOUND = 'sound'          # the microphone's, and what others tell of the voice: into the graph, too
    EVIDENCE = 'evidence'    # from node to node
    STATES = 'states'        # out of the graph


@dataclass(frozen=True)
class Stream:
    """A topic of the graph."""

    topic: str
    type: type
    qos: QoSProfile          # the strictest that anybody publishes it with
    role: Role

    @property
    def type_name(self) -> str:
        """As bags and tools write it: sensor_msgs/msg/Image."""
        return type_name(self.type)


STREAMS = (
    Stream(topics.IMAGE, Image, qos.LOSSLESS_IMAGES, Role.IMAGES),
    Stream(topics.IMAGE_COMPRESSED, CompressedImage, qos.LOSSLESS_IMAGES, Role.IMAGES),
    Stream(topics.AUDIO, msg.AudioChunk, qos.AUDIO, Role.SOUND),
    Stream(topics.ROBOT_SPEAKING, Bool, qos.EVIDENCE, Role.SOUND),
    Stream(topics.DETECTED, msg.VoiceActivity, qos.EVIDENCE, Role.SOUND),
    Stream(topics.SPEAKER, String, qos.LATCHED, Role.SOUND),
    Stream(topics.PEOPLE, msg.SkeletonArray, qos.STATE, Role.EVIDENCE),
    Stream(topics.SKELETON_RAW, msg.SkeletonArray, qos.STREAM, Role.EVIDENCE),
    Stream(topics.SKELETON_FILTERED, msg.SkeletonArray, qos.STREAM, Role.EVIDENCE),
    Stream(topics.SKELETON_WINDOW, msg.SkeletonWindow, qos.EVIDENCE, Role.EVIDENCE),
    Stream(topics.IS_SPEAKING, msg.VoiceActivity, qos.STREAM, Role.EVIDENCE),
    Stream(topics.UTTERANCE, msg.Utterance, qos.EVIDENCE, Role.EVIDENCE),
    Stream(topics.TRANSCRIPT, msg.Transcript, qos.EVIDENCE, Role.EVIDENCE),
    Stream(topics.AUDIO_FEATURES, msg.AudioFeatures, qos.EVIDENCE, Role.EVIDENCE),
    Stream(topics.EMOTION_STATE, msg.EmotionState, qos.STATE, Role.STATES),
)


def type_name(message_type: type) -> str:
    """Of a message class, as bags and tools write it: sensor_msgs/msg/Image."""
    package, kind, _ = message_type.__module__.split('.')
    return f'{package}/{kind}/{message_type.__name__}'
