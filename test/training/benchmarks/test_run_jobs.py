# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Jobs are done once, in any number of processes, and never again unless what they depend on changes."""
import math

import pytest
from support.dice import TABLE, Same, dice

from smern_ros.training.benchmarks.collect import collect_results
from smern_ros.training.benchmarks.experiment import BenchmarkRow, jobs
from smern_ros.training.benchmarks.result_store import BenchmarkStore, BenchmarkStoreError, key
from smern_ros.training.benchmarks.run_jobs import run_jobs


def thrown(tmp_path):
    return sorted((tmp_path / 'log').read_text().splitlines())


@pytest.mark.parametrize('processes', [1, 2])
def test_everything_is_done_once_after_what_it_needs(tmp_path, processes):
    store, told = BenchmarkStore(tmp_path / 'jobs'), []
    assert run_jobs([dice(tmp_path)], store, processes=processes, report=told.append) == []
    assert run_jobs([dice(tmp_path)], store, processes=processes) == []
    assert thrown(tmp_path) == ['a 0', 'a 1', 'b 0', 'b 1']
    assert (tmp_path / 'need').read_text() == 'made\n'
    assert [progress.done for progress in told] == [1, 2, 3, 4]
    assert told[-1].seconds_left == 0 and not math.isnan(told[0].seconds_left)
    result = store.get(jobs(dice(tmp_path))[0])
    assert result.seconds >= 0 and result.peak_bytes > 2**20


def test_a_job_that_fails_fails_alone_and_its_seed_is_left_out_of_the_table(tmp_path):
    store = BenchmarkStore(tmp_path / 'jobs')
    failures = run_jobs([dice(tmp_path, broken='b', seeds=(0,))], store)
    assert [(f.job.fold, f.error) for f in failures] == [('b', 'ValueError: the die fell off the table')]
    gathered = collect_results([dice(tmp_path, seeds=(0,))], store)
    assert (gathered.done, gathered.total) == (1, 2)
    ((_, (measured,)),) = gathered.tables
    assert measured.scores == () and measured.uar is None
    run_jobs([dice(tmp_path, seeds=(0,))], store)
    ((_, (measured,)),) = collect_results([dice(tmp_path, seeds=(0,))], store).tables
    assert measured.scores[0].count == 16


@pytest.mark.parametrize('change', [
    {'config': {'sides': 6}}, {'modules': ('smern_ros.training.common.splits',)},
    {'modules': ('smern_ros.training.common.metrics:measure',)}, {'name': 'other dice'}, {'folds': ('c',)},
])
def test_a_change_of_what_a_job_depends_on_makes_it_another_job(tmp_path, change):
    job, changed = jobs(dice(tmp_path))[0], jobs(dice(tmp_path, **change))[0]
    assert key(job) != key(changed)


def test_the_wrong_number_of_predictions_is_no_result(tmp_path):
    two = dice(tmp_path, rows=(BenchmarkRow(TABLE, 'one'), BenchmarkRow(TABLE, 'two')), folds=('a',), seeds=(0,))
    (failure,) = run_jobs([two], BenchmarkStore(tmp_path / 'jobs'))
    assert failure.error == 'ValueError: it gave 1 predictions for 2 rows'


def test_a_damaged_file_is_named(tmp_path):
    store, one = BenchmarkStore(tmp_path / 'jobs'), dice(tmp_path, folds=('a',), seeds=(0,))
    run_jobs([one], store)
    path = store.path(jobs(one)[0])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BenchmarkStoreError, match='is damaged .*; remove it'):
        collect_results([one], store)


def test_a_sample_that_two_folds_test_is_refused(tmp_path):
    same = dice(tmp_path, run=Same(), seeds=(0,))
    run_jobs([same], BenchmarkStore(tmp_path / 'jobs'))
    with pytest.raises(ValueError, match='clip 0 is tested in several folds'):
        collect_results([same], BenchmarkStore(tmp_path / 'jobs'))


def test_an_experiment_without_folds_or_with_a_seed_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match='folds'):
        dice(tmp_path, folds=())
    with pytest.raises(ValueError, match='seeds'):
        dice(tmp_path, seeds=(1, 1))
