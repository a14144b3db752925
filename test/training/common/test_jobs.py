# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Jobs in processes and on a cluster: it does what one process does, and tells who cannot be reached or has died.

Both machines of the cluster are this one, as Ray's own tests have it; real are the processes, connections and deaths.
"""
import importlib
import os
import sys

import numpy as np
import pytest

from smern_ros.cli.main import main
from smern_ros.training.common import jobs
from smern_ros.training.common.jobs import JobError, JobLost, WorkersError, workers
from smern_ros.training.iemocap.experiments import synthetic
from smern_ros.training.iemocap.experiments.results import ExperimentStore
from smern_ros.training.iemocap.experiments.run_experiments import Work, run_experiments
from smern_ros.training.iemocap.experiments.runs import Run, plan
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec
from smern_ros.training.iemocap.experiments.train_network import TrainingSettings

BRIEF = TrainingSettings(epochs=2, patience=2, batch=32, learning_rate=5e-3)
SMALL = {'hidden': 16}


@pytest.fixture(scope='module')
def machines():
    """Two of a core each; the first is the one that others connect to."""
    pytest.importorskip('ray', reason='Ray is not installed: make ray')
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    add_machine(cluster, include_dashboard=False)
    add_machine(cluster)
    yield cluster
    cluster.shutdown()


def add_machine(cluster, **options):
    """Ray waits half a minute for its processes to start, which on a busy machine may be too short."""
    for tries_left in (2, 1, 0):
        try:
            return cluster.add_node(num_cpus=1, object_store_memory=80_000_000, **options)
        except Exception as error:
            if not tries_left or 'timed out during startup' not in str(error):
                raise


@pytest.fixture(scope='module')
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp('features')
    synthetic.corpus(SyntheticCorpusSpec(utterances=160, frames=6, mocap_fraction=0)).save(folder)
    return folder


def runs(repetitions=2):
    """Some begin with the networks of others."""
    usual = plan(['lstm'], 'random', folds=2, repetitions=repetitions, settings=BRIEF, overrides=SMALL)
    tuned = Run('lstm', 'new_speakers', 1, fraction=0.3, pretrained=True, overrides=SMALL, settings=BRIEF)
    return [*usual, tuned]


def said(folder, planned):
    return [ExperimentStore(folder).predictions(run).probabilities for run in planned]


@pytest.mark.parametrize('processes', [1, 2])
def test_every_job_is_run_and_each_error_comes_with_its_job(processes, tmp_path):
    calls = {'a': (tmp_path / 'a',), 'b': (tmp_path / 'none/b',), 'c': (tmp_path / 'c',)}
    with workers(processes) as pool:
        errors = dict(pool.map(os.mkdir, calls))
    assert errors['a'] is None and errors['c'] is None and isinstance(errors['b'], OSError)
    assert {path.name for path in tmp_path.iterdir()} == {'a', 'c'}
    with workers(processes) as pool:
        assert str(dict(pool.map(int, {'first': ('x',), 'second': ('1',)}))['first']).startswith('ValueError: invalid')


def test_a_process_that_dies_is_told_with_what_it_ran():
    with workers(2) as pool, pytest.raises(WorkersError, match='a process died.*dies'):
        list(pool.map(os._exit, {'dies': (1,), 'dies, too': (1,)}))


def test_nothing_is_started_for_nothing_and_no_process_is_refused():
    with workers(2) as pool:
        assert list(pool.map(pow, {})) == []
    with pytest.raises(ValueError, match='0 processes'), workers(0):
        pass


def test_results_are_those_of_one_process_though_a_machine_is_switched_off_and_a_run_fails(
    machines, features, tmp_path
):
    here, there, reports = tmp_path / 'here', tmp_path / 'there', []
    bad = Run('lstm', 'random', 0, overrides={'hidden': -1})
    victim = add_machine(machines)

    def report(progress):
        if not reports:
            machines.remove_node(victim, allow_graceful=False)
        reports.append(progress)

    failures = run_experiments([bad, *runs()], Work(features, there), ray=machines.address, report=report)
    assert [failure.job for failure in failures] == [bad] and 'hidden is -1' in failures[0].error
    assert len(reports) == 7 and reports[-1].last == runs()[-1], 'what begins with another comes after it'
    assert run_experiments(runs(), Work(features, here)) == []
    assert all(map(np.array_equal, said(here, runs()), said(there, runs())))


def test_a_process_that_dies_each_time_is_given_up_and_the_others_go_on(machines):
    with workers(ray=machines.address) as pool:
        assert pool.slots >= 2
        errors = dict(pool.map(lambda n: os._exit(1) if n == 1 else None, {str(n): (n,) for n in range(3)}))
    assert isinstance(errors['1'], JobLost) and 'died, 2 times' in str(errors['1'])
    assert (errors['0'], errors['2']) == (None, None)


def test_a_job_that_fails_on_a_machine_tells_which(machines):
    with workers(ray=machines.address) as pool:
        (error,) = dict(pool.map(int, {'one': ('x',)})).values()
    assert isinstance(error, JobError) and str(error).startswith('on ') and 'ValueError: invalid' in str(error)


def test_a_machine_that_cannot_do_the_work_is_told_by_its_cause(machines):
    class OfAnotherVersion:
        def __reduce__(self):
            return importlib.import_module, ('smern_ros.no_such_module',)

    with workers(ray=machines.address) as pool, pytest.raises(WorkersError, match='no_such_module.*install the same'):
        list(pool.map(print, {'one': (OfAnotherVersion(),)}))


def test_results_that_only_the_other_machine_sees_are_told(tmp_path):
    class Elsewhere(jobs.Workers):
        def map(self, function, calls):
            return ((run, None) for run in calls)

    with pytest.raises(WorkersError, match='must see the same folder'):
        jobs.run([runs()], print, ExperimentStore(tmp_path), Elsewhere(1), kind=lambda run: run.model)


def test_the_command_tells_where_it_was_computed(machines, features, tmp_path, capsys):
    code = main(['reproduce', '--features', str(features), '--out', str(tmp_path), '--tables', '1', '--figures', '',
                 '--models', 'are', '--folds', '1', '--runs', '1', '--epochs', '1', '--ray', machines.address])
    assert code == 0, capsys.readouterr().err
    text = (tmp_path / 'report.md').read_text()
    assert f'--ray {machines.address}' in text and '--jobs' not in text
    assert '; trained on cpu' in text, 'each run tells the machine of the cluster that did it'


@pytest.mark.parametrize('address', ['127.0.0.1:9', 'nowhere.invalid:6379'])
def test_a_cluster_that_is_not_there_is_told(features, tmp_path, capsys, address):
    pytest.importorskip('ray', reason='Ray is not installed: make ray')
    code = main(['reproduce', '--features', str(features), '--out', str(tmp_path), '--ray', address])
    said = capsys.readouterr().err
    assert code == 2 and f'smern reproduce: no Ray cluster at {address}' in said and 'Traceback' not in said


def test_a_missing_ray_is_told(features, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    code = main(['reproduce', '--features', str(features), '--out', str(tmp_path), '--ray', 'local'])
    assert code == 2 and 'Ray is not installed' in capsys.readouterr().err
