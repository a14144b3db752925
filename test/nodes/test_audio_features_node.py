# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The audio_features node through real DDS: real speech in, utterances and their features out."""
import array

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool
from support.lifecycle import Manager

from smern_ros import assets, msg
from smern_ros.audio.channels import Downmix
from smern_ros.audio.features import extract
from smern_ros.audio.stream import Activity, Boundary, SpeechStream
from smern_ros.ros import qos, topics
from smern_ros.ros.diagnostics import is_active
from smern_ros.ros.messages import features_from_message, header, to_ns, to_time, utterance_from_message
from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.values import SECOND

pytestmark = pytest.mark.ros
RATE = SPEC.sample_rate
START = 5 * SECOND
"""Of simulated time: far from the wall clock's."""


@pytest.fixture(scope='module')
def talk(shared_data):
    """Two utterances with silence before, between and after."""
    import soundfile

    wav = shared_data / 'emodb4' / 'wav'
    pause = np.zeros(RATE, np.float32)
    parts = [soundfile.read(wav / f'{name}.wav', dtype='float32')[0] for name in ('03a01Wa', '10a01Nb')]
    return np.concatenate([pause, parts[0], pause, parts[1], pause])


@pytest.fixture(scope='module')
def expected(talk):
    """What the core finds in it."""
    stream = SpeechStream()
    return stream.push(talk, RATE, START) + stream.flush()


class Listener:
    """The node as a process on simulated time, a microphone before it, and all that it says."""

    def __init__(self, probe, start_node, parameters=None, robot=None):
        self.probe = probe
        self.node = start_node('audio_features', {'use_sim_time': True, **(parameters or {})})
        self.microphone = probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
        self.robot = robot or probe.publisher(Bool, topics.ROBOT_SPEAKING, qos.EVIDENCE)
        self.clock = probe.publisher(Clock, '/clock', qos.EVIDENCE)
        self.activity = probe.collect(msg.VoiceActivity, topics.IS_SPEAKING, qos.AUDIO)
        self.utterances = probe.collect(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
        self.features = probe.collect(msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE)
        probe.wait_for_speaker(topics.IS_SPEAKING, topics.UTTERANCE, topics.AUDIO_FEATURES)
        probe.wait_for_listener(self.microphone, self.robot)
        self.health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        probe.wait_for(lambda: any(is_active(r.status[0]) for r in self.health), 'an active node')

    def hear(self, samples, first=0, **fields):
        """Publish a chunk whose first sample is that of the recording."""
        data = array.array('B', np.ascontiguousarray(samples).tobytes())
        chunk = {'sample_rate': RATE, 'channels': 1, 'encoding': msg.AudioChunk.F32LE, 'data': data}
        chunk['header'] = header(START + first * SECOND // RATE, 'microphone')
        self.microphone.publish(msg.AudioChunk(**{**chunk, **fields}))

    def hear_all(self, samples, sizes):
        """Publish a recording in chunks of these sizes, in turn."""
        first = 0
        while first < len(samples):
            size = next(sizes)
            self.hear(samples[first : first + size], first)
            first += size

    def wait_for_health(self, holds, what):
        """Until a new report of the node's own satisfies `holds(report, its values by name)`."""
        self.health.clear()
        self.probe.wait_for(
            lambda: any(holds(r, {v.key: v.value for v in r.status[0].values}) for r in self.health), what
        )

    def wait_for_the_end(self, count):
        def ended():
            return [u for u in self.utterances if u.state == msg.Utterance.ENDED]

        self.probe.wait_for(lambda: len(ended()) >= count, f'{count} utterances; it said {self.node.output}')
        return ended()


@pytest.fixture(scope='module')
def speech_encoder():
    try:
        return SpeechEncoder()
    except assets.MissingAsset as error:
        pytest.skip(str(error))


@pytest.fixture
def listener(probe, start_node):
    return Listener(probe, start_node)


def test_odd_chunks_give_the_very_utterances_and_features_of_the_core(listener, talk, expected):
    generator = np.random.default_rng(0)
    listener.hear_all(talk, iter(lambda: int(generator.integers(1, 2000)), None))
    announced = [e for e in expected if isinstance(e, Boundary)]
    listener.probe.wait_for(lambda: len(listener.utterances) == len(announced), 'all boundaries')
    listener.wait_for_the_end(2)
    for heard, event in zip(listener.utterances, announced, strict=True):
        assert (heard.id, heard.state) == (event.utterance.id, event.state)
        assert to_ns(heard.start) == to_ns(heard.header.stamp) == event.utterance.start_ns
        assert to_ns(heard.end) == event.utterance.end_ns
        assert to_ns(heard.last_voiced) == event.last_voiced_ns
        assert heard.header.frame_id == 'microphone'
        if heard.state != msg.Utterance.RESUMED:
            np.testing.assert_array_equal(utterance_from_message(heard).samples, event.utterance.samples)

    tentative = [e.utterance for e in announced if e.state == msg.Utterance.TENTATIVE]
    listener.probe.wait_for(lambda: len(listener.features) >= len(tentative), 'features of each announced end')
    listener.probe.settle(0.5)
    assert len(listener.features) == len(tentative), 'not published again when an end is final'
    for heard, utterance in zip(listener.features, tentative, strict=True):
        features, reference = features_from_message(heard), extract(utterance)
        assert (features.utterance_id, features.start_ns, features.end_ns) == (
            utterance.id, utterance.start_ns, utterance.end_ns
        )
        assert to_ns(heard.header.stamp) == utterance.end_ns
        np.testing.assert_allclose(features.mfcc, reference.mfcc, atol=1e-4)
        np.testing.assert_allclose(features.prosody, reference.prosody, atol=1e-4)

    frames = {e.stamp_ns: e for e in expected if isinstance(e, Activity)}
    heard = {to_ns(a.header.stamp): a.is_speaking for a in listener.activity}
    assert heard and all(frames[stamp_ns].is_speaking == speaking for stamp_ns, speaking in heard.items())
    assert [t for t, frame in frames.items() if frame.is_speaking] == [t for t, speaking in heard.items() if speaking]


@pytest.mark.weights
def test_features_hold_what_the_speech_encoder_hears(listener, talk, expected, speech_encoder):
    listener.wait_for_health(lambda _, values: values.get('model', '').endswith(', whisper-tiny.en'), 'the model')
    listener.hear_all(talk, iter(lambda: 1600, None))
    tentative = [e.utterance for e in expected if isinstance(e, Boundary) and e.state == msg.Utterance.TENTATIVE]
    listener.probe.wait_for(lambda: len(listener.features) >= len(tentative), 'features of each announced end')
    for heard, utterance in zip(map(features_from_message, listener.features), tentative, strict=True):
        assert heard.speech.shape == (768,)
        np.testing.assert_allclose(heard.speech, extract(utterance, speech_encoder).speech, rtol=0, atol=1e-4)


@pytest.mark.parametrize('parameters, said', [({}, True), ({'speech_encoder': False}, False)])
def test_without_its_weights_or_unwanted_there_is_no_speech_encoder(
    probe, start_node, talk, expected, tmp_path, monkeypatch, parameters, said
):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    listener = Listener(probe, start_node, parameters)
    listener.hear_all(talk, iter(lambda: 1600, None))
    tentative = [e.utterance for e in expected if isinstance(e, Boundary) and e.state == msg.Utterance.TENTATIVE]
    probe.wait_for(lambda: len(listener.features) >= len(tentative), 'features of each announced end')
    for heard, utterance in zip(map(features_from_message, listener.features), tentative, strict=True):
        assert heard.speech is None
        np.testing.assert_allclose(heard.mfcc, extract(utterance).mfcc, atol=1e-4)
    listener.wait_for_health(
        lambda report, _: (report.status[0].level == DiagnosticStatus.WARN) == said
        and ('smern assets fetch whisper-tiny.en' in report.status[0].message) == said, 'the warning, or none',
    )
    listener.probe.settle(2.0)
    assert listener.node.output.count('smern assets fetch whisper-tiny.en') == said
    assert 'Traceback' not in listener.node.output


def test_channels_that_cancel_each_other_are_heard_as_the_core_hears_them_and_it_is_told(listener, talk, expected):
    both, stream = np.stack([talk, -talk], axis=1), SpeechStream()
    events = stream.push(Downmix().push(both, RATE), RATE, START) + stream.flush()
    for first in range(0, len(both), 700):
        listener.hear(both[first:first + 700], first, channels=2)
    alone, ended = (
        [e.utterance for e in found if isinstance(e, Boundary) and e.state == msg.Utterance.ENDED]
        for found in (expected, events)
    )
    for heard, core, voice in zip(listener.wait_for_the_end(len(alone)), ended, alone, strict=True):
        assert (heard.id, to_ns(heard.end)) == (core.id, core.end_ns) == (voice.id, voice.end_ns)
        np.testing.assert_array_equal(utterance_from_message(heard).samples, core.samples)
    listener.wait_for_health(lambda _, values: values.get('channel', '').startswith('0: '), 'the channel')
    assert 'using channel 0' in listener.node.output


def test_bad_sound_is_said_once_and_loses_no_word(listener, talk, expected):
    wrong = [
        {'encoding': 'mp3'},
        {'data': array.array('B', b'')},
        {'data': array.array('B', b'123')},
        {'channels': 0},
        {'channels': 200},
        {'sample_rate': 0},
        {'sample_rate': 4_000_000_000},
        {'data': array.array('B', np.array([np.nan], '<f4').tobytes())},
        {'header': header(0, 'microphone')},
        {'header': header(START, 'm' * 1000)},
        {'data': array.array('B', bytes(4 * 11 * RATE))},
    ]
    for i, part in enumerate(np.split(talk, range(1600, len(talk), 1600))):
        for fields in wrong if i % 4 == 0 else ():
            listener.hear(part, i * 1600, **fields)
        listener.hear(part, i * 1600)
    ended = listener.wait_for_the_end(2)
    reference = [e.utterance for e in expected if isinstance(e, Boundary) and e.state == msg.Utterance.ENDED]
    assert [u.id for u in ended] == [u.id for u in reference]
    kinds = ("unknown encoding 'mp3'", 'is empty', '3 bytes', ' channels; expected', ' Hz; expected', 'nan',
             'header.stamp',
             'header.frame_id has 1000 characters', '11 s of audio in one message')
    listener.probe.wait_for(lambda: all(map(listener.node.said, kinds)), 'what was wrong')
    for kind in kinds:
        assert 1 <= listener.node.output.count(kind) <= 3, f'{kind}: said once, and seldom again'
    assert 'Traceback' not in listener.node.output
    assert listener.node.stop() == 0


def test_stamps_that_go_back_begin_a_new_stream_and_are_said(listener, talk, expected):
    reference = [e.utterance for e in expected if isinstance(e, Boundary) and e.state == msg.Utterance.ENDED]
    whole = iter(lambda: 1600, None)
    listener.hear_all(talk, whole)
    listener.hear_all(talk, whole)
    ended = listener.wait_for_the_end(4)
    assert [u.id for u in ended] == 2 * [u.id for u in reference]
    listener.probe.wait_for(lambda: listener.node.said('time jumped back'), 'the complaint')


def test_it_does_not_listen_while_the_robot_speaks(listener, talk, expected):
    first, second = [e.utterance for e in expected if isinstance(e, Boundary) and e.state == msg.Utterance.ENDED]

    def robot_speaks(on, at_ns):
        listener.clock.publish(Clock(clock=to_time(at_ns)))
        listener.wait_for_health(lambda report, _: to_ns(report.header.stamp) == at_ns, 'the node to know the time')
        listener.robot.publish(Bool(data=on))
        listener.wait_for_health(
            lambda _, values: values.get('in robot_speaking [Hz]', '0.0') != '0.0', 'the node to hear of the robot'
        )

    robot_speaks(True, START + SECOND // 2)
    robot_speaks(False, first.end_ns)
    listener.hear_all(talk, iter(lambda: 1600, None))
    (ended,) = listener.wait_for_the_end(1)
    assert ended.id == second.id
    muted = [a for a in listener.activity if a.muted]
    assert to_ns(muted[0].header.stamp) - START == pytest.approx(SECOND // 2, abs=40_000_000)
    assert to_ns(muted[-1].header.stamp) == pytest.approx(first.end_ns + SECOND // 5, abs=40_000_000)
    assert not any(a.is_speaking for a in muted)


def test_it_listens_again_when_who_said_that_the_robot_speaks_is_gone(listener, talk, expected):
    heard = [e.utterance.id for e in expected if isinstance(e, Boundary) and e.state == msg.Utterance.ENDED]
    listener.robot.publish(Bool(data=True))
    listener.wait_for_health(lambda _, values: values.get('in robot_speaking [Hz]', '0.0') != '0.0', 'it to be heard')
    listener.probe.node.destroy_publisher(listener.robot)
    listener.probe.wait_for(lambda: listener.node.said('no publisher; unmuting'), 'the reason')
    listener.hear_all(talk, iter(lambda: 1600, None))
    assert [ended.id for ended in listener.wait_for_the_end(2)] == heard


def test_a_robot_that_is_said_to_speak_for_ever_is_warned_of(probe, start_node, tmp_path):
    script = tmp_path / 'soon.py'
    script.write_text('import sys\nfrom smern_ros.nodes import audio_features\n'
                      'audio_features.MUTED_WARNING_AFTER = 1.0  # in place of a minute\n'
                      'sys.exit(audio_features.main())\n')
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    robot = probe.publisher(Bool, '/say/busy', qos.EVIDENCE)
    node = start_node(script, arguments=['-r', f'{topics.ROBOT_SPEAKING}:=/say/busy'])
    probe.wait_for_listener(robot)
    probe.wait_for(lambda: health and health[-1].status[0].message == 'active', 'the node', 60.0)
    robot.publish(Bool(data=True))
    robot.publish(Bool(data=True))  # said again, it is still the same
    probe.wait_for(lambda: '/say/busy has been true for' in health[-1].status[0].message, 'the warning')
    assert health[-1].status[0].level == DiagnosticStatus.WARN
    probe.wait_for(lambda: node.said('publish false when the robot stops speaking'), 'what to do')
    robot.publish(Bool(data=False))
    probe.wait_for(lambda: health[-1].status[0].message == 'active', 'the end of the warning')
    assert '[ERROR]' not in node.output


def test_that_the_robot_speaks_is_heard_by_a_node_that_starts_meanwhile(probe, start_node, talk):
    robot = probe.publisher(Bool, topics.ROBOT_SPEAKING, qos.LATCHED)
    robot.publish(Bool(data=True))
    listener = Listener(probe, start_node, robot=robot)
    probe.wait_for(lambda: any(float(v.value) for r in listener.health for v in r.status[0].values
                               if v.key == 'in robot_speaking [Hz]'), 'it to be heard')
    listener.hear_all(talk, iter(lambda: 1600, None))
    end_ns = START + (len(talk) - RATE) * SECOND // RATE
    probe.wait_for(lambda: listener.activity and to_ns(listener.activity[-1].header.stamp) > end_ns, 'the end')
    assert all(a.muted for a in listener.activity) and not listener.utterances


def test_what_the_robot_said_last_holds_for_a_node_that_was_not_active(listener, talk, expected):
    heard = [e.utterance.id for e in expected if isinstance(e, Boundary) and e.state == msg.Utterance.ENDED]
    manager = Manager(listener.probe, 'audio_features')
    for speaks in (True, False):
        listener.robot.publish(Bool(data=speaks))
        listener.wait_for_health(
            lambda _, values: values.get('in robot_speaking [Hz]', '0.0') != '0.0', 'the node to hear of the robot'
        )
        if speaks:
            manager.deactivate()
    manager.activate()
    listener.hear_all(talk, iter(lambda: 1600, None))
    assert [ended.id for ended in listener.wait_for_the_end(2)] == heard


def test_a_microphone_that_falls_silent_leaves_no_utterance_open(probe, start_node, talk, expected):
    listener = Listener(probe, start_node, {'audio_timeout': 0.5})
    first = next(e.utterance for e in expected if isinstance(e, Boundary))
    middle = ((first.start_ns + first.end_ns) // 2 - START) * RATE // SECOND
    listener.hear_all(talk[:middle], iter(lambda: 1600, None))
    (ended,) = listener.wait_for_the_end(1)
    assert ended.id == first.id
    assert to_ns(ended.end) <= START + middle * SECOND // RATE
    probe.wait_for(lambda: listener.node.said('during an utterance; ending it'), 'the reason')


def test_settings_that_contradict_each_other_stop_the_node(start_node):
    node = start_node('audio_features', {'tentative_silence': 1.0, 'end_silence': 0.5})
    assert node.wait() == 2
    assert 'tentative_silence' in node.output
    assert 'Traceback' not in node.output
