# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fusion node as a process: what it says for every subset of evidence, and that no message ends it."""
import array
import json
import shutil
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import KeyValue
from support.fusion import CAMERA, END, MICROPHONE, START, Fusion, audio, body, text

from smern_ros import msg
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.ros import topics
from smern_ros.ros.messages import features_to_message, header, to_ns, to_time, window_to_message
from smern_ros.spec import AUDIO, LABELS, SKELETON, TEXT
from smern_ros.values import SECOND, UtteranceInputs

pytestmark = pytest.mark.ros


@pytest.fixture
def fusion(probe, start_node):
    return Fusion(probe, start_node)


def test_three_modalities_give_a_provisional_and_then_the_offline_answer(fusion):
    fusion.announce(msg.Utterance.TENTATIVE)
    fusion.hear(audio())
    fusion.see(body('far', extent=0.1), body('near', extent=0.3))
    provisional = fusion.probe.wait_for(lambda: fusion.states and fusion.states[0], 'the provisional state')
    assert not provisional.is_final and list(provisional.modalities) == [AUDIO, SKELETON]
    fusion.read(text())
    fusion.announce(msg.Utterance.ENDED)
    state = fusion.final()

    expected = EmotionPredictor.load().predict(UtteranceInputs('u1', START, END, audio(), text(), body('near')))
    assert list(state.labels) == list(LABELS)
    assert list(state.modalities) == [AUDIO, TEXT, SKELETON]
    np.testing.assert_allclose(state.probabilities, expected.probabilities, atol=1e-5)
    np.testing.assert_allclose(state.modality_weights, expected.weights, atol=1e-5)
    np.testing.assert_allclose(np.reshape(state.modality_probabilities, (3, 4)), expected.alone, atol=1e-5)
    assert state.label == expected.label and state.confidence == pytest.approx(max(state.probabilities))
    assert state.person_id == 'near' and state.header.frame_id == CAMERA
    assert to_ns(state.header.stamp) == to_ns(state.window_end) == END and to_ns(state.window_start) == START
    assert list(state.modality_ages) == pytest.approx([0.0, 1.5, 0.0], abs=0.04)
    assert state.model == EmotionPredictor.load().id and not state.unfamiliar
    assert len([s for s in fusion.states if s.is_final]) == 1


@pytest.mark.parametrize('change, counted', [
    ({'confidence': 0.31}, 'doubtful transcripts'), ({'language': 'de'}, 'transcripts in other languages'),
])
def test_words_that_are_doubtful_or_of_another_language_are_no_evidence_and_are_counted(fusion, change, counted):
    fusion.announce(msg.Utterance.TENTATIVE)
    fusion.hear(audio())
    fusion.see(body())
    fusion.read(replace(text(), **change))
    fusion.announce(msg.Utterance.ENDED)
    assert list(fusion.final().modalities) == [AUDIO, SKELETON]
    told = KeyValue(key=counted, value='1')
    fusion.probe.wait_for(lambda: any(told in s.values for m in fusion.health for s in m.status), 'the count')


def test_movement_unlike_what_was_learnt_is_told_and_counted_and_no_state_comes_of_it_alone(
    probe, start_node, tmp_path
):
    shutil.copytree(checkpoint_folder(), tmp_path / 'wary')
    config = json.loads((tmp_path / 'wary' / 'config.json').read_text())
    config['posture'] = {'elbow': [1.0] + [0.0] * 9, 'arm': [1.0] + [0.0] * 27}  # unlike: all
    (tmp_path / 'wary' / 'config.json').write_text(json.dumps(config))
    fusion = Fusion(probe, start_node, {'checkpoint': str(tmp_path / 'wary'), 'text_timeout': 0.3})
    fusion.see(body('anna'), utterance_id='')  # between utterances
    fusion.see(body('anna'), utterance_id='alone')
    fusion.announce(msg.Utterance.ENDED, 'alone')
    fusion.hear(audio('heard'))
    fusion.see(body('anna'), utterance_id='heard')
    fusion.announce(msg.Utterance.ENDED, 'heard')
    state = fusion.final('heard')
    assert list(state.modalities) == [AUDIO] and list(state.unfamiliar) == [SKELETON]
    assert state.person_id == 'anna' and state.header.frame_id == CAMERA
    told = KeyValue(key='out-of-distribution skeleton windows', value='3')
    fusion.probe.wait_for(lambda: any(told in s.values for m in fusion.health for s in m.status), 'the count')
    assert {s.utterance_id for s in fusion.states} == {'heard'}
    assert 'utterance alone: no usable evidence' in fusion.node.output


def test_any_subset_of_modalities_gives_a_final_state(probe, start_node):
    fusion = Fusion(probe, start_node, {'text_timeout': 0.3, 'skeleton_timeout': 0.1})
    for given in [(AUDIO,), (TEXT,), (SKELETON,), (AUDIO, TEXT), (AUDIO, SKELETON), (TEXT, SKELETON)]:
        name = '+'.join(given)
        if AUDIO in given:
            fusion.hear(audio(name))
        if TEXT in given:
            fusion.read(text(utterance_id=name))
        if SKELETON in given:
            fusion.see(body(), utterance_id=name)
        fusion.announce(msg.Utterance.ENDED, name)
        state = fusion.final(name)
        assert tuple(state.modalities) == given
        assert sum(state.modality_weights) == pytest.approx(1.0, abs=1e-5)
        assert sum(state.probabilities) == pytest.approx(1.0, abs=1e-5)
        assert state.person_id == ('p1' if SKELETON in given else '')


def test_gesture_only_states_fill_the_silence_stop_while_somebody_speaks_and_return(fusion):
    fusion.see(body(), utterance_id='')
    state = fusion.probe.wait_for(lambda: fusion.states and fusion.states[-1], 'a gesture-only state')
    assert state.utterance_id == '' and not state.is_final and list(state.modalities) == [SKELETON]

    def speak_and_move():
        fusion.activity.publish(msg.VoiceActivity(header=header(END, MICROPHONE), is_speaking=True, probability=0.9))
        fusion.see(body(), utterance_id='')

    fusion.wait_until_heard(topics.IS_SPEAKING, speak_and_move)
    told = len(fusion.states)
    for _ in range(5):
        speak_and_move()
    fusion.probe.settle(0.3)
    assert len(fusion.states) == told
    # The detector falls silent without a word, as one that died; speech is not believed for ever.
    fusion.probe.wait_for(lambda: fusion.see(body(), utterance_id='') or len(fusion.states) > told, 'gestures again')


def test_an_end_taken_back_is_never_told_again(fusion):
    later = END + SECOND
    fusion.hear(audio())
    fusion.see(body())
    fusion.announce(msg.Utterance.TENTATIVE)
    fusion.probe.wait_for(lambda: fusion.states, 'the provisional state')
    fusion.wait_until_heard(topics.UTTERANCE, lambda: fusion.announce(msg.Utterance.RESUMED))
    # What was still being made for the void end comes late, and even its end is announced.
    fusion.read(text('half'))
    fusion.hear(audio())
    fusion.see(body())
    fusion.announce(msg.Utterance.ENDED)
    fusion.probe.settle(0.5)
    assert [to_ns(s.window_end) for s in fusion.states] == [END] and not fusion.states[0].is_final
    fusion.hear(audio(end=later))
    fusion.read(text(end=later))
    fusion.see(body(end=later), end=later)
    fusion.announce(msg.Utterance.ENDED, end=later)
    assert to_ns(fusion.final().window_end) == later


def test_evidence_without_an_utterance_gives_no_final_state_and_holds_up_no_other(fusion):
    fusion.hear(audio('never announced'))
    fusion.read(text(utterance_id='never announced'))
    for send, value in ((fusion.hear, audio), (fusion.read, text)):
        send(value(utterance_id='u2'))
    fusion.see(body(), utterance_id='u2')
    fusion.announce(msg.Utterance.ENDED, 'u2')
    assert list(fusion.final('u2').modalities) == [AUDIO, TEXT, SKELETON]
    assert {s.utterance_id for s in fusion.states if s.is_final} == {'u2'}


def test_utterances_that_never_end_are_given_up_and_counted(fusion):
    under_way = 16
    for k in range(under_way + 3):
        fusion.announce(msg.Utterance.TENTATIVE, f'endless {k}')

    def told(key):
        return {v.value for m in fusion.health[-1:] for s in m.status for v in s.values if v.key == key}

    fusion.probe.wait_for(lambda: told('dropped') == {'3'}, 'what was dropped, in diagnostics')
    assert told('errors') == {'3'} and "'endless 2' did not end" in told('last error').pop()


def test_a_clock_that_jumps_back_is_said_and_the_next_utterance_is_judged(fusion):
    fusion.see(body(), utterance_id='')
    fusion.probe.wait_for(lambda: fusion.states, 'a state before the jump')
    past = START - 500 * SECOND
    fusion.see(body(start=past, end=past + SECOND), utterance_id='', start=past, end=past + SECOND)
    fusion.probe.wait_for(lambda: fusion.node.said('jumped back by'), 'the jump to be said')
    for send, value in ((fusion.hear, audio), (fusion.read, text)):
        send(value(utterance_id='u2', start=past, end=past + SECOND))
    fusion.see(body(start=past, end=past + SECOND), utterance_id='u2', start=past, end=past + SECOND)
    fusion.announce(msg.Utterance.ENDED, 'u2', past, past + SECOND)
    assert list(fusion.final('u2').modalities) == [AUDIO, TEXT, SKELETON]


def spoilt_features(**changes):
    message = features_to_message(audio(), MICROPHONE)
    for field, value in changes.items():
        setattr(message, field, value)
    return message


def spoilt_window(**changes):
    message = window_to_message('u1', START, END, [body()], CAMERA)
    for field, value in changes.items():
        target = message.tracks[0] if field in ('positions', 'visible') else message
        setattr(target, field, value)
    return message


NAN = float('nan')
LONG = 'x' * 1_000
BAD = {
    'a long id of features': ('audio', lambda: spoilt_features(utterance_id=LONG), 'an utterance_id has 1000 char'),
    'an hour of MFCC': ('audio', lambda: spoilt_features(mfcc=array.array('f', bytes(4 * 39 * 360_000))),
                        "audio features of utterance 'u1' has 14040000 values; the maximum is 468078"),
    'an hour in a window': (
        'skeleton', lambda: spoilt_window(positions=array.array('f', bytes(4 * 30 * 108_000))),
        "positions of person 'p1' has 3240000 values; the maximum is 108060"),
    'a million flags': ('skeleton', lambda: spoilt_window(visible=[True] * 1_000_000), '1000000 visible flags'),
    'a crowd': ('skeleton', lambda: spoilt_window(tracks=[msg.SkeletonTrack(person_id='p')] * 51),
                'a skeleton window has 51 people; the maximum is 50'),
    'a long person_id': (
        'skeleton', lambda: spoilt_window(tracks=[msg.SkeletonTrack(person_id=LONG)]), 'a person_id has 1000 char'),
    'a window of an hour': ('skeleton', lambda: spoilt_window(end=to_time(START + 3600 * SECOND)),
                            "skeleton window of utterance 'u1' lasts 3600 s; the maximum is 120 s"),
    'a novel': ('text', lambda: msg.Transcript(
        utterance_id='u1', start=to_time(START), end=to_time(END), words=[msg.Word(text='a')] * 2_001),
        "transcript of utterance 'u1' has 2001 words; the maximum is 2000"),
    'one word of a novel': ('text', lambda: msg.Transcript(
        utterance_id='u1', start=to_time(START), end=to_time(END), words=[msg.Word(text='a' * 30_000)]),
        "transcript of utterance 'u1' has 30000 characters in its words"),
    'a long language': ('text', lambda: msg.Transcript(
        utterance_id='u1', start=to_time(START), end=to_time(END), language=LONG), 'the language of transcript'),
    'a long frame_id': (
        'utterances', lambda: msg.Utterance(id='u1', state=1, header=header(START, LONG)), 'header.frame_id has 1000'),
    'NaN in MFCC': ('audio', lambda: spoilt_features(mfcc=[NAN] * 39), 'holds 39 values that are NaN'),
    'half of what the speech encoder hears': ('audio', lambda: spoilt_features(speech=[0.0] * 384), '384 values'),
    'NaN in speech': ('audio', lambda: spoilt_features(speech=[NAN] * 768), 'holds 768 values that are NaN'),
    'half a frame': ('audio', lambda: spoilt_features(mfcc=[0.0] * 40), '40 values'),
    'other spec': ('audio', lambda: spoilt_features(spec='smern-features/99'), 'smern-features/99'),
    'no span': ('audio', lambda: spoilt_features(end=Time()), "audio features of utterance 'u1' lasts"),
    'no id': ('audio', lambda: spoilt_features(utterance_id=''), 'has an empty utterance_id'),
    '1 MB of text': ('text', lambda: msg.Transcript(
        utterance_id='u1', start=to_time(START), end=to_time(END), text='word ' * 200_000),
        "transcript of utterance 'u1' has 1000000 characters"),
    'infinite joint': (
        'skeleton', lambda: spoilt_window(positions=[float('inf')] * 30), 'holds 30 values that are NaN'),
    'flags missing': ('skeleton', lambda: spoilt_window(visible=[True]), 'visible flags'),
    'zero stamp': ('utterances', lambda: msg.Utterance(id='u1', state=1), 'header.stamp'),
    'no utterance id': (
        'utterances', lambda: msg.Utterance(header=header(START, ''), start=to_time(START), end=to_time(END), state=1),
        'an utterance has an empty id'),
    'end before start': (
        'utterances', lambda: msg.Utterance(
            id='u1', header=header(START, ''), start=to_time(END), end=to_time(START), state=1),
        "speech/utterance: utterance 'u1' lasts"),
    'a megabyte for a name': (
        'utterances', lambda: msg.Utterance(id='x' * 1_000_000, header=header(START, ''), state=9),
        'the id of an utterance has 1000000 characters; the maximum is 256'),
    'unknown state': ('utterances', lambda: msg.Utterance(id='u1', state=7, header=header(START, '')), 'state 7'),
}


def test_every_kind_of_bad_message_is_said_once_and_the_next_utterance_is_judged(fusion):
    for topic, make, _ in BAD.values():
        message = make()
        for _ in range(5):
            getattr(fusion, topic).publish(message)
    for name, (_, _, said) in BAD.items():
        fusion.probe.wait_for(lambda said=said: fusion.node.said(said), f'an error on {name}:\n{fusion.node.output}')
        assert fusion.node.output.count(said) == 1
    assert max(map(len, fusion.node.output.splitlines())) < 1_000
    fusion.hear(audio(utterance_id='u9'))
    fusion.read(text(utterance_id='u9'))
    fusion.see(body(), utterance_id='u9')
    fusion.announce(msg.Utterance.ENDED, 'u9')
    assert list(fusion.final('u9').modalities) == [AUDIO, TEXT, SKELETON]


BREAKS = textwrap.dedent("""
    import sys
    from smern_ros.nodes import fusion
    from smern_ros.emotion.session import Session

    fuse = Session.fuse

    def broken(self, evidence, start_ns, speaker=''):
        if start_ns == START:
            raise RuntimeError('the network broke')
        return fuse(self, evidence, start_ns, speaker)

    Session.fuse = broken  # a stand-in: no input is known that the network breaks of
    sys.exit(fusion.main())
""")


def test_an_utterance_that_cannot_be_judged_costs_no_other_its_state(probe, start_node, tmp_path):
    script = tmp_path / 'breaks.py'
    script.write_text(BREAKS.replace('START', str(START)))
    fusion = Fusion(probe, start_node, {'text_timeout': 60.0, 'skeleton_timeout': 10.0}, module=script)
    later = {'start': START + 3 * SECOND, 'end': END + 3 * SECOND}
    for name, span in (('u1', {}), ('u2', later)):
        fusion.hear(audio(name, **span))
        fusion.see(body(**span), utterance_id=name, **span)
        fusion.announce(msg.Utterance.ENDED, name, **span)
    fusion.read(text(utterance_id='u2', **later))
    probe.wait_for(lambda: [s for s in fusion.states if s.utterance_id == 'u2'], 'a provisional state of the second')
    fusion.read(text())  # now both are due at once, and the first breaks
    assert list(fusion.final('u2').modalities) == [AUDIO, TEXT, SKELETON]
    assert fusion.node.said('the network broke')


def test_without_the_weights_of_the_sentence_encoder_the_node_stops_and_names_the_command(
    start_node, tmp_path, monkeypatch
):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    node = start_node('fusion')
    assert node.wait() == 2
    assert 'smern assets fetch minilm-l6-int8' in node.output and 'Traceback' not in node.output


def test_a_checkpoint_that_is_missing_or_of_other_features_stops_the_node_with_advice(start_node, tmp_path):
    missing = start_node('fusion', {'checkpoint': str(tmp_path / 'nothing')})
    other = tmp_path / 'other'
    shutil.copytree(checkpoint_folder(), other)
    config = json.loads((other / 'config.json').read_text())
    config['spec']['filter_cutoff'] = 0.2
    (other / 'config.json').write_text(json.dumps(config))
    stale = start_node('fusion', {'checkpoint': str(other)})
    for node, said in ((missing, 'there is no such directory'), (stale, 'filter_cutoff: 0.2 instead of 0.1')):
        assert node.wait() == 2
        assert said in node.output and 'make checkpoint' in node.output
        assert 'Traceback' not in node.output
