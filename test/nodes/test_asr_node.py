# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""asr as the process it is: utterances in, words out, begun before the end is certain."""
import array
import math

import numpy as np
import pytest
import soundfile

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.weights]

from support.speech import START, sentence, utterance  # noqa: E402

from smern_ros import assets, msg  # noqa: E402
from smern_ros.ros import qos, topics  # noqa: E402
from smern_ros.ros.messages import to_ns, utterance_to_message  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402

TENTATIVE, ENDED, RESUMED = msg.Utterance.TENTATIVE, msg.Utterance.ENDED, msg.Utterance.RESUMED


@pytest.fixture(scope='module')
def spoken():
    try:
        assets.path('whisper-tiny.en')
        return {name: sentence(name) for name in ('0870', '0920', '0930')}
    except assets.MissingAsset as error:
        pytest.skip(str(error))


class Microphone:
    """What audio_features would publish, and the transcripts that come of it."""

    def __init__(self, probe) -> None:
        self._probe = probe
        self.transcripts = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
        self.publisher = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
        probe.wait_for_listener(self.publisher)
        probe.wait_for_speaker(topics.TRANSCRIPT)

    def say(self, samples, state, /, name='u1', start_ns=START, **changes):
        spoken = utterance(samples, name, start_ns)
        message = utterance_to_message(spoken, state, spoken.end_ns, 'microphone')
        for field, value in changes.items():
            setattr(message, field, value)
        self.publisher.publish(message)

    def heard(self, name='u1', *, final):
        return [t for t in self.transcripts if t.utterance_id == name and t.is_final == final]

    def wait_for(self, name='u1', *, final):
        return self._probe.wait_for(
            lambda: self.heard(name, final=final), f'a {"final" if final else "tentative"} transcript of {name}', 60
        )[0]


@pytest.fixture
def node(start_node, spoken):
    return start_node('asr')


@pytest.fixture
def microphone(probe, node):
    return Microphone(probe)


def test_words_are_there_before_the_end_is_certain_and_are_repeated_as_final(microphone, spoken):
    samples = spoken['0930'].samples
    microphone.say(samples, TENTATIVE)
    early = microphone.wait_for(final=False)
    microphone.say(samples, ENDED)
    final = microphone.wait_for(final=True)
    assert final.text == early.text == 'He might even have been made amiable himself.'
    assert final.header.frame_id == 'microphone'
    assert to_ns(final.header.stamp) == to_ns(final.end) == START + len(samples) * SECOND // 16_000
    assert to_ns(final.start) == START
    assert [w.text for w in final.words] == final.text.split()
    times = [t for w in final.words for t in (to_ns(w.start), to_ns(w.end))]
    assert times == sorted(times)
    assert times[0] >= START and times[-1] <= to_ns(final.end)
    assert 0.5 < final.confidence <= 1.0 and final.language == 'en'


def test_an_end_that_was_never_announced_is_transcribed_all_the_same(microphone, spoken):
    microphone.say(spoken['0930'].samples, ENDED, 'surprise')
    assert 'amiable' in microphone.wait_for('surprise', final=True).text
    assert not microphone.heard('surprise', final=False)


def test_what_was_begun_is_dropped_when_speech_goes_on(microphone, spoken):
    whole = spoken['0920'].samples
    half = whole[:len(whole) // 2]
    microphone.say(half, TENTATIVE)
    microphone.say(half, RESUMED, audio=array.array('f'))
    microphone.say(whole, TENTATIVE)
    microphone.say(whole, ENDED)
    final = microphone.wait_for(final=True)
    assert final.text.endswith('respectable than he was.')
    assert len(microphone.heard(final=True)) == 1


def test_an_end_that_moved_is_transcribed_anew(microphone, spoken):
    whole = spoken['0920'].samples
    microphone.say(whole[:len(whole) // 2], TENTATIVE)
    microphone.wait_for(final=False)
    microphone.say(whole, ENDED)
    assert microphone.wait_for(final=True).text.endswith('respectable than he was.')


@pytest.mark.faults
def test_no_ended_utterance_is_lost_in_a_burst(microphone, spoken):
    names = [f'burst{i}' for i in range(6)]
    for i, name in enumerate(names):
        microphone.say(spoken['0930'].samples, ENDED, name, START + 10 * i * SECOND)
    for name in names:
        assert 'amiable' in microphone.wait_for(name, final=True).text


def test_noise_gives_a_transcript_without_words(microphone):
    noise = np.random.default_rng(0).normal(0, 0.02, 32_000).astype(np.float32)
    microphone.say(noise, ENDED)
    final = microphone.wait_for(final=True)
    assert (final.text, list(final.words), final.confidence) == ('', [], 0.0)


BAD = {
    'NaN': ({'audio': array.array('f', [0.0, math.nan])}, 'NaN'),
    'no stamp': ({'header': msg.Utterance().header}, 'header.stamp'),
    'unknown state': ({'state': 7}, 'unknown state 7'),
    'endless': ({'audio': array.array('f', bytes(4 * 16_000 * 121))}, 'the maximum is 120 s'),
}


@pytest.mark.faults
@pytest.mark.parametrize('changes, said', BAD.values(), ids=BAD)
def test_a_bad_utterance_is_said_once_and_survived(probe, microphone, node, spoken, changes, said):
    samples = spoken['0930'].samples
    for _ in range(20):
        microphone.say(samples, ENDED, 'bad', **changes)
    probe.wait_for(lambda: node.said(said), f'{said!r} in: {node.output}')
    microphone.say(samples, ENDED, 'good')
    assert 'amiable' in microphone.wait_for('good', final=True).text
    assert node.output.count(said) == 1
    assert not microphone.heard('bad', final=True)


def test_missing_weights_stop_the_node_with_the_command_that_fetches_them(start_node, tmp_path, monkeypatch):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    node = start_node('asr')
    assert node.wait() == 2
    assert node.said('smern assets fetch whisper-tiny.en')


def test_a_model_that_cannot_serve_stops_the_node(start_node, spoken):
    node = start_node('asr', {'language': 'de'})
    assert node.wait() == 2
    assert node.said("only English, but language is 'de'")


def test_each_utterance_is_told_with_the_language_that_was_spoken(probe, start_node, spoken, shared_data):
    try:
        assets.path('whisper-base')
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    german, _ = soundfile.read(shared_data / 'emodb4/wav/03a01Wa.wav', dtype='float32')
    start_node('asr', {'model': 'whisper-base', 'language': 'auto'})
    microphone = Microphone(probe)
    microphone.say(german, ENDED, 'german')
    microphone.say(spoken['0930'].samples, ENDED, 'english')
    assert microphone.wait_for('german', final=True).language == 'de'
    assert microphone.wait_for('english', final=True).language == 'en'


def test_ctrl_c_while_it_transcribes_ends_it_cleanly(microphone, node, spoken):
    for i in range(5):
        microphone.say(spoken['0870'].samples, ENDED, f'u{i}')
    microphone.wait_for('u0', final=True)
    assert node.stop(timeout=3.0) == 0
