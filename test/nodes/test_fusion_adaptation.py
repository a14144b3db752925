# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Labels given to the fusion node: learnt in the background, taken back, saved when asked, and never fatal."""
import numpy as np
import pytest
import torch
from std_srvs.srv import Trigger
from support.fusion import START, Fusion, audio, body, text
from support.personal import personal_checkpoint

from smern_ros import msg, srv
from smern_ros.emotion import adaptation_file
from smern_ros.emotion.adaptation import Adaptation, Example
from smern_ros.emotion.people import EVERYBODY
from smern_ros.emotion.predictor import ADAPTED, EmotionPredictor
from smern_ros.models.person_statistics import NOBODY
from smern_ros.nodes.fusion import LABELLABLE
from smern_ros.ros import topics
from smern_ros.spec import AUDIO, LABELS
from smern_ros.values import SECOND

pytestmark = pytest.mark.ros
ANGRY = LABELS.index('angry')


class Teacher:
    """Somebody who says what was felt, and hears the same utterance judged again and again."""

    def __init__(self, probe, start_node, checkpoint, adaptation=''):
        self.fusion = Fusion(probe, start_node, {'checkpoint': str(checkpoint), 'adaptation': str(adaptation)})
        self.model = EmotionPredictor.load(checkpoint).id
        self.said = 0
        self.later = 0  # s that the next utterances come later than they would

    def judged(self, person_id='anna'):
        """The final state of the next utterance, which is as the one before; of nobody in view for an empty id."""
        name = f'u{self.said}'
        start = START + (5 * self.said + self.later) * SECOND
        span = {'start': start, 'end': start + 2 * SECOND}
        self.said += 1
        self.fusion.announce(msg.Utterance.ENDED, name, **span)
        self.fusion.hear(audio(name, **span))
        self.fusion.read(text(utterance_id=name, **span))
        self.fusion.see(*([body(person_id, **span)] if person_id else []), utterance_id=name, **span)
        return self.fusion.final(name)

    def judged_by(self, model, person_id='anna'):
        """The first final state that this model gives: learning takes its time."""
        found = []

        def told() -> bool:
            found.append(self.judged(person_id))
            return found[-1].model == model

        self.fusion.probe.wait_for(told, f'a state of {model}')
        return found[-1]

    def label(self, utterance_id, label):
        return self.fusion.probe.call(
            srv.LabelUtterance, topics.LABEL_UTTERANCE, utterance_id=utterance_id, label=label
        )

    def ask(self, name):
        return self.fusion.probe.call(Trigger, name)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """The same utterance is judged alike, however often it was heard, unless labels change that."""
    return personal_checkpoint(tmp_path_factory.mktemp('networks'), NOBODY)


@pytest.fixture
def teacher(probe, start_node, checkpoint):
    return Teacher(probe, start_node, checkpoint)


def test_a_label_changes_what_is_said_of_that_person_until_it_is_undone(teacher):
    before = teacher.judged()
    told = teacher.label(before.utterance_id, 'angry')
    assert told.success and 'adapting to anna' in told.message
    after = teacher.judged_by(teacher.model + ADAPTED)
    assert after.probabilities[ANGRY] > before.probabilities[ANGRY]
    other = teacher.judged('ben')
    assert other.model == teacher.model
    np.testing.assert_array_equal(other.probabilities, before.probabilities)

    undone = teacher.ask(topics.UNDO_ADAPTATION)
    assert undone.success and f'removed the label angry of {before.utterance_id}' in undone.message
    np.testing.assert_array_equal(teacher.judged_by(teacher.model).probabilities, before.probabilities)


def test_who_is_forgotten_is_judged_as_everybody(teacher):
    before = teacher.judged()
    teacher.label(before.utterance_id, 'angry')
    teacher.judged_by(teacher.model + ADAPTED)
    forgotten = teacher.fusion.probe.call(srv.ForgetPerson, topics.FORGET_PERSON, person_id='anna')
    assert forgotten.success
    np.testing.assert_array_equal(teacher.judged_by(teacher.model).probabilities, before.probabilities)
    assert not teacher.label(before.utterance_id, 'angry').success


def test_a_label_of_a_voice_without_a_body_holds_as_long_as_it_is_taken_for_the_same(
    probe, start_node, checkpoint, tmp_path
):
    teacher = Teacher(probe, start_node, checkpoint, tmp_path / 'learnt.safetensors')
    before = teacher.judged('')
    assert teacher.label(before.utterance_id, 'angry').success
    after = teacher.judged_by(teacher.model + ADAPTED, '')
    assert after.person_id == '' and after.probabilities[ANGRY] > before.probabilities[ANGRY]
    assert 'skipped 1 labels of voices without a body' in teacher.ask(topics.SAVE_ADAPTATION).message
    teacher.later += 60
    second = teacher.judged('')
    assert second.model == teacher.model
    np.testing.assert_array_equal(second.probabilities, before.probabilities)

    late = teacher.label(after.utterance_id, 'angry')
    assert not late.success and 'a voice without a body that has ended' in late.message
    assert teacher.label(second.utterance_id, 'angry').success
    teacher.judged_by(teacher.model + ADAPTED, '')
    teacher.later -= 15  # the clock jumps back
    assert teacher.judged('').model == teacher.model


def test_what_cannot_be_learnt_is_refused_with_the_reason_and_the_next_utterance_is_judged(teacher):
    known = teacher.judged().utterance_id
    for answer, why in (
        (teacher.label('never heard', 'angry'), "'never heard' is not among the last 64"),
        (teacher.label('', 'angry'), "'' is not among the last 64"),
        (teacher.label(known, 'bored'), "unknown label 'bored'"),
        (teacher.label(known, 'x' * 100_000), 'unknown label'),
        (teacher.ask(topics.UNDO_ADAPTATION), 'no label to undo'),
        (teacher.ask(topics.SAVE_ADAPTATION), 'parameter adaptation is empty'),
    ):
        assert not answer.success and why in answer.message and len(answer.message) < 1_000
    assert teacher.judged().model == teacher.model


def test_saved_when_asked_and_known_after_the_next_start(probe, start_node, checkpoint, tmp_path):
    file = tmp_path / 'learnt.safetensors'
    first = Teacher(probe, start_node, checkpoint, file)
    first.label(first.judged().utterance_id, 'angry')
    taught = first.judged_by(first.model + ADAPTED)
    assert not file.exists()
    saved = first.ask(topics.SAVE_ADAPTATION)
    assert saved.success and f'wrote 1 labelled utterances to {file}' in saved.message
    first.fusion.node.stop()

    second = Teacher(probe, start_node, checkpoint, file)
    again = second.judged()
    assert again.model == taught.model
    np.testing.assert_allclose(again.probabilities, taught.probabilities, atol=1e-6)


def test_what_was_learnt_for_everybody_from_recordings_serves_all_beside_labels_of_their_own(
    probe, start_node, checkpoint, tmp_path
):
    file = tmp_path / 'learnt.safetensors'
    networks = EmotionPredictor.load(checkpoint).checkpoint
    recorded = Adaptation(networks)
    recorded.add(EVERYBODY, Example('a recording', {AUDIO: torch.ones(networks.fusion.config.audio)}, 'angry'))
    adaptation_file.save(recorded, networks, file)

    teacher = Teacher(probe, start_node, checkpoint, file)
    for person_id in ('anna', 'ben'):
        assert teacher.judged(person_id).model == teacher.model + ADAPTED
    teacher.label(teacher.judged('anna').utterance_id, 'sad')
    assert '2 labelled utterances' in teacher.ask(topics.SAVE_ADAPTATION).message
    found = Adaptation(networks)
    adaptation_file.load(found, networks, file)
    assert set(found.people) == {EVERYBODY, 'anna'}
    teacher.fusion.probe.call(srv.ForgetPerson, topics.FORGET_PERSON, person_id=EVERYBODY)
    assert teacher.judged('ben').model == teacher.model
    assert teacher.judged_by(teacher.model + ADAPTED, 'anna')


def test_only_the_last_utterances_can_be_labelled_for_memory_is_bounded(teacher):
    names = [teacher.judged().utterance_id for _ in range(LABELLABLE + 1)]
    assert not teacher.label(names[0], 'angry').success
    assert teacher.label(names[1], 'angry').success


def test_a_damaged_file_stops_the_node_with_advice(start_node, tmp_path):
    file = tmp_path / 'learnt.safetensors'
    file.write_bytes(b'nothing of the kind')
    node = start_node('fusion', {'adaptation': str(file)})
    assert node.wait() == 2
    assert f'cannot use adaptation file {file}' in node.output and 'Traceback' not in node.output
