# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Doing the jobs of all experiments, in several processes, from wherever they were left."""
from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from smern_ros.training.benchmarks.experiment import BenchmarkJob, Experiment, Need, jobs
from smern_ros.training.benchmarks.result_store import BenchmarkStore, Result
from smern_ros.training.common import jobs as common_jobs
from smern_ros.training.common.jobs import Failure, JobError, Progress, one_thread, workers


def run_jobs(
    experiments: Iterable[Experiment], store: BenchmarkStore, *, processes: int = 1,
    report: Callable[[Progress[BenchmarkJob]], object] | None = None,
) -> list[Failure[BenchmarkJob]]:
    """Do all jobs that are not done, and before them what these need. Each is stored when it ends.

    Killed at any time, it loses the jobs in hand, one a process; called again, it goes on. A job that fails fails
    alone.

    :param processes: of one thread each; 1 does all in this one.
    :raises JobError: if what jobs need cannot be made.
    :raises WorkersError: if a process dies.
    """
    every = [job for experiment in experiments for job in jobs(experiment)]
    needs = {need.name: (need,) for job in every if job not in store for need in job.experiment.needs}
    with workers(processes) as pool:
        for name, error in pool.map(_make, needs):
            if error is not None:
                raise JobError(f'{name} cannot be made: {error}')
        return common_jobs.run(
            [every], partial(_do, store.folder), store, pool, kind=lambda job: job.experiment.name, report=report
        )


def _make(need: Need) -> None:
    with one_thread():
        need.make()


def _do(folder: Path, job: BenchmarkJob) -> None:
    _forget_peak()
    began = time.monotonic()
    with one_thread():
        predictions = tuple(job.experiment.run(job.fold, job.seed))
    if len(predictions) != len(job.experiment.rows):
        raise ValueError(f'it gave {len(predictions)} predictions for {len(job.experiment.rows)} rows')
    BenchmarkStore(folder).put(job, Result(predictions, time.monotonic() - began, _peak()))


_STATUS, _FORGET = Path('/proc/self/status'), Path('/proc/self/clear_refs')


def _forget_peak() -> None:
    try:
        _FORGET.write_text('5')  # Linux: the peak is counted from here on
    except OSError:
        return  # then it is that of the process's whole life


def _peak() -> int:
    """Bytes of memory that this process had at most."""
    try:
        lines = _STATUS.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith('VmHWM'))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == 'darwin' else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
