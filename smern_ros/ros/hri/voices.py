# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""ROS4HRI voices, with their audio, activity and speech: instead of our microphone, detector and asr."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from std_msgs.msg import Bool

from smern_ros import msg
from smern_ros.audio.segmenter import UtteranceState
from smern_ros.hri.ids import Changes, Roster
from smern_ros.hri.person_assignments import VoiceHistory, Voices
from smern_ros.hri.transcripts import TranscriptAssigner
from smern_ros.ros import qos, topics
from smern_ros.ros.audio_common import AudioCommon, Format, SoundStream
from smern_ros.ros.dynamic_topics import DynamicEndpoints, warn_of_other_publishers
from smern_ros.ros.hri.messages import HriMessages
from smern_ros.ros.latched_input import LatchedSubscription
from smern_ros.ros.messages import header, stamp_of, transcript_to_message, utterance_span
from smern_ros.ros.node import SmernNode
from smern_ros.values import SECOND, Transcript

VOICES = f'{topics.HUMANS}/voices'
TEXT_WAIT = 5.0
"""s after the end of an utterance in which its text may arrive."""
FEATURES_TIMEOUT = 3.0
"""s without voice activity of audio_features after which no utterance is expected."""
SAME_CLOCK = 5 * SECOND
"""ns by which the audio may be older than now; more means another clock."""
LONG_SPEECH = 60.0
"""s of speech of one voice after which a warning is given that others are ignored."""


class VoiceInputs:
    """Takes voices/tracked and voices/<id>/{is_speaking, audio, speech}; publishes what the parameters ask for."""

    def __init__(self, node: SmernNode, hri: HriMessages, on_change: Callable[[], None]) -> None:
        """:param on_change: called when the active voice may have changed."""
        self._node, self._hri, self._on_change = node, hri, on_change
        self.roster = Roster('voices', limit=node.value('max_ids'))
        self.voices = Voices(node.value('voice'))
        self._endpoints: dict[str, DynamicEndpoints] = {}
        self._list = LatchedSubscription(
            node, hri.IdsList, f'{VOICES}/tracked',
            lambda message: self._update_ids(message.ids), lambda: self._update_ids(()),
        )
        self._published_activity = ('', False)
        self._activity_since = self._active_at = time.monotonic()
        self._voice_history = VoiceHistory()
        self._audio = AudioCommon(node.value('audio_type')) if node.value('take_audio') else None
        self._format = Format(node.value('sample_rate'), node.value('channels'), node.value('sample_format'))
        self._assigner = TranscriptAssigner(TEXT_WAIT)
        self._exclusive_topics: list[tuple[str, str]] = []  # topics without other publishers, and advice
        if self._audio is not None:
            self._sound = node.add_publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
            self._exclusive_topics.append((topics.AUDIO, 'start no microphone, or set take_audio false'))
        if node.value('take_is_speaking'):
            self._detected = node.add_publisher(msg.VoiceActivity, topics.DETECTED, qos.EVIDENCE)
        if node.value('take_speech'):
            self._transcripts = node.add_publisher(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
            self._exclusive_topics.append((topics.TRANSCRIPT, 'start without asr, or set take_speech false'))
            node.add_subscription(msg.Utterance, topics.UTTERANCE, self._on_utterance, qos.EVIDENCE)
            node.add_subscription(msg.VoiceActivity, topics.IS_SPEAKING, self._on_activity, qos.STREAM)

    def start(self) -> None:
        self._list.start()

    def stop(self) -> None:
        self._apply(Changes((), self.roster.clear(), ()))
        self._assigner.clear()

    def select(self, voice: str) -> None:
        """As of `Voices.select`."""
        self.voices.select(voice)
        self._changed()

    def refresh(self) -> None:
        """Once a second."""
        self._list.check_publishers()
        self._publish_activity()
        if self._node.value('take_speech') and time.monotonic() > self._active_at + FEATURES_TIMEOUT:
            self._publish(self._assigner.expire_pending())
        spoken = time.monotonic() - self._activity_since if self.voices.speaking else 0.0
        self._node.health.warn(VOICES, '' if spoken < LONG_SPEECH else (
            f'{VOICES}/{self.voices.active}/is_speaking has been true for {spoken:.0f} s, and other voices are '
            'ignored; publish false when it ends'
        ))
        for topic, advice in self._exclusive_topics:
            warn_of_other_publishers(self._node, topic, advice)

    # --- topics -----------------------------------------------------------------------------------------------

    def _on_is_speaking(self, voice: str, message: Bool) -> None:
        self.voices.set_speaking(voice, message.data)
        self._changed()
        # A short word may be recognised before its audio has passed our detector.
        begins = message.data and (voice == self.voices.active or not self._single_voice)
        if begins and self._node.value('take_speech') and abs(self._now() - self._assigner.now_ns) < SAME_CLOCK:
            self._publish(self._assigner.update_activity(self._now(), speaks=True, voice=self._active_voice))

    def _on_audio(self, voice: str, stream: SoundStream, message: Any) -> None:
        chunk = stream.chunk(message, self._now())
        if voice == self.voices.active:
            self._sound.publish(chunk)

    def _on_speech(self, voice: str, message: Any) -> None:
        if self._node.value('voice') not in ('', voice):
            return
        text = self._hri.recognized_text(message, self._now(), voice)
        if text is not None:
            self._publish(self._assigner.add(text))

    def _on_utterance(self, message: msg.Utterance) -> None:
        start_ns, end_ns = utterance_span(message)
        voice = self._voice_history.during(start_ns, end_ns) if self._single_voice else ''
        self._publish(self._assigner.announce(message.id, start_ns, end_ns, UtteranceState(message.state), voice))

    def _on_activity(self, message: msg.VoiceActivity) -> None:
        self._active_at = time.monotonic()
        self._publish(self._assigner.update_activity(
            stamp_of(message.header), speaks=message.is_speaking, voice=self._active_voice
        ))

    # --- coming and going -------------------------------------------------------------------------------------

    def _update_ids(self, ids: Sequence[str]) -> None:
        changes = self.roster.update(ids, time.monotonic())
        for reason in changes.rejected:
            self._node.log_error(VOICES, reason)
        self._apply(changes)

    def _apply(self, changes: Changes) -> None:
        for voice in changes.removed:
            self._endpoints.pop(voice).close()
            self.voices.remove(voice)
        for voice in changes.added:
            self._endpoints[voice] = self._create(voice)
            self.voices.add(voice)
        if changes.added or changes.removed:
            self._changed()

    def _create(self, voice: str) -> DynamicEndpoints:
        endpoints, place = DynamicEndpoints(self._node), f'{VOICES}/{voice}'
        endpoints.add_subscription(
            Bool, f'{place}/is_speaking', lambda message: self._on_is_speaking(voice, message), qos.STREAM,
            label=f'{VOICES}/*/is_speaking',
        )
        if self._audio is not None:
            stream = SoundStream(self._audio.kind, self._format, voice)
            endpoints.add_subscription(
                self._audio.type, f'{place}/audio', lambda message: self._on_audio(voice, stream, message),
                qos.ANY_AUDIO, label=f'{VOICES}/*/audio',
            )
        if self._node.value('take_speech'):
            endpoints.add_subscription(
                self._hri.LiveSpeech, f'{place}/speech', lambda message: self._on_speech(voice, message),
                qos.EVIDENCE, label=f'{VOICES}/*/speech',
            )
        return endpoints

    # --- publishing -------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        if self._published_activity != (self.voices.active, self.voices.speaking):
            self._published_activity = (self.voices.active, self.voices.speaking)
            self._activity_since = time.monotonic()
            self._voice_history.record(self._now(), self.voices.active)
            self._publish_activity()
            self._on_change()

    def _publish_activity(self) -> None:
        if self._node.value('take_is_speaking'):
            speaks = self.voices.speaking
            self._detected.publish(msg.VoiceActivity(
                header=header(self._now(), self.voices.active), is_speaking=speaks, probability=float(speaks),
            ))

    def _publish(self, transcripts: Sequence[Transcript]) -> None:
        self._node.each(topics.TRANSCRIPT, transcripts, lambda transcript: self._transcripts.publish(
            transcript_to_message(transcript, self.voices.active, is_final=True)
        ))

    @property
    def _active_voice(self) -> str:
        """The voice in the audio; empty: unknown."""
        return self.voices.active if self._single_voice else ''

    @property
    def _single_voice(self) -> bool:
        """Whether the audio is of the active voice alone."""
        return self._node.value('take_audio') or self._node.value('take_is_speaking')

    def _now(self) -> int:
        return self._node.get_clock().now().nanoseconds
