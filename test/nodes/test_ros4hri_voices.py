# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""ros4hri_bridge as the process it is: voices that other nodes tell apart (REP-155), into the graph."""
import array
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # the first of them compiles messages

from std_msgs.msg import Bool, String  # noqa: E402
from support.humans import START  # noqa: E402

from smern_ros import msg  # noqa: E402
from smern_ros.ros import qos, topics  # noqa: E402
from smern_ros.ros.hri.messages import HriMessages  # noqa: E402
from smern_ros.ros.messages import header, to_ns, to_time  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402


def test_the_sound_and_the_activity_of_the_one_who_speaks_are_passed_on(probe, humans, bridge):
    from audio_common_msgs.msg import AudioData, AudioDataStamped

    node = bridge(take_audio=True, take_is_speaking=True, audio_type='AudioDataStamped')
    sounds = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    detected = probe.collect(msg.VoiceActivity, topics.DETECTED, qos.EVIDENCE)
    probe.wait_for_speaker(topics.AUDIO, topics.DETECTED)
    humans.list('voices', 'v1', 'v2')
    came_ns = probe.node.get_clock().now().nanoseconds

    def speak(voice, loud):
        data = AudioData(data=array.array('B', np.full(1600, loud, '<i2').tobytes()))
        humans.say(f'voices/{voice}/audio', AudioDataStamped(header=header(START, ''), audio=data), qos.AUDIO)

    def heard(voice, loud):
        """Both make a sound until this one's is passed on."""
        sounds.clear()

        def passed():
            speak('v1', 1)
            speak('v2', 2)
            return [s for s in sounds if s.header.frame_id == voice]

        found = probe.wait_for(passed, f'the sound of {voice}', 60.0)[0]
        assert found.data == array.array('B', np.full(1600, loud, '<i2').tobytes())
        assert (to_ns(found.header.stamp), found.sample_rate, found.encoding) == (START, 16_000, 's16le')

    def told(voice, speaks):
        humans.say(f'voices/{voice}/is_speaking', Bool(data=speaks), qos.STREAM)
        at = probe.wait_for(
            lambda: next((d for d in detected if (d.header.frame_id, d.is_speaking) == (voice, speaks)), None),
            f'{voice} to be told', 60.0,
        )
        assert to_ns(at.header.stamp) > came_ns

    heard('v1', 1)
    told('v2', True)
    heard('v2', 2)
    sounds.clear()
    humans.say('voices/v1/is_speaking', Bool(data=True), qos.STREAM)
    heard('v2', 2)
    assert {s.header.frame_id for s in sounds} == {'v2'}  # who began to speak first is listened to, to the end
    humans.say('voices/v2/is_speaking', Bool(data=False), qos.STREAM)
    told('v1', True)
    told('v1', False)
    assert '[ERROR]' not in node.output


def test_words_that_others_understood_come_with_the_utterance_that_they_are_of(probe, humans, hri, bridge):
    bridge(take_speech=True)
    utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    transcripts = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
    probe.wait_for_listener(utterances)
    probe.wait_for_speaker(topics.TRANSCRIPT)
    humans.list('voices', 'v1')

    def ended():
        """Of two utterances, of which the text is stamped with the first."""
        for name, start_ns in (('u1', START), ('u2', START + 3 * SECOND)):
            utterances.publish(msg.Utterance(
                header=header(start_ns, 'array'), id=name, state=msg.Utterance.ENDED, start=to_time(start_ns),
                end=to_time(start_ns + 2 * SECOND), last_voiced=to_time(start_ns + 2 * SECOND), sample_rate=16_000,
            ))
        humans.say('voices/v1/speech', hri.LiveSpeech(
            header=header(START + SECOND, ''), incremental='der Lap',
        ), qos.EVIDENCE)
        humans.say('voices/v1/speech', hri.LiveSpeech(
            header=header(START + SECOND, ''), final='der Lappen', confidence=0.75, language='de-DE',
        ), qos.EVIDENCE)
        return transcripts

    transcript = probe.wait_for(ended, 'the words', 60.0)[0]
    assert transcript.utterance_id == 'u1' and transcript.is_final
    assert transcript.text.startswith('der Lappen') and 'Lap ' not in transcript.text
    assert (transcript.language, transcript.confidence) == ('de', 0.75)
    assert (to_ns(transcript.start), to_ns(transcript.end)) == (START, START + 2 * SECOND)


def test_sound_without_a_stamp_was_heard_before_it_came(probe, humans, bridge):
    from audio_common_msgs.msg import AudioData

    bridge(take_audio=True)
    sounds = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    probe.wait_for_speaker(topics.AUDIO)
    humans.list('voices', 'v1')
    began_ns = probe.node.get_clock().now().nanoseconds

    def heard():
        humans.say('voices/v1/audio', AudioData(data=array.array('B', bytes(3200))), qos.AUDIO)
        return sounds

    sound = probe.wait_for(heard, 'the sound', 60.0)[0]
    stamp_ns = to_ns(sound.header.stamp)
    assert began_ns < stamp_ns + SECOND // 10 < probe.node.get_clock().now().nanoseconds
    assert (sound.sample_rate, sound.channels, sound.header.frame_id) == (16_000, 1, 'v1')


def test_whose_voice_is_heard_is_the_speaker(probe, humans, bridge):
    bridge()
    speakers = probe.collect(String, topics.SPEAKER, qos.LATCHED)
    humans.list('voices', 'v1', 'v2')
    both = ('p1', 'p2')
    humans.show_until(lambda: humans.ids('persons') == [*both], 'the persons', *both)
    humans.say('persons/p1/voice_id', String(data='v1'))
    humans.say('persons/p2/voice_id', String(data='v2'))

    def says(voice, person):
        humans.say(f'voices/{voice}/is_speaking', Bool(data=True), qos.STREAM)
        humans.show_until(lambda: speakers and speakers[-1].data == person, f'{person} to be the speaker', *both)
        humans.say(f'voices/{voice}/is_speaking', Bool(data=False), qos.STREAM)

    says('v2', 'p2')
    says('v1', 'p1')
    humans.list('voices')  # the voice is gone, the person is not
    humans.show_until(lambda: not probe.node.count_subscribers('/humans/voices/v1/is_speaking'), 'v1 to end', *both)
    assert speakers[-1].data == 'p1'
    humans.show_until(lambda: speakers[-1].data == '', 'nobody to be the speaker', 'p2')


class Robot:
    """A microphone array that tells voices apart, with sound that never stops, all in real time."""

    CHUNK = 512

    def __init__(self, probe, humans, hri) -> None:
        self._probe, self._humans, self._hri = probe, humans, hri
        self._sound = probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
        self._sent = 0
        self.transcripts = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
        self._utterances = probe.collect(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
        probe.wait_for_listener(self._sound)
        probe.wait_for_speaker(topics.TRANSCRIPT, topics.UTTERANCE)
        self._began_ns = probe.node.get_clock().now().nanoseconds

    def go_on(self, seconds: float) -> None:
        """The sound of so many seconds, none before it was heard."""
        until = self._sent + round(16_000 * seconds)
        self.until(lambda: self._sent >= until, 'the sound')

    def until(self, condition, what: str) -> None:
        def heard():
            past_ns = self._probe.node.get_clock().now().nanoseconds - self._began_ns
            while (self._sent + self.CHUNK) * SECOND // 16_000 <= past_ns:
                self._sound.publish(msg.AudioChunk(
                    header=header(self._began_ns + self._sent * SECOND // 16_000, 'array'), sample_rate=16_000,
                    channels=1, encoding='s16le', data=array.array('B', bytes(2 * self.CHUNK)),
                ))
                self._sent += self.CHUNK
            return condition()

        self._probe.wait_for(heard, what, 60.0)

    def tell(self, voice: str, speaks: bool) -> None:
        self._humans.say(f'voices/{voice}/is_speaking', Bool(data=speaks), qos.STREAM)

    def understand(self, voice: str, text: str) -> None:
        """A text without a stamp, as recognisers give it that know no better."""
        self._humans.say(f'voices/{voice}/speech', self._hri.LiveSpeech(final=text, confidence=0.9), qos.EVIDENCE)

    def utterances(self) -> list[str]:
        return [u.id for u in self._utterances if u.state == msg.Utterance.ENDED]


@pytest.fixture
def robot(probe, humans, hri, bridge, start_node):
    """Our detector is told by the bridge whose voice is heard."""
    bridge(take_speech=True, take_is_speaking=True)
    start_node('audio_features', {'voice_activity': 'topic'})
    probe.wait_for_speaker(topics.DETECTED)
    humans.list('voices', 'v1', 'v2')
    return Robot(probe, humans, hri)


def test_words_that_come_with_the_end_of_the_speech_are_of_that_speech_whatever_comes_first(robot):
    robot.go_on(1.0)
    delays = [0.0, 0.0, 0.1, -0.1, 0.4, 0.0, -0.3, 0.8, 0.0]
    for number, delay in enumerate(delays):
        robot.tell('v1', True)
        robot.go_on(1.0)
        if delay < 0:
            robot.understand('v1', f'text {number}')
        robot.go_on(abs(delay) if delay < 0 else 0.0)
        if number % 2:
            robot.tell('v1', False)
            robot.go_on(max(delay, 0.0))
        if delay >= 0:
            robot.understand('v1', f'text {number}')
        if not number % 2:
            robot.go_on(max(delay, 0.0))
            robot.tell('v1', False)
        robot.until(lambda n=number: len(robot.utterances()) > n, f'utterance {number}')
        robot.until(lambda n=number: len(robot.transcripts) > n, f'the words of utterance {number}')
        robot.go_on(0.3)
    assert [(t.utterance_id, t.text) for t in robot.transcripts] == [
        (utterance_id, f'text {number}') for number, utterance_id in enumerate(robot.utterances())
    ]


def test_who_speaks_without_a_pause_after_somebody_else_has_an_utterance_and_words_of_their_own(robot):
    robot.go_on(0.5)
    robot.tell('v1', True)
    robot.go_on(0.8)
    robot.tell('v2', True)
    robot.go_on(0.2)
    robot.tell('v1', False)
    robot.go_on(0.3)
    robot.understand('v1', 'mine')
    robot.go_on(0.7)
    robot.understand('v2', 'yours')
    robot.tell('v2', False)
    robot.until(lambda: len(robot.transcripts) == len(robot.utterances()) == 2, 'the words of both')
    assert [(t.utterance_id, t.text) for t in robot.transcripts] == [
        *zip(robot.utterances(), ('mine', 'yours'), strict=True)
    ]


def test_words_of_a_voice_that_is_not_heard_join_no_utterance(robot):
    robot.go_on(0.5)
    robot.tell('v1', True)
    robot.go_on(0.5)
    robot.tell('v2', True)  # who began first is listened to
    robot.understand('v2', 'of somebody else')
    robot.go_on(0.3)
    robot.understand('v2', 'and again')
    robot.tell('v2', False)
    robot.tell('v1', False)
    robot.understand('v1', 'mine')
    robot.until(lambda: robot.transcripts, 'the words')
    robot.go_on(1.5)
    assert [t.text for t in robot.transcripts] == ['mine']


@pytest.mark.parametrize('topic', [topics.AUDIO, '/array/sound'])
def test_two_sources_of_sound_are_complained_of(probe, bridge, topic):
    node = bridge(take_audio=True, arguments=['-r', f'{topics.AUDIO}:={topic}'])
    probe.publisher(msg.AudioChunk, topic, qos.AUDIO)
    probe.wait_for(lambda: node.said('publishes it, too: start no microphone'), 'the complaint', 60.0)


@pytest.mark.parametrize('told, taken', [(0.75, 0.75), (0.0, 1.0), (7.0, 1.0), (float('nan'), 1.0), (0.1, 0.1)])
def test_a_recogniser_that_does_not_tell_its_confidence_is_not_doubted(told, taken):
    speech = SimpleNamespace(final='hello', header=header(START, ''), confidence=told)
    assert HriMessages.recognized_text(speech, START, 'v1').confidence == taken
