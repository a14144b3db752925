"""What comes out of the graph, as answers to what a file put into it: they hold up a lossless replay."""
from __future__ import annotations

from smern_ros import msg
from smern_ros.media.back_pressure import BackPressure
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import require_name, stamp_of
from smern_ros.ros.node import SmernNode

SEES, HEARS, JUDGES = 'pose_estimation', 'audio_features', 'fusion'
"""The nodes that answer: with skeletons to each image, voice activity to sound, final states to utterances."""


class ReplayAcks:
    """Hands the graph's answers to back-pressure, with stamps turned into media time."""

    def __init__(self, node: SmernNode):
        self._pressure: BackPressure | None = None
        self._start_ns = 0
        for message_type, topic, take, profile in (
            (msg.SkeletonArray, topics.SKELETON_RAW, self._take_skeletons, qos.STREAM),
            (msg.VoiceActivity, topics.IS_SPEAKING, self._take_activity, qos.STREAM),
            (msg.Utterance, topics.UTTERANCE, self._take_utterance, qos.EVIDENCE),
            (msg.EmotionState, topics.EMOTION_STATE, self._take_emotion, qos.EVIDENCE),
        ):
            node.listen(message_type, topic, take, profile)

    def to(self, pressure: BackPressure, start_ns: int) -> None:
        """From now on to this one, whose media time 0 has the stamp `start_ns`."""
        self._pressure, self._start_ns = pressure, start_ns

    def forget(self) -> None:
        """What comes late from one playing is no answer to the next."""
        self._pressure = None

    def _take_skeletons(self, message: msg.SkeletonArray) -> None:
        if self._pressure is not None:
            self._pressure.seen(stamp_of(message.header) - self._start_ns)

    def _take_activity(self, message: msg.VoiceActivity) -> None:
        if self._pressure is not None:
            self._pressure.heard(stamp_of(message.header) - self._start_ns)

    def _take_utterance(self, message: msg.Utterance) -> None:
        if self._pressure is not None and message.state == msg.Utterance.ENDED:
            self._pressure.ended(require_name(message.id, 'the id of an utterance'))

    def _take_emotion(self, message: msg.EmotionState) -> None:
        if self._pressure is not None and message.is_final:
            self._pressure.judged(require_name(message.utterance_id, 'an utterance_id'))
