# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training command, on a little of the real data, makes checkpoints that everything else can use."""
import json

import pytest
from safetensors.torch import load_file

from smern_ros.emotion import checkpoint as checkpoints
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import DEFAULT
from smern_ros.training.corpora import bandai, emodb, goemotions
from smern_ros.training.open_model import build as command
from smern_ros.training.open_model.samples import TRIAL
from smern_ros.values import Transcript

pytestmark = pytest.mark.timeout(900)  # it trains two

COMMERCIAL = f'{DEFAULT}-commercial'
MOVEMENT = ('skeleton: bandai', 'skeleton: bandai, as a camera sees it')


@pytest.fixture(scope='module')
def folder(shared_data, tmp_path_factory, trial):
    """Both of them, by one command."""
    folder = tmp_path_factory.mktemp('trial')
    arguments = ['--data', str(shared_data), '--out', str(folder / 'out'), '--cache', str(folder / 'cache'),
                 '--threads', '1', '--trial']
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, 'TRIAL', trial)
        assert command.main(arguments) == 0
        yield folder / 'out'


@pytest.fixture(params=[DEFAULT, COMMERCIAL])
def made(request, folder):
    return folder / request.param


def test_it_makes_checkpoints_that_load_and_predict(made):
    predictor = EmotionPredictor.load(made)
    assert predictor.id == made.name
    prediction = predictor.fuse({'text': predictor.encode_text(Transcript('u', 0, 1, 'this is great'))})
    assert prediction.model == made.name


def test_one_is_made_from_those_data_alone_that_allow_commercial_use(folder):
    every, allowed = (checkpoints.load(folder / name) for name in (DEFAULT, COMMERCIAL))
    assert command.RECIPES[COMMERCIAL] == (emodb, goemotions)
    assert allowed.training['data'] == {'audio': ['emodb'], 'text': ['goemotions']}
    assert allowed.training['restricted'] == []
    assert allowed.modalities == ('audio', 'text') and allowed.training['samples']['movement']['train'] == 0
    assert set(every.training['restricted']) == {'nemo', 'ravdess', 'bandai'}
    for corpus, licence in every.training['licences'].items():
        if corpus in every.training['restricted']:
            assert '-NC' in licence and corpus not in allowed.training['licences']
        else:
            assert '-NC' not in licence and allowed.training['licences'][corpus] == licence


def test_what_both_learn_alike_is_trained_once(folder):
    assert len(list((folder.parent / 'cache').glob('words-*.safetensors'))) == 1
    one, other = (checkpoints.load(folder / name).text.state_dict() for name in (DEFAULT, COMMERCIAL))
    assert all(one[key].equal(other[key]) for key in one)


def test_how_sure_it_may_be_was_found_on_other_corpora_or_on_altered_speakers_of_the_only_one(folder):
    found = {}
    for file in (folder.parent / 'cache').glob('audio-held-out-*.safetensors'):
        tensors = load_file(file)
        found[len(tensors['groups'].unique())] = len(tensors['labels'])
    learnt = {name: checkpoints.load(folder / name).training['samples']['speech']['train'] for name in command.RECIPES}
    ways = 2  # the speaker unknown and known
    assert found == {3: learnt[DEFAULT] * ways, 1: learnt[COMMERCIAL] * ways * (1 + TRIAL.variants)}


def test_its_figures_are_of_what_was_held_out(made):
    found = checkpoints.load(made)
    assert set(found.metrics) == {
        *(f'audio: {corpus}{known}' for corpus in found.training['data']['audio'] for known in ('', ', speaker known')),
        'text: goemotions', *(MOVEMENT if made.name == DEFAULT else ()),
    }
    assert found.training['held_out']['contents'] == (sorted(bandai.TEST_CONTENTS) if made.name == DEFAULT else [])
    assert set(found.training['held_out']['speakers']) >= emodb.TEST_SPEAKERS
    assert json.loads((made / 'config.json').read_text())['training']['seed'] == 1


def test_its_card_has_the_same_figures_and_says_what_it_is_not(made):
    card, found = (made / 'README.md').read_text(), checkpoints.load(made)
    for name, figures in found.metrics.items():
        assert f'| {name} | {figures["count"]} | {100 * figures["uar"]:.1f} | {100 * figures["war"]:.1f} |' in card
    for subset in found.temperatures:
        assert f'| {subset} | ' in card
    assert 'joined by label' in card
    for words in ('not trained on IEMOCAP', 'No one was recorded with all of them', 'Must not be used',
                  'no claim about people', 'GiB of memory'):
        assert words in card
    assert 'look like those measured' not in card, 'it learnt from nothing that looks like what it is measured on'
    if made.name == DEFAULT:
        assert 'non-commercial use only (nemo: CC BY-NC-SA 4.0; ' in card and 'walk, run, bow and wave' in card
    else:
        assert 'It reads no movement' in card and 'They are all of the same corpus' in card
        for foreign in ('nEMO', 'RAVDESS', 'Bandai', 'SMACN', '-NC'):
            assert foreign not in card


def test_one_that_is_too_large_is_refused(made, tmp_path, monkeypatch):
    monkeypatch.setattr(command, 'LARGEST', 1000)
    with pytest.raises(ValueError, match='take smaller encoders'):
        command._save(checkpoints.load(made), tmp_path)


def test_that_one_needs_no_other_data_and_what_is_missing_is_named(folder, shared_data, tmp_path):
    arguments = ['--data', str(tmp_path), '--out', str(tmp_path / 'out'), '--cache', str(folder.parent / 'cache'),
                 '--threads', '1', '--trial', '--id', COMMERCIAL]
    with pytest.raises(FileNotFoundError, match='no emodb in'):
        command.main(arguments)
    for corpus in ('emodb4', 'text_goemotions'):
        (tmp_path / corpus).symlink_to(shared_data / corpus)
    assert command.main(arguments) == 0
    assert [path.name for path in (tmp_path / 'out').iterdir()] == [COMMERCIAL]
    again, before = (checkpoints.load(of / COMMERCIAL) for of in (tmp_path / 'out', folder))
    assert again.temperatures == before.temperatures and again.metrics == before.metrics
