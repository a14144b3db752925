# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Acknowledgements of a lossless replay: the output of the graph."""
from __future__ import annotations

from smern_ros import msg
from smern_ros.media.back_pressure import BackPressure
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import require_name, stamp_of
from smern_ros.ros.node import SmernNode

POSE_NODE, AUDIO_NODE, FUSION_NODE = 'pose_estimation', 'audio_features', 'fusion'
"""The nodes that acknowledge: images by skeletons, audio by voice activity, utterances by final states."""


class ReplayAcks:
    """Passes the graph's output to the back-pressure, with stamps converted to media time."""

    def __init__(self, node: SmernNode):
        self._pressure: BackPressure | None = None
        self._start_ns = 0
        for message_type, topic, callback, profile in (
            (msg.SkeletonArray, topics.SKELETON_RAW, self._on_skeletons, qos.STREAM),
            (msg.VoiceActivity, topics.IS_SPEAKING, self._on_activity, qos.STREAM),
            (msg.Utterance, topics.UTTERANCE, self._on_utterance, qos.EVIDENCE),
            (msg.EmotionState, topics.EMOTION_STATE, self._on_emotion, qos.EVIDENCE),
        ):
            node.add_subscription(message_type, topic, callback, profile)

    def set_target(self, pressure: BackPressure, start_ns: int) -> None:
        """Acknowledge to this back-pressure, whose media time 0 has the stamp `start_ns`."""
        self._pressure, self._start_ns = pressure, start_ns

    def clear_target(self) -> None:
        """Ignore output until the next `set_target`."""
        self._pressure = None

    def _on_skeletons(self, message: msg.SkeletonArray) -> None:
        if self._pressure is not None:
            self._pressure.ack_frames(stamp_of(message.header) - self._start_ns)

    def _on_activity(self, message: msg.VoiceActivity) -> None:
        if self._pressure is not None:
            self._pressure.ack_audio(stamp_of(message.header) - self._start_ns)

    def _on_utterance(self, message: msg.Utterance) -> None:
        if self._pressure is not None and message.state == msg.Utterance.ENDED:
            self._pressure.utterance_ended(require_name(message.id, 'the id of an utterance'))

    def _on_emotion(self, message: msg.EmotionState) -> None:
        if self._pressure is not None and message.is_final:
            self._pressure.ack_state(require_name(message.utterance_id, 'an utterance_id'))
