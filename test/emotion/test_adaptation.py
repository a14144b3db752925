# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Labels teach one person's network and nobody else's, in any order, and leave no trace when they are taken back."""
import dataclasses

import numpy as np
import pytest
import torch

from smern_ros.emotion import adaptation_file
from smern_ros.emotion.adaptation import Adaptation, AdaptationSettings, Example, fit
from smern_ros.emotion.adaptation_file import AdaptationError
from smern_ros.emotion.people import ABSENT, EVERYBODY, PeopleRegistry
from smern_ros.emotion.predictor import ADAPTED, EmotionPredictor
from smern_ros.models.voice import Voice
from smern_ros.spec import AUDIO, LABELS, SKELETON, TEXT

ANGRY = np.eye(4)[LABELS.index('angry')]
SIZES = {AUDIO: Voice.Config().out, TEXT: 200, SKELETON: 256}


@pytest.fixture(scope='module')
def predictor():
    return EmotionPredictor.load()


def vectors(seed=0, modalities=(AUDIO, TEXT, SKELETON)) -> dict[str, torch.Tensor]:
    """Of one way to feel, each time a little different: what the encoders gave is never below zero."""
    way, this = np.random.default_rng(1), np.random.default_rng(seed)
    return {m: torch.tensor(np.abs(way.normal(size=size) + 0.3 * this.normal(size=size)), dtype=torch.float32)
            for m, size in SIZES.items() if m in modalities}


def example(seed, label='angry', **kwargs) -> Example:
    return Example(f'u{seed}', vectors(seed, **kwargs), label)


def taught(predictor, labels, settings=AdaptationSettings(), person_id='anna') -> Adaptation:
    adaptation = Adaptation(predictor.checkpoint, settings)
    for labelled in labels:
        adaptation.add(person_id, labelled)
    adaptation.refit(person_id)
    return adaptation


def angry(predictor, adaptation, person_id='anna', seed=99, **kwargs) -> float:
    network = adaptation.network(person_id)
    return float(predictor.fuse(vectors(seed, **kwargs), network).probabilities @ ANGRY)


def test_each_label_makes_the_emotion_more_probable_when_it_comes_again(predictor):
    probable = [angry(predictor, taught(predictor, [example(k) for k in range(n)])) for n in (0, 1, 5, 20, 60)]
    assert probable == sorted(probable) and probable[-1] > probable[0] + 0.1


def test_the_network_of_everybody_stays_as_it_was(predictor):
    before = {key: value.clone() for key, value in predictor.checkpoint.fusion.state_dict().items()}
    adaptation = taught(predictor, [example(k) for k in range(5)])
    assert all(torch.equal(value, before[key]) for key, value in predictor.checkpoint.fusion.state_dict().items())
    assert adaptation.network('ben') is None
    assert predictor.fuse(vectors(), adaptation.network('anna')).model == predictor.id + ADAPTED
    assert predictor.fuse(vectors()).model == predictor.id


def test_an_emotion_labelled_once_counts_as_much_as_one_labelled_often(predictor):
    often = [example(k, 'sad') for k in range(8)]
    rare = Example('rare', vectors(1000, modalities=(TEXT,)), 'happy')

    def happy(labels):
        said = predictor.fuse(rare.vectors, fit(predictor.checkpoint, labels))
        return float(said.probabilities[LABELS.index('happy')])

    assert happy([*often, rare]) > happy(often) + 0.05


def test_what_is_learnt_for_everybody_serves_all_and_counts_beside_labels_of_their_own(predictor):
    adaptation = taught(predictor, [example(0)], person_id=EVERYBODY)
    shared = adaptation.network('ben')
    assert shared is not None and shared is adaptation.network(EVERYBODY)
    adaptation.add('ben', example(1, 'sad'))
    adaptation.refit('ben')
    both = fit(predictor.checkpoint, [example(0), example(1, 'sad')])
    assert torch.equal(adaptation.network('ben').weight, both.weight)
    assert adaptation.network('anna') is shared


def test_everybody_is_forgotten_by_all_and_pushed_out_by_nobody(predictor):
    adaptation = taught(predictor, [example(0)], AdaptationSettings(people=1), person_id=EVERYBODY)
    for person_id in ('anna', 'ben'):
        adaptation.add(person_id, example(1, 'sad'))
        adaptation.refit(person_id)
    assert adaptation.people == (EVERYBODY, 'ben')
    assert adaptation.forget(EVERYBODY) and adaptation.network('ben') is None
    adaptation.refit('ben')
    assert torch.equal(adaptation.network('ben').bias, fit(predictor.checkpoint, [example(1, 'sad')]).bias)


def test_a_hundred_labels_take_a_tenth_of_a_megabyte_beside_the_network_of_everybody(predictor):
    network = taught(predictor, [example(k) for k in range(100)]).network('anna')
    assert network.shared is predictor.checkpoint.fusion
    own = [network.weight, network.bias, *network.scaling.centres, *network.scaling.scales]
    assert sum(tensor.numel() * tensor.element_size() for tensor in own) < 1e5


def test_the_order_of_labels_does_not_matter(predictor):
    labels = [example(0), example(1, 'happy'), example(2, 'sad', modalities=(AUDIO,)), example(3)]
    there, back = (taught(predictor, order).network('anna') for order in (labels, labels[::-1]))
    torch.testing.assert_close(there.weight, back.weight, atol=1e-3, rtol=0)


def test_the_same_labels_give_the_same_network_bit_by_bit(predictor):
    first, second = (taught(predictor, [example(k) for k in range(3)]).network('anna') for _ in range(2))
    assert torch.equal(first.weight, second.weight)


def test_what_is_undone_leaves_no_trace(predictor):
    once = taught(predictor, [example(0), example(1, 'sad')])
    adaptation = taught(predictor, [example(0), example(1, 'sad'), example(2)])
    adaptation.add('anna', example(0, 'happy'))  # replaces the first
    for _ in range(2):
        adaptation.refit(adaptation.undo()[0])
    assert torch.equal(adaptation.network('anna').weight, once.network('anna').weight)
    for _ in range(2):
        adaptation.refit(adaptation.undo()[0])
    assert adaptation.network('anna') is None and adaptation.people == ()
    with pytest.raises(ValueError, match='no label to undo'):
        adaptation.undo()


def test_another_label_for_the_same_utterance_replaces_the_first(predictor):
    adaptation = taught(predictor, [example(0, 'sad'), example(0, 'angry')])
    assert [e.label for e in adaptation.examples('anna')] == ['angry']


def test_a_missing_modality_is_learnt_from_and_judged_without(predictor):
    heard = {'modalities': (AUDIO,)}
    adaptation = taught(predictor, [example(k, **heard) for k in range(5)])
    assert angry(predictor, adaptation, **heard) > angry(predictor, Adaptation(predictor.checkpoint), **heard)


def test_memory_is_bounded_in_examples_and_people(predictor):
    settings = AdaptationSettings(examples=3, people=2)
    adaptation = taught(predictor, [example(k) for k in range(5)], settings)
    assert [e.utterance_id for e in adaptation.examples('anna')] == ['u2', 'u3', 'u4']
    for person_id in ('ben', 'carl'):
        adaptation.add(person_id, example(0))
    assert adaptation.people == ('ben', 'carl') and adaptation.network('anna') is None


def test_a_voice_that_will_never_be_known_again_gives_way_before_a_person_does(predictor):
    adaptation, people = Adaptation(predictor.checkpoint, AdaptationSettings(people=2)), PeopleRegistry()
    strangers = []
    for start_ns in (0, 10**12):
        strangers.append(people.identity(ABSENT, start_ns))
        people.update(ABSENT, None, start_ns, start_ns)
    for person_id in ('anna', *strangers):
        adaptation.add(person_id, example(0))
    assert adaptation.people == ('anna', strangers[1])


def test_what_is_held_fast_hardly_moves(predictor):
    moved = [
        fit(predictor.checkpoint, [example(0), example(1, 'sad')], AdaptationSettings(anchor=anchor))
        .weight.norm()
        .item()
        for anchor in (0.1, 1.0, 1e4)
    ]
    assert moved == sorted(moved, reverse=True) and 0 < moved[-1] < 1e-2


def test_a_fit_that_was_overtaken_by_a_label_or_by_forgetting_is_dropped(predictor, monkeypatch):
    adaptation = taught(predictor, [example(0)])

    def overtaken(*args):
        adaptation.forget('anna')
        return fit(*args)

    monkeypatch.setattr('smern_ros.emotion.adaptation.fit', overtaken)
    adaptation.refit('anna')
    assert adaptation.network('anna') is None


def test_who_is_forgotten_has_no_label_to_take_back(predictor):
    adaptation = taught(predictor, [example(0)])
    adaptation.add('ben', example(1))
    assert adaptation.forget('anna') and not adaptation.forget('anna')
    assert adaptation.undo()[0] == 'ben'
    with pytest.raises(ValueError, match='no label to undo'):
        adaptation.undo()


@pytest.mark.parametrize(('wrong', 'why'), [
    (example(0, 'bored'), "unknown label 'bored'; expected one of " + LABELS[0]),
    (Example('u0', {}, 'angry'), 'has no vectors to learn from'),
])
def test_a_label_that_cannot_be_learnt_is_refused(predictor, wrong, why):
    adaptation = Adaptation(predictor.checkpoint)
    with pytest.raises(ValueError, match=why):
        adaptation.add('anna', wrong)
    assert adaptation.people == ()


@pytest.mark.parametrize('name', ['anchor', 'steps', 'examples', 'people', 'undos'])
def test_a_number_that_is_not_above_zero_is_refused(name):
    with pytest.raises(ValueError, match=f'{name} is 0'):
        AdaptationSettings(**{name: 0})


# --- on disk --------------------------------------------------------------------------------------------------------

def test_what_was_saved_is_learnt_again(predictor, tmp_path):
    adaptation = taught(predictor, [example(0), example(1, 'sad', modalities=(TEXT,))])
    path = tmp_path / 'new' / 'anna.safetensors'
    assert adaptation_file.save(adaptation, predictor.checkpoint, path) == 2
    found = Adaptation(predictor.checkpoint)
    adaptation_file.load(found, predictor.checkpoint, path)
    assert torch.equal(found.network('anna').weight, adaptation.network('anna').weight)
    assert [file.name for file in path.parent.iterdir()] == ['anna.safetensors']
    with pytest.raises(ValueError, match='no label to undo'):
        found.undo()  # in that file is what was certain enough to be kept


def test_labels_of_voices_without_a_body_are_neither_saved_nor_read(predictor, tmp_path):
    path = tmp_path / 'saved.safetensors'
    adaptation = taught(predictor, [example(0)], person_id=EVERYBODY)
    stranger = PeopleRegistry().identity(ABSENT, 0)
    for number, person_id in enumerate((stranger, stranger, ABSENT, 'anna'), start=1):
        adaptation.add(person_id, example(number, 'sad'))
    assert adaptation_file.save(adaptation, predictor.checkpoint, path) == 2
    found = Adaptation(predictor.checkpoint)
    assert adaptation_file.load(found, predictor.checkpoint, path) == 0
    assert found.people == (EVERYBODY, 'anna')

    path.write_bytes(path.read_bytes().replace(b'\\"anna\\"', b'\\"\\"    '))  # as an older version wrote it
    found = Adaptation(predictor.checkpoint)
    assert adaptation_file.load(found, predictor.checkpoint, path) == 1
    assert found.people == (EVERYBODY,) and found.network(ABSENT) is found.network(EVERYBODY)


def test_of_nobody_a_file_without_examples_is_saved(predictor, tmp_path):
    path = tmp_path / 'nobody.safetensors'
    assert adaptation_file.save(Adaptation(predictor.checkpoint), predictor.checkpoint, path) == 0
    adaptation_file.load(Adaptation(predictor.checkpoint), predictor.checkpoint, path)


def test_what_was_learnt_with_another_checkpoint_is_refused(predictor, tmp_path):
    path = tmp_path / 'saved.safetensors'
    other = dataclasses.replace(predictor.checkpoint, id='other')
    adaptation_file.save(taught(predictor, [example(0)]), other, path)
    with pytest.raises(AdaptationError, match=f'made with checkpoint other, not {predictor.id}'):
        adaptation_file.load(Adaptation(predictor.checkpoint), predictor.checkpoint, path)


@pytest.mark.parametrize('spoil', [
    lambda whole: b'', lambda whole: whole[:100], lambda whole: whole.replace(b'angry', b'bored'),
    lambda whole: whole.replace(b'smern_ros.adaptation', b'somebody.adaptation '),
    lambda whole: whole.replace(b'"0.audio":{"dtype":"F32","shape":[32]', b'"0.audio":{"dtype":"F32","shape":[2,16]'),
    lambda whole: whole[:-4] + np.float32('nan').tobytes(),
])
def test_a_damaged_file_is_refused(predictor, tmp_path, spoil):
    path = tmp_path / 'saved.safetensors'
    adaptation_file.save(taught(predictor, [example(0)]), predictor.checkpoint, path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(AdaptationError, match='cannot use'):
        adaptation_file.load(Adaptation(predictor.checkpoint), predictor.checkpoint, path)
