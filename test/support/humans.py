# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The other nodes of a robot that speaks ROS4HRI (REP-155)."""
from __future__ import annotations

import numpy as np
from sensor_msgs.msg import Image

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import header, skeletons_to_message
from smern_ros.spec import LABELS, Joint
from smern_ros.values import SECOND, Skeleton

START = 1_000 * SECOND
WIDTH, HEIGHT = 640, 480
"""Pixels of the pictures in which the people are."""


class Humans:
    """The other nodes of a robot: ours, a person manager and a microphone array that tells voices apart."""

    def __init__(self, probe, hri) -> None:
        self.probe, self._hri = probe, hri
        self._publishers = {}
        self._heard = {}
        self.skeletons = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
        self.states = probe.publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
        self.images = probe.publisher(Image, topics.IMAGE, qos.LOSSLESS_IMAGES)
        self.tracked = {kind: self.collect(hri.IdsList, f'{kind}/tracked') for kind in ('bodies', 'persons')}

    def collect(self, message_type, topic):
        if topic not in self._heard:
            self._heard[topic] = self.probe.collect(message_type, f'/humans/{topic}', qos.STREAM)
        return self._heard[topic]

    def say(self, topic, message, profile=qos.LATCHED):
        """Publishes below /humans, once there is somebody to hear it."""
        if topic not in self._publishers:
            self._publishers[topic] = self.probe.publisher(type(message), f'/humans/{topic}', profile)
            self.probe.wait_for_listener(self._publishers[topic])
        self._publishers[topic].publish(message)

    def list(self, kind, *ids):
        publisher = self._publishers.get(kind)
        if publisher is None:
            publisher = self._publishers[kind] = self.probe.publisher(
                self._hri.IdsList, f'/humans/{kind}/tracked', qos.LATCHED
            )
        publisher.publish(self._hri.IdsList(header=header(START, ''), ids=list(ids)))

    def show(self, *people, at=START):
        """A frame with these people in it."""
        positions = np.tile(np.float32([320, 120]), (10, 1))
        positions[Joint.LEFT_WRIST] = 480, 360
        positions[Joint.RIGHT_WRIST] = np.nan
        bodies = [
            Skeleton(at, name, np.zeros((10, 3), np.float32), np.full(10, 0.75, np.float32), 0.9, 0.2, positions)
            for name in people
        ]
        self.skeletons.publish(skeletons_to_message(bodies, header(at, 'camera')))

    def show_until(self, condition, what, *people):
        """Frames with these people, again and again."""
        def met():
            self.show(*people)
            return condition()

        return self.probe.wait_for(met, what, 60.0)

    def feel(self, person, label='happy', at=START + SECOND):
        self.states.publish(msg.EmotionState(
            header=header(at, 'camera'), person_id=person, labels=list(LABELS), label=label, confidence=0.625,
            probabilities=[0.625 if name == label else 0.125 for name in LABELS],
        ))

    def ids(self, kind):
        return list(self.tracked[kind][-1].ids) if self.tracked[kind] else None
