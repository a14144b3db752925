# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A plan of runs: stopped anywhere, it goes on; however it is carried out, the results are the same."""
import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from smern_ros.training.iemocap.experiments import synthetic
from smern_ros.training.iemocap.experiments.integrate import METRICS
from smern_ros.training.iemocap.experiments.results import ExperimentStore, ExperimentStoreError
from smern_ros.training.iemocap.experiments.run_experiments import Work, run_experiments, with_beforehand
from smern_ros.training.iemocap.experiments.runs import Run, plan
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec
from smern_ros.training.iemocap.experiments.train_network import TrainingSettings
from smern_ros.training.iemocap.features.feature_store import FeatureError

BRIEF = TrainingSettings(epochs=2, patience=2, batch=32, learning_rate=5e-3)
SMALL = {'hidden': 16}


@pytest.fixture(scope='module')
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp('features')
    synthetic.corpus(SyntheticCorpusSpec(utterances=160, frames=6, mocap_fraction=0)).save(folder)
    return folder


def runs(repetitions=2, **fields):
    return plan(['lstm'], 'random', folds=3, repetitions=repetitions, settings=BRIEF, overrides=SMALL, **fields)


def said(store, planned):
    return [store.predictions(run).probabilities for run in planned]


@pytest.fixture(scope='module')
def done(features, tmp_path_factory):
    """Six runs, carried out without interruption, and what was reported."""
    work, reports = Work(features, tmp_path_factory.mktemp('done')), []
    assert run_experiments(runs(), work, report=reports.append) == []
    return work, reports


def test_progress_ends_with_nothing_left(done):
    _, reports = done
    assert [(p.done, p.total) for p in reports] == [(n, 6) for n in range(1, 7)]
    assert reports[-1].seconds_left == 0
    assert all(p.seconds_left > 0 and math.isfinite(p.seconds_left) for p in reports[:-1])


def test_the_time_left_is_that_of_the_same_network_on_as_much_data(features, tmp_path):
    little, much = (
        plan(['lstm'], 'new_speakers', folds=2, repetitions=1, settings=BRIEF, overrides=SMALL, fraction=fraction)
        for fraction in (0.1, 0.5)
    )
    work, reports = Work(features, tmp_path), []
    assert run_experiments([*little, *much], work, report=reports.append) == []
    store = ExperimentStore(work.out)
    assert reports[2].last == much[0] and reports[2].seconds_left == store.metrics(much[0]).seconds


def test_what_is_done_is_not_done_again(done):
    work, _ = done
    reports = []
    assert run_experiments(runs(repetitions=3), work, report=reports.append) == []
    assert {p.last.repetition for p in reports} == {2} and len(reports) == 3


def test_what_other_code_made_is_done_anew_and_stays_beside_it(features, tmp_path, monkeypatch):
    work, store, (first, *_) = Work(features, tmp_path), ExperimentStore(tmp_path), runs()
    with monkeypatch.context() as patch:
        patch.setattr('smern_ros.training.iemocap.experiments.runs.code_of', lambda model: 'older')
        older = runs()[0]
        assert older.code == 'older' and run_experiments([older], work) == []
    config = store.runs / older.id / 'config.json'
    assert json.loads(config.read_text())['run']['code'] == 'older'
    assert older in store and first not in store and first.id != older.id
    assert store.of_other_code(runs()) == [older] and store.of_other_code([older]) == []
    told = json.loads(config.read_text())
    del told['run']['code']  # as a version wrote it that did not tell its code
    unknown = Run.from_dict(told['run'])
    (store.runs / older.id).rename(store.runs / unknown.id)
    (store.runs / unknown.id / 'config.json').write_text(json.dumps(told))
    reports = []
    assert run_experiments([first], work, report=reports.append) == []
    assert [p.last for p in reports] == [first] and first in store and unknown in store
    assert store.of_other_code(runs()) == [unknown]
    assert np.array_equal(said(store, [first]), said(store, [unknown]))


def test_a_run_is_not_done_by_code_that_is_not_its_own(features, tmp_path):
    strange = dataclasses.replace(runs()[0], code='0123456789abcdef')
    (failure,) = run_experiments([strange], Work(features, tmp_path))
    assert 'is of the code 0123456789abcdef, and here is' in failure.error


def test_every_run_leaves_its_config_metrics_and_predictions(done):
    work, _ = done
    store, run = ExperimentStore(work.out), runs()[4]
    folder = store.runs / run.id
    assert {p.name for p in folder.iterdir()} == {
        'config.json', 'metrics.json', 'predictions.npz', 'inputs.json', 'model.safetensors'
    }
    config = json.loads((folder / 'config.json').read_text())
    assert Run.from_dict(config['run']).id == run.id
    assert config['versions']['torch'] == torch.__version__
    assert config['machine'].endswith('trained on cpu')
    metrics = store.metrics(run)
    assert metrics.counts == (128, 8, 24) and metrics.without == 0
    assert len(metrics.train_loss) == len(metrics.dev_loss) == 2
    assert 0 < getattr(metrics.scores, METRICS[1]) < 1
    for scores in store.scores(runs()):
        assert scores.count == 3 * 24


KILLED = """
import sys
from pathlib import Path
from smern_ros.training.iemocap.experiments.run_experiments import run_experiments
from smern_ros.training.iemocap.experiments.runs import Run, plan
from smern_ros.training.iemocap.experiments.train_network import TrainingSettings
from smern_ros.training.iemocap.experiments.run_experiments import Work
settings = TrainingSettings(2, 2, 32, 5e-3)
planned = plan(['lstm'], 'random', folds=3, repetitions=2, settings=settings, overrides={'hidden': 16})
run_experiments(planned, Work(*map(Path, sys.argv[1:])), report=lambda p: print(p.last.id, flush=True))
"""


def test_killed_at_any_point_it_goes_on_and_the_result_is_the_same(done, features, tmp_path):
    process = subprocess.Popen([sys.executable, '-c', KILLED, features, tmp_path], stdout=subprocess.PIPE, text=True)
    before = [process.stdout.readline().strip() for _ in range(2)]
    process.kill()
    process.communicate()
    store, reports = ExperimentStore(tmp_path), []
    for run in runs()[2:]:  # as if it had been killed while it wrote
        if run not in store:
            (store.runs / f'.{run.id}.half').mkdir()
    assert [run.id for run in runs()[:2]] == before and all(run in store for run in runs()[:2])
    assert run_experiments(runs(), Work(features, tmp_path), report=reports.append) == []
    assert not {p.last.id for p in reports} & set(before)
    assert sorted(p.name for p in store.runs.iterdir()) == sorted(run.id for run in runs())
    assert np.array_equal(said(store, runs()), said(ExperimentStore(done[0].out), runs()))


def test_more_jobs_change_no_result(done, features, tmp_path):
    reports = []
    assert run_experiments(runs(), Work(features, tmp_path), jobs=2, report=reports.append) == []
    assert len(reports) == 6
    assert np.array_equal(said(ExperimentStore(tmp_path), runs()), said(ExperimentStore(done[0].out), runs()))


def test_a_run_that_fails_fails_alone_and_is_tried_again(features, tmp_path):
    bad = dataclasses.replace(runs()[0], overrides={'hidden': -1})
    absent = dataclasses.replace(runs()[0], protocol='across_speakers', fold=9)
    good = runs(repetitions=1)[:1]
    for _ in range(2):
        failures = run_experiments([bad, absent, *good], Work(features, tmp_path))
        assert [failure.job for failure in failures] == [bad, absent]
        assert 'hidden is -1' in failures[0].error and 'there is no fold 9' in failures[1].error
    assert [p.name for p in ExperimentStore(tmp_path).runs.iterdir()] == [good[0].id]


def test_results_of_other_features_are_not_mixed(done, tmp_path):
    work, _ = done
    synthetic.corpus(SyntheticCorpusSpec(utterances=160, frames=6, mocap_fraction=0, seed=1)).save(tmp_path)
    with pytest.raises(ExperimentStoreError, match='results of other data .different: features'):
        run_experiments(runs(), Work(tmp_path, work.out))


def test_a_folder_without_features_is_told(tmp_path):
    with pytest.raises(FeatureError, match='holds no features'):
        run_experiments(runs(), Work(tmp_path / 'absent', tmp_path / 'out'))
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('name', ['metrics.json', 'predictions.npz', 'model.safetensors', 'inputs.json'])
def test_a_damaged_file_is_named(features, tmp_path, name):
    store, run = ExperimentStore(tmp_path), runs()[0]
    run_experiments([run], Work(features, tmp_path))
    path = store.runs / run.id / name
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ExperimentStoreError, match=f'{name}.* is damaged'):
        store.metrics(run), store.predictions(run), store.start(run)
    with pytest.raises(ExperimentStoreError, match='is not done'):
        store.metrics(runs()[1])


def test_a_network_begins_with_what_it_learnt_of_others(features, tmp_path):
    """Of which fine-tuning at no speed changes nothing."""
    still = TrainingSettings(epochs=1, patience=1, batch=32, learning_rate=1e-30)
    tuned = Run('lstm', 'new_speakers', 2, fraction=0.3, pretrained=True, overrides=SMALL, settings=still)
    assert with_beforehand([tuned]) == [tuned.beforehand, tuned]
    assert run_experiments([tuned], Work(features, tmp_path)) == []
    store = ExperimentStore(tmp_path)
    assert store.metrics(tuned.beforehand).counts[2] == 32
    untuned, after = store.predictions(tuned.beforehand), store.predictions(tuned)
    before = dict(zip(untuned.ids, untuned.probabilities, strict=True))
    assert np.allclose([before[i] for i in after.ids], after.probabilities, atol=1e-6)


def test_runs_of_several_experiments_are_not_mixed_in_one_row(done):
    with pytest.raises(ValueError, match='one experiment'):
        ExperimentStore(done[0].out).scores([*runs(), *runs(filtered=False)])


def test_an_id_tells_every_difference():
    one = runs()[0]
    others = [
        {'model': 'cnn'}, {'protocol': 'across_speakers'}, {'fold': 1}, {'repetition': 1}, {'seed': 1},
        {'filtered': False}, {'overrides': {'hidden': 17}}, {'settings': TrainingSettings()},
        {'protocol': 'new_speakers', 'fraction': 0.1}, {'protocol': 'new_speakers', 'fraction': 0.2},
        {'protocol': 'new_speakers', 'fraction': 0.1, 'pretrained': True},
    ]
    ids = [one.id, *(dataclasses.replace(one, **changed).id for changed in others)]
    assert len(set(ids)) == len(ids)
    assert one.id == runs()[0].id == Run.from_dict(json.loads(json.dumps(one.to_dict()))).id


@pytest.mark.parametrize(
    'wrong',
    [
        {'model': 'smern_ga'}, {'model': 'nothing'}, {'protocol': 'nothing'}, {'fold': -1}, {'fraction': 0.1},
        {'protocol': 'new_speakers'}, {'pretrained': True},
    ],
)
def test_a_run_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        Run(**{'model': 'lstm', 'protocol': 'random', 'fold': 0, **wrong})
