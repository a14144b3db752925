# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern export`: what a run learnt is what the robot says."""
import dataclasses
import errno
import json
import os
import shutil

import numpy as np
import pytest

from smern_ros.cli.main import main
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.models.inputs import InputEncoder
from smern_ros.spec import AUDIO, SKELETON, TEXT
from smern_ros.training.iemocap.experiments.network_samples import samples
from smern_ros.training.iemocap.experiments.results import ExperimentStore
from smern_ros.training.iemocap.experiments.runs import Run, fold_of
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec, corpus
from smern_ros.training.iemocap.experiments.train_network import predict
from smern_ros.training.iemocap.export import _network
from smern_ros.training.iemocap.features.feature_store import SkeletonChoice
from smern_ros.values import SECOND, AudioFeatures, Transcript


@pytest.fixture(scope='module')
def features():
    return corpus(SyntheticCorpusSpec(utterances=200, frames=4))


@pytest.fixture(scope='module')
def features_folder(features, tmp_path_factory):
    folder = tmp_path_factory.mktemp('features')
    features.save(folder)
    return folder


@pytest.fixture(scope='module')
def runs(features_folder, tmp_path_factory):
    """Folders by network; real sizes, two epochs."""
    out = tmp_path_factory.mktemp('out')
    size = ('--tables', '1', '--figures', '', '--folds', '1', '--runs', '1', '--epochs', '2')
    what = ('--features', str(features_folder), '--out', str(out), '--models', 'smern_ga_whole,are')
    assert main(['reproduce', *what, *size]) == 0
    return {path.name.split('-')[0]: path for path in (out / 'runs').iterdir()}


@pytest.fixture(scope='module')
def exported(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp('checkpoint')
    assert main(['export', str(runs['smern_ga_whole']), '--out', str(out), '--id', 'mine']) == 0
    return out


def test_the_checkpoint_says_of_every_test_utterance_what_the_run_said(features, runs, exported):
    predictor = EmotionPredictor.load(exported)
    inputs = InputEncoder(predictor.checkpoint.normalisation, predictor.checkpoint.vocabulary)
    with np.load(runs['smern_ga_whole'] / 'predictions.npz') as stored:
        expected = dict(zip(stored['ids'], stored['probabilities'], strict=True))
    said = {}
    for i, row in enumerate(features.utterances):
        if row.id in expected:
            arrays = features.sample_arrays(i)
            x, visible = inputs.movement(arrays.skeleton.copy(), arrays.visible.copy())
            said[row.id] = predictor.fuse({
                AUDIO: predictor.encode_audio(AudioFeatures(row.id, 0, SECOND, arrays.mfcc, arrays.prosody)),
                TEXT: predictor.encode_text(Transcript(row.id, 0, SECOND, row.text)),
                SKELETON: predictor.checkpoint.skeleton.features(x[None], visible[None])[0].detach(),
            }).probabilities
    assert len(said) == 30
    np.testing.assert_allclose(
        [said[i] for i in expected], list(expected.values()), atol=5e-3, err_msg='weights are stored in half precision'
    )


@pytest.mark.parametrize('choice', [SkeletonChoice(raw=True), SkeletonChoice(filter='causal')])
def test_a_run_on_skeletons_that_no_robot_computes_is_refused_and_its_report_says_what_they_are(
    features, tmp_path, capsys, choice
):
    dataclasses.replace(features, skeletons=choice).save(tmp_path / 'features')
    small = ('--tables', '1', '--figures', '', '--folds', '1', '--runs', '1', '--epochs', '1', '--models', 'are')
    assert main(['reproduce', '--features', str(tmp_path / 'features'), '--out', str(tmp_path / 'out'), *small]) == 0
    facts = json.loads((tmp_path / 'out/results.json').read_text())['facts']
    assert facts['Skeletons'] == f'with {choice.differs}'
    run = Run('smern_ga_whole', 'random', 0)
    folder, = (tmp_path / 'out/runs').iterdir()
    folder = folder.rename(folder.with_name(run.id))  # in the place of a run that takes a minute
    config = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps(config | {'run': run.to_dict()}))
    capsys.readouterr()
    assert main(['export', str(folder), '--out', str(tmp_path / 'made')]) != 0
    told = capsys.readouterr().err
    assert f'skeletons with {choice.differs}, which no robot of ours computes' in told and 'Traceback' not in told
    assert not (tmp_path / 'made').exists()


def test_encoders_alone_claim_no_emotion(exported):
    checkpoint = EmotionPredictor.load(exported).checkpoint
    for encoder in (checkpoint.audio, checkpoint.text, checkpoint.skeleton):
        assert all(not p.any() for p in encoder.output.parameters())


def test_the_checkpoint_tells_what_it_was_made_of(exported, runs):
    config = json.loads((exported / 'config.json').read_text())
    assert config['id'] == 'mine'
    training, figures = config['training'], config['metrics']['test part of the run']
    assert training['run']['model'] == 'smern_ga_whole' and training['run']['protocol'] == 'random'
    assert training['data']['corpus'] == 'synthetic' and training['data']['utterances'] == 200
    assert training['utterances'] == {'train': 160, 'dev': 10, 'test': 30, 'left out': 0}
    assert 'not calibrated' in training['note'] and set(config['temperatures'].values()) == {1.0}
    stored = json.loads((runs['smern_ga_whole'] / 'metrics.json').read_text())['scores']
    assert {name: figures[name] for name in stored} == stored and 0 <= figures['ece'] <= 1


def test_the_card_beside_it_has_its_figures_and_its_warnings(exported, runs):
    text = (exported / 'README.md').read_text()
    figures = json.loads((exported / 'config.json').read_text())['metrics']['test part of the run']
    assert text.startswith('# mine:') and runs['smern_ga_whole'].name in text
    for said in (f'UAR {100 * figures["uar"]:.1f} %', '160 / 10 / 30', 'not IEMOCAP', 'does not know', 'licence',
                 'Do not decide about people', 'not calibrated'):
        assert said in text.replace('\n', ' '), said


def test_with_its_features_what_all_modalities_say_is_as_sure_as_the_development_part_allows(
    features, features_folder, runs, tmp_path, capsys
):
    out = tmp_path / 'out'
    assert main(['export', str(runs['smern_ga_whole']), '--out', str(out), '--features', str(features_folder)]) == 0
    assert 'are calibrated, on the development part' in capsys.readouterr().out
    temperatures = json.loads((out / 'config.json').read_text())['temperatures']
    assert {name for name, value in temperatures.items() if value != 1} <= {'audio+text+skeleton'}

    store, run = ExperimentStore(runs['smern_ga_whole'].parents[1]), Run.from_dict(
        json.loads((runs['smern_ga_whole'] / 'config.json').read_text())['run'])
    start = store.start(run)
    dev = samples(features, fold_of(run, features)[0].dev, start.preparation, run.model)
    said, labels = predict(_network(run, start), dev, 128), np.array(dev.labels)

    def loss(temperature):
        softer = said ** (1 / temperature)
        return -np.log((softer / softer.sum(axis=1, keepdims=True))[np.arange(len(labels)), labels]).mean()

    found = temperatures['audio+text+skeleton']
    assert loss(found) <= min(loss(t) for t in np.logspace(0, 1, 30)) + 1e-5


def test_features_of_other_data_calibrate_nothing(runs, tmp_path, capsys):
    corpus(SyntheticCorpusSpec(utterances=200, frames=4, seed=1)).save(tmp_path / 'other')
    for folder, message in (('other', 'other features than the run'), ('nothing', 'holds no features')):
        arguments = ['--out', str(tmp_path / 'out'), '--features', str(tmp_path / folder)]
        assert main(['export', str(runs['smern_ga_whole']), *arguments]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_nothing_but_a_checkpoint_is_written_over(runs, tmp_path, capsys):
    (tmp_path / 'thesis').mkdir()
    (tmp_path / 'thesis/chapter1.md').write_text('years of work')
    (tmp_path / 'file').write_text('a file')
    for out, message in (('thesis', 'holds something else'), ('file', 'is a file')):
        assert main(['export', str(runs['smern_ga_whole']), '--out', str(tmp_path / out)]) == 2
        assert message in capsys.readouterr().err
    assert [p.name for p in (tmp_path / 'thesis').iterdir()] == ['chapter1.md']


def test_an_export_that_breaks_off_leaves_the_checkpoint_that_was_there(exported, runs, tmp_path, monkeypatch, capsys):
    out = shutil.copytree(exported, tmp_path / 'out')
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(*_):
        raise OSError('no space left on device')

    with monkeypatch.context() as patch:
        patch.setattr('smern_ros.training.iemocap.export.write_card', full)
        assert main(['export', str(runs['smern_ga_whole']), '--out', str(out)]) == 2
    assert 'no space left' in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ['out']
    assert main(['export', str(runs['smern_ga_whole']), '--out', str(out), '--id', 'newer']) == 0
    assert EmotionPredictor.load(out).id == 'newer' and [path.name for path in tmp_path.iterdir()] == ['out']


def test_if_the_checkpoint_cannot_be_put_in_place_the_old_one_is_still_there(
    exported, runs, tmp_path, monkeypatch, capsys
):
    out = shutil.copytree(exported, tmp_path / 'out')
    export = ['export', str(runs['smern_ga_whole']), '--out', str(out), '--id', 'newer']
    rename = os.rename

    def none(*_):
        raise OSError(errno.EINVAL, 'a file system that cannot exchange')

    def lost(source, goal):
        if goal == out and not source.name.endswith('.replaced'):
            raise OSError(errno.EIO, 'the disk is lost')
        rename(source, goal)

    with monkeypatch.context() as patch:
        patch.setattr('smern_ros.utils.atomic_folder._exchange', none)
        patch.setattr(os, 'rename', lost)
        assert main(export) == 2
    assert 'the disk is lost' in capsys.readouterr().err
    assert EmotionPredictor.load(out).id == 'mine' and [path.name for path in tmp_path.iterdir()] == ['out']
    assert main(export) == 0 and EmotionPredictor.load(out).id == 'newer'


def test_what_a_killed_export_left_is_repaired_by_the_next_even_if_that_fails(exported, runs, tmp_path):
    out = tmp_path / 'out'
    shutil.copytree(exported, tmp_path / '.out.replaced')  # killed between two renames
    unfinished = shutil.copytree(exported, tmp_path / f'.out.{"0123456789abcdef" * 2}')
    (unfinished / 'model.safetensors').unlink()
    assert main(['export', str(tmp_path / 'no run'), '--out', str(out)]) == 2
    assert EmotionPredictor.load(out).id == 'mine'
    assert main(['export', str(runs['smern_ga_whole']), '--out', str(out), '--id', 'newer']) == 0
    assert EmotionPredictor.load(out).id == 'newer' and [path.name for path in tmp_path.iterdir()] == ['out']


def test_a_link_to_a_checkpoint_stays_one(exported, runs, tmp_path):
    shutil.copytree(exported, tmp_path / 'real')
    (tmp_path / 'link').symlink_to('real')
    assert main(['export', str(runs['smern_ga_whole']), '--out', str(tmp_path / 'link'), '--id', 'newer']) == 0
    assert (tmp_path / 'link').is_symlink() and EmotionPredictor.load(tmp_path / 'real').id == 'newer'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['link', 'real']


def test_a_run_that_other_code_made_can_be_exported_and_tells_its_code(runs, tmp_path):
    run = Run.from_dict({**json.loads((runs['smern_ga_whole'] / 'config.json').read_text())['run'], 'code': 'older'})
    folder = shutil.copytree(runs['smern_ga_whole'].parents[1], tmp_path / 'OUT') / 'runs' / run.id
    os.rename(folder.parent / runs['smern_ga_whole'].name, folder)
    (folder / 'config.json').write_text(json.dumps({'run': run.to_dict()}))
    assert main(['export', str(folder), '--out', str(tmp_path / 'made')]) == 0
    assert json.loads((tmp_path / 'made/config.json').read_text())['training']['run']['code'] == 'older'


def test_what_cannot_be_exported_says_why(runs, tmp_path, capsys):
    for folder, message in (
        (tmp_path, 'is no run'),
        (runs['are'], 'is a run of are'),
        (shutil.copytree(runs['smern_ga_whole'], tmp_path / 'runs' / 'renamed'), 'was moved or renamed'),
    ):
        assert main(['export', str(folder), '--out', str(tmp_path / 'out')]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_damaged_weights_are_told(runs, tmp_path, capsys):
    run = shutil.copytree(runs['smern_ga_whole'], tmp_path / 'runs' / runs['smern_ga_whole'].name)
    (run / 'model.safetensors').write_bytes(b'cut')
    assert main(['export', str(run), '--out', str(tmp_path / 'out')]) == 2
    assert 'is damaged' in capsys.readouterr().err


def test_an_id_that_no_message_should_carry_is_refused(runs, tmp_path, capsys):
    assert main(['export', str(runs['smern_ga_whole']), '--out', str(tmp_path / 'out'), '--id', 'a b']) == 2
    assert "its id is 'a b'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [], 'nothing is written before it is known that it may be'
