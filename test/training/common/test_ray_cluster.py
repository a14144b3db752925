"""A cluster of two machines: it does what one process does, and tells who cannot be reached or has died.

Both machines are this one, as Ray's own tests have it; real are the processes, the connections and the deaths.
"""
import os
import sys

import numpy as np
import pytest

from smern_ros.cli.main import main
from smern_ros.training.common.ray_cluster import ClusterError, Lost, connected
from smern_ros.training.iemocap.experiments import synthetic, training_workers
from smern_ros.training.iemocap.experiments.results import ExperimentStore
from smern_ros.training.iemocap.experiments.run_experiments import run_experiments
from smern_ros.training.iemocap.experiments.runs import Run, plan
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec
from smern_ros.training.iemocap.experiments.train_network import TrainingSettings
from smern_ros.training.iemocap.experiments.training_workers import Work

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
    assert [failure.run for failure in failures] == [bad] and 'hidden is -1' in failures[0].error
    assert len(reports) == 7 and reports[-1].last == runs()[-1], 'what begins with another comes after it'
    assert run_experiments(runs(), Work(features, here)) == []
    assert all(map(np.array_equal, said(here, runs()), said(there, runs())))


def test_a_process_that_dies_each_time_is_given_up_and_the_others_go_on(machines):
    with connected(machines.address) as cluster:
        assert cluster.slots() >= 2
        answers = dict(cluster.each(lambda n: os._exit(1) if n == 1 else 10 * n, [(n, (n,)) for n in range(3)]))
    assert isinstance(answers[1], Lost) and 'died, 2 times' in str(answers[1])
    assert (answers[0], answers[2]) == (0, 20)


def test_a_machine_that_cannot_do_the_work_is_told_by_its_cause(machines):
    def import_what_is_not_there(_):
        import smern_ros.no_such_module  # noqa: F401

    with connected(machines.address) as cluster, pytest.raises(ClusterError, match='no_such_module.*install the same'):
        list(cluster.each(import_what_is_not_there, [(0, (0,))]))


def test_results_that_only_the_other_machine_sees_are_told(features, tmp_path, monkeypatch):
    class Elsewhere:
        def each(self, _, calls, **__):
            return ((run, None) for run, _ in calls)

    monkeypatch.setattr(training_workers, '_PATIENCE', 0.0)
    with pytest.raises(ClusterError, match='must see the same folder'):
        list(training_workers._on_cluster(Elsewhere(), Work(features, tmp_path), False, runs()))


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
