# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Carrying out a plan of runs, in several processes or on a cluster, from wherever it was left."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from smern_ros.training.common import jobs as common_jobs
from smern_ros.training.common.jobs import Failure, Progress, one_thread, workers
from smern_ros.training.iemocap.experiments import network_samples, vectors
from smern_ros.training.iemocap.experiments.results import ExperimentStore
from smern_ros.training.iemocap.experiments.runs import Run, execute
from smern_ros.training.iemocap.experiments.train_network import TRAINERS, Machine
from smern_ros.training.iemocap.features.feature_store import FeatureSet
from smern_ros.utils import malloc


@dataclass(frozen=True)
class Work:
    """What a process needs to know to do runs: paths, for it reads the features itself."""

    features: Path
    out: Path
    machine: Machine = field(default_factory=Machine)
    glove: Path | None = None  # word vectors to begin with; None begins at random


class TrainingWorker:
    """One process's memory: the features are read once, then any number of runs done."""

    def __init__(self, work: Work):
        """
        :raises FeatureError: if the features cannot be read.
        :raises ValueError: if the word vectors cannot, or there is no such device.
        """
        work.machine.require()
        malloc.keep_freed(malloc.TENSORS)
        self.work = work
        self.features = FeatureSet.load(work.features, memory_mapped=True)
        self.vectors = None if work.glove is None else vectors.read(
            work.glove, vectors.words_of(row.text for row in self.features.utterances)
        )
        self.store = ExperimentStore(work.out)

    def do(self, run: Run) -> None:
        """Nothing if it is done already.

        :raises ValueError: if the corpus is too small for it, or training diverges.
        :raises StoreError: if what it begins with is missing or damaged.
        """
        if run in self.store:
            return
        start = None if run.beforehand is None else self.store.start(run.beforehand)
        with one_thread():
            outcome = execute(run, self.features, start=start, vectors=self.vectors, machine=self.work.machine)
        self.store.put(run, outcome, machine=self.work.machine.description())


def run_experiments(
    runs: Iterable[Run], work: Work, *, jobs: int = 1, ray: str = '',
    report: Callable[[Progress[Run]], object] | None = None,
) -> list[Failure[Run]]:
    """Do all runs that are not done, those first with which others begin. Each is stored when it ends.

    Killed at any time, it loses the runs in hand, one a job; called again, it goes on. A run that fails fails alone.

    :param jobs: processes of one thread each; 1 does all in this one.
    :param ray: address of a cluster, which then does the work, a run a core or GPU; see `workers`.
    :raises FeatureError: if the features cannot be read, or hold what is no number.
    :raises StoreError: if `work.out` holds results of other data, or cannot be written.
    :raises WorkersError: if a process dies, or there is no such cluster, or no more.
    """
    if jobs < 1:
        raise ValueError(f'jobs is {jobs}; wanted 1 or more')
    work = replace(work, features=work.features.absolute(), out=work.out.absolute(),
                   glove=None if work.glove is None else work.glove.absolute())
    # What the cluster computes on need not be here.
    worker = TrainingWorker(replace(work, machine=Machine()) if ray else work)
    network_samples.require_numbers(worker.features)
    runs = list(runs)
    if any(run.model in TRAINERS for run in runs):
        network_samples.require_extra(worker.features)
    store = worker.store
    store.claim(worker.features, vectors='random' if worker.vectors is None else worker.vectors.digest)
    waves = _waves(runs)
    if all(run in store for wave in waves for run in wave):
        return []
    do = partial(_do, work) if ray or jobs > 1 else worker.do
    with workers(jobs, ray=ray, gpu=work.machine.device.startswith('cuda')) as pool:
        return common_jobs.run(waves, do, store, pool, kind=lambda run: (run.model, run.fraction), report=report)


def with_beforehand(runs: Iterable[Run]) -> list[Run]:
    """The runs in their order, each once, and before them the ones that they begin with."""
    return [run for wave in _waves(runs) for run in wave]


def _waves(runs: Iterable[Run]) -> tuple[list[Run], list[Run]]:
    """Those that begin at random, and those that begin with the network of one of these."""
    runs = list(runs)
    needed = [run.beforehand for run in runs if run.beforehand is not None]
    first = {run.id: run for run in [*(run for run in runs if not run.pretrained), *needed]}
    second = {run.id: run for run in runs if run.pretrained}
    return list(first.values()), list(second.values())


def _do(work: Work, run: Run) -> None:
    """In a process that does runs for another."""
    _worker(work).do(run)


_worker = lru_cache(maxsize=1)(TrainingWorker)
