# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint is read back as it was saved, and nothing else is ever taken for one."""
import json
import pickle

import pytest
import torch

from smern_ros import models
from smern_ros.emotion import checkpoint as checkpoints
from smern_ros.emotion.checkpoint import Checkpoint, CheckpointError
from smern_ros.models.inputs import Normalisation
from smern_ros.models.person_statistics import PriorWeights
from smern_ros.skeleton.posture import Posture
from smern_ros.spec import SpecMismatch
from smern_ros.text.vocabulary import Vocabulary


def untrained(**changes) -> Checkpoint:
    torch.manual_seed(0)
    vocabulary = Vocabulary(['happy', 'sad'])
    parts = {
        'id': 'untrained',
        'audio': models.build('are', hidden=8, out=6),
        'text': models.build('tre', words=len(vocabulary), embedding=4, hidden=8, out=6),
        'skeleton': models.build('smacn', first_channels=4, channels=4, heads=2, attention_size=4, out=6),
        'fusion': models.build('smern_ga', audio=6, text=6, skeleton=6, node=4, out=4),
        'vocabulary': vocabulary,
        'normalisation': Normalisation.identity(),
        'temperatures': dict.fromkeys(checkpoints.SUBSETS, 1.5),
        'person_prior': PriorWeights(mfcc=800.0, prosody=4.0),
        'training': {'data': ['none']},
        'metrics': {'audio': {'uar': 0.25}},
    }
    return Checkpoint(**{**parts, **changes})


def without_movement(**changes) -> Checkpoint:
    parts = {
        'skeleton': None, 'fusion': models.build('smern_ga', audio=6, text=6, skeleton=0, node=4, out=4),
        'temperatures': dict.fromkeys(('audio', 'text', 'audio+text'), 1.5),
    }
    return untrained(**{**parts, **changes})


@pytest.fixture
def saved(tmp_path):
    checkpoints.save(untrained(), tmp_path / 'saved')
    return tmp_path / 'saved'


def edit(path, change):
    """Apply `change` to the configuration of the checkpoint in `path`."""
    config = json.loads((path / 'config.json').read_text())
    change(config)
    (path / 'config.json').write_text(json.dumps(config))


def test_what_was_saved_is_loaded(saved):
    made, found = untrained(), checkpoints.load(saved)
    assert (found.id, found.temperatures, found.training, found.metrics) == (
        made.id, made.temperatures, made.training, made.metrics
    )
    assert found.vocabulary.words == made.vocabulary.words
    assert found.normalisation == made.normalisation
    assert found.person_prior == made.person_prior
    for name in checkpoints.NETWORKS:
        mine, theirs = getattr(made, name), getattr(found, name)
        assert mine.config == theirs.config
        assert not theirs.training
        for key, value in mine.state_dict().items():
            stored = theirs.state_dict()[key]
            assert stored.dtype == torch.float32
            assert torch.equal(stored, value.half().float())


POSTURE = Posture(elbow=(1.5,) * 10, arm=(-0.25,) * 28)


def test_what_tells_movement_unlike_what_was_learnt_is_kept_and_may_be_missing(saved, tmp_path):
    assert checkpoints.load(saved).posture is None
    checkpoints.save(untrained(posture=POSTURE), tmp_path)
    assert checkpoints.load(tmp_path).posture == POSTURE


@pytest.mark.parametrize(('posture', 'why'), [
    ({'elbow': [0.0] * 9, 'arm': [0.0] * 28}, 'posture: elbow has 9 weights; expected 10'),
    ({'elbow': [0.0] * 10, 'arm': [0.0] * 27 + [float('inf')]}, 'posture: arm has 28 weights; expected 28, all finite'),
    ({'elbow': [0.0] * 10}, "missing 1 required .*'arm'"),
    ({'elbow': [0.0] * 10, 'arm': ['x'] * 28}, "could not convert string to float: 'x'"),
    ([0.0] * 38, "has no 'posture', or it is no dict"),
])
def test_weights_of_postures_that_do_not_fit_are_refused(saved, posture, why):
    edit(saved, lambda config: config.update(posture=posture))
    with pytest.raises(CheckpointError, match=why):
        checkpoints.load(saved)


def test_one_that_reads_no_movement_has_no_network_weight_or_temperature_for_it(tmp_path):
    made = without_movement()
    assert made.modalities == ('audio', 'text')
    assert not any(name.startswith('skeleton') for name in made.fusion.state_dict())
    checkpoints.save(made, tmp_path)
    found = checkpoints.load(tmp_path)
    assert found.skeleton is None and found.modalities == made.modalities and found.temperatures == made.temperatures
    assert torch.equal(found.fusion.output.weight, made.fusion.output.weight.half().float())


@pytest.mark.parametrize(('made', 'why'), [
    (without_movement(fusion=untrained().fusion), 'skeleton is 0, expected 6'),
    (untrained(fusion=without_movement().fusion), 'skeleton is 6, expected 0'),
    (without_movement(temperatures=untrained().temperatures), r"expected \['audio', 'audio.text', 'text'\]"),
])
def test_one_whose_parts_disagree_whether_it_reads_movement_is_refused(tmp_path, made, why):
    checkpoints.save(made, tmp_path)
    with pytest.raises(CheckpointError, match=why):
        checkpoints.load(tmp_path)


def test_networks_on_pretrained_encoders_need_no_vocabulary(saved):
    made = untrained(
        audio=models.build('voice', out=6), text=models.build('words', out=6), vocabulary=None,
    )
    checkpoints.save(made, saved)
    assert sorted(path.name for path in saved.iterdir()) == ['config.json', 'model.safetensors']
    found = checkpoints.load(saved)
    assert found.vocabulary is None and found.audio.config == made.audio.config
    assert torch.equal(found.text.fc.weight, made.text.fc.weight.half().float())
    before = checkpoints.digest(saved)
    edit(saved, lambda config: config.update(id='another'))
    assert checkpoints.digest(saved) != before


@pytest.mark.parametrize(('change', 'why'), [
    (lambda c: c['networks']['audio'].update(speech=9), 'do not match: speech is 9, expected 768'),
    (lambda c: c['networks']['text'].update(size=9), 'do not match: word_vector is 9, expected 1152'),
])
def test_networks_on_other_pretrained_encoders_are_refused(tmp_path, change, why):
    made = untrained(audio=models.build('voice', out=6), text=models.build('words', out=6), vocabulary=None)
    checkpoints.save(made, tmp_path)
    edit(tmp_path, change)
    with pytest.raises(CheckpointError, match=why):
        checkpoints.load(tmp_path)


def test_weights_are_stored_in_half_precision(saved):
    parameters = sum(p.numel() for n in checkpoints.NETWORKS for p in getattr(untrained(), n).parameters())
    assert (saved / 'model.safetensors').stat().st_size < 2 * parameters + 6000


def test_loading_leaves_the_random_numbers_of_others_alone(saved):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    checkpoints.load(saved)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize('name', checkpoints.FILES)
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(CheckpointError, match=f'it lacks {name}.*make checkpoint'):
        checkpoints.load(saved)


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(CheckpointError, match='there is no such directory.*by its name.*open-v3'):
        checkpoints.load(tmp_path / 'nowhere')


def test_other_features_are_refused_by_the_name_of_what_differs(saved):
    edit(saved, lambda config: config['spec'].update(mfcc=40))
    with pytest.raises(SpecMismatch, match='mfcc: 40 instead of 39'):
        checkpoints.load(saved)


def test_a_spec_of_another_version_of_the_package_is_refused(saved):
    edit(saved, lambda config: config['spec'].pop('yaw'))
    with pytest.raises(SpecMismatch, match="missing \\['yaw'\\]"):
        checkpoints.load(saved)


class Trap:
    """Leaves a trace when unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return open, (str(self.trace), 'w')


def test_a_pickle_is_refused_and_not_run(saved, tmp_path):
    trace = tmp_path / 'trace'
    (saved / 'model.safetensors').write_bytes(pickle.dumps(Trap(trace)))
    with pytest.raises(CheckpointError, match='no safetensors file'):
        checkpoints.load(saved)
    torch.save({'a': torch.zeros(1)}, saved / 'model.safetensors')
    with pytest.raises(CheckpointError, match='no safetensors file'):
        checkpoints.load(saved)
    assert not trace.exists()


def test_a_truncated_file_is_refused(saved):
    weights = (saved / 'model.safetensors').read_bytes()
    (saved / 'model.safetensors').write_bytes(weights[: len(weights) // 2])
    with pytest.raises(CheckpointError, match='damaged'):
        checkpoints.load(saved)


def test_a_file_of_absurd_size_is_not_read(saved):
    with (saved / 'model.safetensors').open('r+b') as file:
        file.truncate(1 << 40)  # sparse: takes no room
    with pytest.raises(CheckpointError, match='are never read'):
        checkpoints.load(saved)


@pytest.mark.parametrize(
    ('change', 'why'),
    [
        (lambda c: c.update(format=2), 'has format 2; expected 3'),
        (lambda c: c['networks']['audio'].update(name='tre'), "network for audio is 'tre'; expected one of are, voice"),
        (lambda c: c['networks']['audio'].pop('name'), 'network for audio is None'),
        (lambda c: c['networks'].update(text=3), 'network for text is 3; expected a name'),
        (lambda c: c.update(id='a\nb'), 'its id is'),
        (lambda c: c.pop('id'), 'its id is None'),
        (lambda c: c.pop('networks'), "no 'networks'"),
        (lambda c: c['networks'].pop('audio'), 'it has the networks'),
        (lambda c: c['networks']['audio'].update(hidden=9), r'audio\.\S+ has shape'),
        (lambda c: c['networks']['audio'].update(hidden=900_000), 'more than .* are never read'),
        (lambda c: c['networks']['audio'].update(hidden=-1), 'hidden is -1'),
        (lambda c: c['networks']['audio'].update(layers=1), 'no hyper-parameter layers'),
        (lambda c: c['networks']['audio'].update(labels=5), 'do not match: labels is 5'),
        (lambda c: c['networks']['fusion'].update(audio=7), 'do not match: audio is 6, expected 7'),
        (lambda c: c['networks']['skeleton'].update(units=3), 'has too much'),
        (lambda c: c['networks']['text'].update(words=6), r'vocabulary\.json has 5 words'),
        (lambda c: c['temperatures'].update(audio=0), 'temperature of audio is 0'),
        (lambda c: c['temperatures'].pop('audio'), 'it has temperatures for'),
        (lambda c: c['normalisation'].update(mfcc_mean=[0.0]), 'mfcc_mean has 1 values; expected 39'),
        (lambda c: c['normalisation'].update(mfcc_std=[0.0] * 39), r'mfcc_std\[0\] is 0'),
        (lambda c: c['normalisation'].update(mfcc_mean=[float('nan')] * 39), r'mfcc_mean\[0\] is nan'),
        (lambda c: c['normalisation'].update(mfcc_mean=3), 'cannot be used'),
        (lambda c: c.pop('person_prior'), "no 'person_prior'"),
        (lambda c: c['person_prior'].update(mfcc=0), 'prior weight of mfcc is 0'),
        (lambda c: c['person_prior'].update(face=1.0), 'cannot be used'),
    ],
)
def test_a_configuration_that_cannot_be_true_is_refused_with_the_reason(saved, change, why):
    edit(saved, change)
    with pytest.raises(CheckpointError, match=why):
        checkpoints.load(saved)


@pytest.mark.parametrize('text', ['', '[]', '{', '[' * 100_000])
def test_a_configuration_that_is_no_object_is_refused(saved, text):
    (saved / 'config.json').write_text(text)
    with pytest.raises(CheckpointError, match=r'config\.json (is|has)'):
        checkpoints.load(saved)


@pytest.mark.parametrize('text', ['{}', '[1]', '["happy", "happy"]', 'happy'])
def test_a_vocabulary_that_is_no_list_of_words_is_refused(saved, text):
    (saved / 'vocabulary.json').write_text(text)
    with pytest.raises(CheckpointError, match='cannot be used'):
        checkpoints.load(saved)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    broken = untrained()
    broken.audio.fc.weight.data[0, 0] = float('nan')
    checkpoints.save(broken, tmp_path)
    with pytest.raises(CheckpointError, match=r'audio\.fc\.weight holds numbers that are not finite'):
        checkpoints.load(tmp_path)
