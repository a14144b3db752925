# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fusion node normalises by person as a session over the same utterances does, and forgets when it is told to."""
from dataclasses import dataclass

import numpy as np
import pytest
from support.fusion import CAMERA, START, Fusion, audio, body, text
from support.lifecycle import Manager
from support.personal import personal_checkpoint

from smern_ros import msg, srv
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.session import Session
from smern_ros.ros import topics
from smern_ros.ros.messages import header
from smern_ros.values import SECOND, UtteranceInputs

pytestmark = pytest.mark.ros


@dataclass(frozen=True)
class Turn:
    """An utterance of somebody, 2 s long; `seed` is how it sounds and looks."""

    id: str
    person_id: str
    number: int
    seed: int

    @property
    def span(self) -> dict[str, int]:
        start = START + 5 * self.number * SECOND
        return {'start': start, 'end': start + 2 * SECOND}

    @property
    def audio(self):
        return audio(self.id, seed=self.seed, **self.span)

    @property
    def text(self):
        return text(utterance_id=self.id, **self.span)

    @property
    def body(self):
        return body(self.person_id, seed=self.seed, **self.span)

    @property
    def inputs(self) -> UtteranceInputs:
        return UtteranceInputs(self.id, *self.span.values(), self.audio, self.text, self.body)


TURNS = [Turn('u0', 'anna', 0, 3), Turn('u1', 'ben', 1, 4), Turn('u2', 'anna', 2, 5), Turn('u3', 'anna', 3, 5)]


@pytest.fixture
def checkpoint(tmp_path):
    return personal_checkpoint(tmp_path)


@pytest.fixture
def fusion(probe, start_node, checkpoint):
    return Fusion(probe, start_node, {'checkpoint': str(checkpoint), 'text_timeout': 10.0})


def tell(fusion, turn):
    """Its voice comes before the movement that shows whose it is."""
    fusion.announce(msg.Utterance.TENTATIVE, turn.id, **turn.span)
    fusion.hear(turn.audio)
    fusion.read(turn.text)
    fusion.see(turn.body, utterance_id=turn.id, **turn.span)
    fusion.announce(msg.Utterance.ENDED, turn.id, **turn.span)
    return fusion.final(turn.id)


def expected(checkpoint, turns) -> list[np.ndarray]:
    session = Session(EmotionPredictor.load(checkpoint))
    return [session.predict(turn.inputs).prediction.probabilities for turn in turns]


def test_people_who_speak_in_turn_are_judged_as_offline(fusion, checkpoint):
    told = [tell(fusion, turn) for turn in TURNS]
    assert [state.person_id for state in told] == [turn.person_id for turn in TURNS]
    for state, wanted in zip(told, expected(checkpoint, TURNS), strict=True):
        np.testing.assert_allclose(state.probabilities, wanted, atol=1e-5)
    # The same utterance again is judged by more that is known.
    assert np.abs(np.subtract(told[2].probabilities, told[3].probabilities)).max() > 1e-4


def test_an_end_taken_back_is_not_counted(fusion, checkpoint):
    first, second = TURNS[0], TURNS[2]
    half = {'start': first.span['start'], 'end': first.span['end'] - SECOND}
    fusion.announce(msg.Utterance.TENTATIVE, first.id, **half)
    fusion.hear(audio(first.id, seed=9, **half))
    fusion.see(body('anna', seed=9, **half), utterance_id=first.id, **half)
    fusion.probe.wait_for(lambda: fusion.states, 'the provisional state')
    fusion.announce(msg.Utterance.RESUMED, first.id, **half)
    told = [tell(fusion, first), tell(fusion, second)]
    for state, wanted in zip(told, expected(checkpoint, [first, second]), strict=True):
        np.testing.assert_allclose(state.probabilities, wanted, atol=1e-5)


@pytest.mark.faults
def test_words_that_come_late_put_no_utterance_before_another(fusion, checkpoint):
    first, second = TURNS[0], TURNS[2]
    for turn in (first, second):
        fusion.announce(msg.Utterance.ENDED, turn.id, **turn.span)
        fusion.hear(turn.audio)
        fusion.see(turn.body, utterance_id=turn.id, **turn.span)
    fusion.read(second.text)
    fusion.probe.wait_for(lambda: len(fusion.states) >= 2, 'two provisional states')
    fusion.read(first.text)
    told = [fusion.final(turn.id) for turn in (first, second)]
    assert [s.utterance_id for s in fusion.states if s.is_final] == [first.id, second.id]
    for state, wanted in zip(told, expected(checkpoint, [first, second]), strict=True):
        np.testing.assert_allclose(state.probabilities, wanted, atol=1e-5)


def test_who_is_forgotten_is_a_stranger_again_and_nobody_else_is(fusion, checkpoint):
    def forget(person_id):
        return fusion.probe.call(srv.ForgetPerson, topics.FORGET_PERSON, person_id=person_id)

    refused = forget('anna')
    assert not refused.success and "unknown person_id 'anna'" in refused.message
    strange = expected(checkpoint, TURNS[2:3])[0]
    tell(fusion, TURNS[0])
    assert forget('anna').success and not forget('anna').success
    np.testing.assert_allclose(tell(fusion, TURNS[2]).probabilities, strange, atol=1e-5)
    tell(fusion, TURNS[1])
    assert forget('').success
    assert not forget('ben').success
    np.testing.assert_allclose(tell(fusion, TURNS[3]).probabilities, strange, atol=1e-5)


@pytest.mark.faults
@pytest.mark.parametrize('active', [True, False], ids=['', 'told while it was not active'])
def test_whoever_has_the_id_of_somebody_before_a_restart_is_a_stranger(fusion, checkpoint, active):
    """pose_estimation, started again, counts from p1 again."""
    def nobody_is_here(stamp_ns):
        fusion.wait_until_heard(topics.PEOPLE, lambda: fusion.people.publish(
            msg.SkeletonArray(header=header(stamp_ns, CAMERA))))

    first = tell(fusion, TURNS[0])
    nobody_is_here(START)  # who has only left is not forgotten
    told = [tell(fusion, turn) for turn in TURNS[1:3]]
    for state, wanted in zip([first, *told], expected(checkpoint, TURNS[:3]), strict=True):
        np.testing.assert_allclose(state.probabilities, wanted, atol=1e-5)
    label = {'utterance_id': TURNS[2].id, 'label': 'sad'}
    assert fusion.probe.call(srv.LabelUtterance, topics.LABEL_UTTERANCE, **label).success
    if active:
        nobody_is_here(0)
    else:
        manager = Manager(fusion.probe, 'fusion')
        manager.deactivate()
        fusion.people.publish(msg.SkeletonArray(header=header(0, CAMERA)))
        manager.activate()
    strange = expected(checkpoint, TURNS[3:])[0]
    np.testing.assert_allclose(tell(fusion, TURNS[3]).probabilities, strange, atol=1e-5)
    refused = fusion.probe.call(srv.LabelUtterance, topics.LABEL_UTTERANCE, **label)
    assert not refused.success and 'not among the last' in refused.message
