"""The training command, on a little of the real data, makes a checkpoint that everything else can use."""
import json

import pytest

from smern_ros import checkpoint as checkpoints
from smern_ros.predictor import EmotionPredictor
from smern_ros.training import checkpoint as command
from smern_ros.training.corpora import bandai
from smern_ros.values import Transcript


@pytest.fixture(scope='module')
def made(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp('trial')
    arguments = ['--data', str(shared_data), '--out', str(folder / 'out'), '--cache', str(folder / 'cache'),
                 '--id', 'trial', '--threads', '1', '--trial']
    assert command.main(arguments) == 0
    return folder / 'out'


def test_it_makes_a_checkpoint_that_loads_and_predicts(made):
    predictor = EmotionPredictor.load(made)
    assert predictor.id == 'trial'
    prediction = predictor.fuse({'text': predictor.encode_text(Transcript('u', 0, 1, 'this is great'))})
    assert prediction.model == 'trial'


def test_its_figures_are_of_what_was_held_out(made):
    found = checkpoints.load(made)
    assert set(found.metrics) == {
        *(f'audio: {corpus}{known}' for corpus in ('emodb', 'nemo', 'ravdess') for known in ('', ', speaker known')),
        'text: goemotions', 'skeleton: bandai', 'skeleton: bandai, as a camera sees it',
    }
    assert found.training['held_out']['contents'] == sorted(bandai.TEST_CONTENTS)
    assert json.loads((made / 'config.json').read_text())['training']['seed'] == 1


def test_its_card_has_the_same_figures_and_says_what_it_is_not(made):
    card = (made / 'README.md').read_text()
    for name, figures in checkpoints.load(made).metrics.items():
        assert f'| {name} | {figures["count"]} | {100 * figures["uar"]:.1f} | {100 * figures["war"]:.1f} |' in card
    for subset in checkpoints.SUBSETS:
        assert f'| {subset} | ' in card
    assert 'joined by label' in card
    for words in ('not trained on IEMOCAP', 'No one was recorded with all three', 'non-commercial', 'Must not be used',
                  'no claim about people', 'GiB of memory'):
        assert words in card
    assert 'look like those measured' not in card, 'it learnt from nothing that looks like what it is measured on'


def test_one_that_is_too_large_is_refused(made, tmp_path, monkeypatch):
    monkeypatch.setattr(command, 'LARGEST', 1000)
    with pytest.raises(ValueError, match='take smaller encoders'):
        command._save(checkpoints.load(made), tmp_path)


def test_data_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no emodb in'):
        command.main(['--data', str(tmp_path), '--out', str(tmp_path / 'out')])
