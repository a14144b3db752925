"""The voices that others tell apart, and what they hear of them: in place of our microphone, detector and asr."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from std_msgs.msg import Bool

from smern_ros import msg
from smern_ros.audio.segmenter import UtteranceState
from smern_ros.hri.ids import Changes, Roster
from smern_ros.hri.people import Heard, Voices
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
"""s after the end of an utterance in which its words may come."""
SILENT_AFTER = 3.0
"""s without word from audio_features after which no utterance is expected of it."""
SAME_CLOCK = 5 * SECOND
"""ns by which the sound may be older than now; by more, it is stamped by another clock."""
SPEAKS_LONG = 60.0
"""s after which it is told that one voice keeps all others from being heard."""


class VoiceInputs:
    """Takes voices/tracked and voices/<id>/{is_speaking, audio, speech}; publishes what the parameters ask for."""

    def __init__(self, node: SmernNode, hri: HriMessages, on_change: Callable[[], None]) -> None:
        """:param on_change: called when another voice may be the one that is heard."""
        self._node, self._hri, self._on_change = node, hri, on_change
        self.roster = Roster('voices', limit=node.value('max_ids'))
        self.voices = Voices(node.value('voice'))
        self._lines: dict[str, DynamicEndpoints] = {}
        self._list = LatchedSubscription(
            node, hri.IdsList, f'{VOICES}/tracked', lambda message: self._look(message.ids), lambda: self._look(())
        )
        self._told = ('', False)
        self._told_at = self._active_at = time.monotonic()
        self._heard = Heard()
        self._audio = AudioCommon(node.value('audio_type')) if node.value('take_audio') else None
        self._given = Format(node.value('sample_rate'), node.value('channels'), node.value('sample_format'))
        self._words = TranscriptAssigner(TEXT_WAIT)
        self._rivals: list[tuple[str, str]] = []  # topics that another may publish, and what to do
        if self._audio is not None:
            self._sound = node.output(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
            self._rivals.append((topics.AUDIO, 'start no microphone, or set take_audio false'))
        if node.value('take_is_speaking'):
            self._detected = node.output(msg.VoiceActivity, topics.DETECTED, qos.EVIDENCE)
        if node.value('take_speech'):
            self._transcripts = node.output(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
            self._rivals.append((topics.TRANSCRIPT, 'start without asr, or set take_speech false'))
            node.listen(msg.Utterance, topics.UTTERANCE, self._take_utterance, qos.EVIDENCE)
            node.listen(msg.VoiceActivity, topics.IS_SPEAKING, self._take_activity, qos.STREAM)

    def start(self) -> None:
        self._list.start()

    def stop(self) -> None:
        self._follow(Changes((), self.roster.clear(), ()))
        self._words.clear()

    def want(self, voice: str) -> None:
        """Listen to this one alone; empty: to whoever speaks."""
        self.voices.want(voice)
        self._changed()

    def tell(self) -> None:
        """Once a second."""
        self._list.follow()
        self._tell_activity()
        if self._node.value('take_speech') and time.monotonic() > self._active_at + SILENT_AFTER:
            self._publish(self._words.give_up())
        spoken = time.monotonic() - self._told_at if self.voices.speaking else 0.0
        self._node.health.warn(VOICES, '' if spoken < SPEAKS_LONG else (
            f'{VOICES}/{self.voices.heard}/is_speaking has been true for {spoken:.0f} s, and no other voice is heard '
            'meanwhile: publish false when it ends'
        ))
        for topic, advice in self._rivals:
            warn_of_other_publishers(self._node, topic, advice)

    # --- topics -----------------------------------------------------------------------------------------------

    def _take_is_speaking(self, voice: str, message: Bool) -> None:
        self.voices.tell(voice, message.data)
        self._changed()
        # Before the sound of it has come through our detector a short word may be understood already.
        begins = message.data and (voice == self.voices.heard or not self._is_one_voice)
        if begins and self._node.value('take_speech') and abs(self._now() - self._words.now_ns) < SAME_CLOCK:
            self._publish(self._words.hear(self._now(), speaks=True, voice=self._whose))

    def _take_audio(self, voice: str, stream: SoundStream, message: Any) -> None:
        chunk = stream.chunk(message, self._now())
        if voice == self.voices.heard:
            self._sound.publish(chunk)

    def _take_speech(self, voice: str, message: Any) -> None:
        if self._node.value('voice') not in ('', voice):
            return
        said = self._hri.said(message, self._now(), voice)
        if said is not None:
            self._publish(self._words.say(said))

    def _take_utterance(self, message: msg.Utterance) -> None:
        start_ns, end_ns = utterance_span(message)
        voice = self._heard.during(start_ns, end_ns) if self._is_one_voice else ''
        self._publish(self._words.announce(message.id, start_ns, end_ns, UtteranceState(message.state), voice))

    def _take_activity(self, message: msg.VoiceActivity) -> None:
        self._active_at = time.monotonic()
        self._publish(self._words.hear(stamp_of(message.header), speaks=message.is_speaking, voice=self._whose))

    # --- coming and going -------------------------------------------------------------------------------------

    def _look(self, ids: Sequence[str]) -> None:
        changes = self.roster.look(ids, time.monotonic())
        for reason in changes.refused:
            self._node.log_error(VOICES, reason)
        self._follow(changes)

    def _follow(self, changes: Changes) -> None:
        for voice in changes.left:
            self._lines.pop(voice).close()
            self.voices.leave(voice)
        for voice in changes.came:
            self._lines[voice] = self._meet(voice)
            self.voices.come(voice)
        if changes.came or changes.left:
            self._changed()

    def _meet(self, voice: str) -> DynamicEndpoints:
        lines, place = DynamicEndpoints(self._node), f'{VOICES}/{voice}'
        lines.listen(
            Bool, f'{place}/is_speaking', lambda message: self._take_is_speaking(voice, message), qos.STREAM,
            label=f'{VOICES}/*/is_speaking',
        )
        if self._audio is not None:
            stream = SoundStream(self._audio.kind, self._given, voice)
            lines.listen(
                self._audio.type, f'{place}/audio', lambda message: self._take_audio(voice, stream, message),
                qos.ANY_AUDIO, label=f'{VOICES}/*/audio',
            )
        if self._node.value('take_speech'):
            lines.listen(
                self._hri.LiveSpeech, f'{place}/speech', lambda message: self._take_speech(voice, message),
                qos.EVIDENCE, label=f'{VOICES}/*/speech',
            )
        return lines

    # --- publishing -------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        if self._told != (self.voices.heard, self.voices.speaking):
            self._told, self._told_at = (self.voices.heard, self.voices.speaking), time.monotonic()
            self._heard.note(self._now(), self.voices.heard)
            self._tell_activity()
            self._on_change()

    def _tell_activity(self) -> None:
        if self._node.value('take_is_speaking'):
            speaks = self.voices.speaking
            self._detected.publish(msg.VoiceActivity(
                header=header(self._now(), self.voices.heard), is_speaking=speaks, probability=float(speaks),
            ))

    def _publish(self, transcripts: Sequence[Transcript]) -> None:
        self._node.each(topics.TRANSCRIPT, transcripts, lambda transcript: self._transcripts.publish(
            transcript_to_message(transcript, self.voices.heard, is_final=True)
        ))

    @property
    def _whose(self) -> str:
        """The voice whose sound is heard now; empty: everybody's."""
        return self.voices.heard if self._is_one_voice else ''

    @property
    def _is_one_voice(self) -> bool:
        """Whether what is heard is the sound of one voice, and not of everybody."""
        return self._node.value('take_audio') or self._node.value('take_is_speaking')

    def _now(self) -> int:
        return self._node.get_clock().now().nanoseconds
