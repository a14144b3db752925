# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fusion node with a checkpoint that reads no movement: it waits for none, and says so."""
import pytest
from diagnostic_msgs.msg import KeyValue
from support.fusion import END, START, Fusion, audio, body, text

from smern_ros import msg
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.session import Session
from smern_ros.emotion.shipped_checkpoints import DEFAULT
from smern_ros.spec import AUDIO, TEXT
from smern_ros.values import UtteranceInputs

pytestmark = pytest.mark.ros

COMMERCIAL = f'{DEFAULT}-commercial'


@pytest.fixture
def fusion(probe, start_node):
    """It would wait for longer than any of the tests."""
    return Fusion(probe, start_node, {'checkpoint': COMMERCIAL, 'text_timeout': 60.0, 'skeleton_timeout': 10.0})


def test_states_come_of_voice_and_words_and_wait_for_no_movement(fusion):
    fusion.announce(msg.Utterance.TENTATIVE)
    fusion.hear(audio())
    provisional = fusion.probe.wait_for(lambda: fusion.states and fusion.states[0], 'the provisional state', 5.0)
    assert not provisional.is_final and list(provisional.modalities) == [AUDIO]
    fusion.read(text())
    fusion.announce(msg.Utterance.ENDED)
    state = fusion.final()
    expected = EmotionPredictor.load(COMMERCIAL).predict(UtteranceInputs('u1', START, END, audio(), text()))
    assert list(state.modalities) == [AUDIO, TEXT] and state.model == COMMERCIAL and state.person_id == ''
    assert list(state.probabilities) == pytest.approx(list(expected.probabilities), abs=1e-5)
    assert not fusion.node.said('timed out')


def test_it_tells_what_it_reads_in_one_line_and_in_the_diagnostics(fusion):
    told = KeyValue(key='modalities', value=f'{AUDIO}, {TEXT}')
    fusion.probe.wait_for(lambda: any(told in s.values for m in fusion.health for s in m.status), 'what it reads')
    assert fusion.node.output.count(f'loaded checkpoint {COMMERCIAL}: {AUDIO}, {TEXT}') == 1


def test_who_moves_is_who_speaks_and_is_judged_as_offline(fusion):
    session, inputs = Session(EmotionPredictor.load(COMMERCIAL)), []
    for name in ('u1', 'u2'):
        fusion.see(body('far', extent=0.1), body('near', extent=0.3), utterance_id=name)
        fusion.hear(audio(name))
        fusion.read(text(utterance_id=name))
        fusion.announce(msg.Utterance.ENDED, name)
        state = fusion.final(name)
        judged = session.predict(UtteranceInputs(name, START, END, audio(name), text(utterance_id=name), body('near')))
        assert state.person_id == judged.person_id == 'near' and list(state.modalities) == [AUDIO, TEXT]
        assert list(state.probabilities) == pytest.approx(list(judged.prediction.probabilities), abs=1e-5)
        inputs.append(list(state.probabilities))
    assert inputs[0] != pytest.approx(inputs[1], abs=1e-4), 'the voice is known by then'


def test_movement_alone_gives_no_state(fusion):
    for _ in range(5):
        fusion.see(body(), utterance_id='')
    fusion.see(body(), utterance_id='u1')
    fusion.announce(msg.Utterance.ENDED)
    fusion.hear(audio('u2', START + 1, END + 1))
    fusion.read(text(utterance_id='u2', start=START + 1, end=END + 1))
    fusion.announce(msg.Utterance.ENDED, 'u2', START + 1, END + 1)
    fusion.read(text('', utterance_id='u1'))
    fusion.hear(audio_of_silence('u1'))
    fusion.final('u2')
    assert {s.utterance_id for s in fusion.states} == {'u2'}
    assert fusion.node.said('utterance u1: no usable evidence')


def audio_of_silence(utterance_id):
    features = audio(utterance_id)
    features.prosody[:] = 0
    return features
