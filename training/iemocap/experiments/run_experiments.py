"""Carrying out a plan of runs, in several processes or on a cluster, from wherever it was left."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from smern_ros.training.iemocap.experiments import network_samples
from smern_ros.training.iemocap.experiments.results import ExperimentStore, ExperimentStoreError
from smern_ros.training.iemocap.experiments.runs import Run
from smern_ros.training.iemocap.experiments.train_network import TRAINERS, Machine
from smern_ros.training.iemocap.experiments.training_workers import TrainingWorker, Work, hands


@dataclass(frozen=True)
class ExperimentProgress:
    """How far a plan is. `error` tells why the last run was not stored; None if it was."""

    done: int
    total: int
    seconds_left: float  # nan as long as no run tells how long one takes
    last: Run
    error: str | None


@dataclass(frozen=True)
class ExperimentFailure:
    """A run that could not be done; all others were. It is tried again the next time."""

    run: Run
    error: str


def run_experiments(
    runs: Iterable[Run], work: Work, *, jobs: int = 1, ray: str = '',
    report: Callable[[ExperimentProgress], object] | None = None,
) -> list[ExperimentFailure]:
    """Do all runs that are not done, those first with which others begin. Each is stored when it ends.

    Killed at any time, it loses the runs in hand, one a job; called again, it goes on. A run that fails fails alone.

    :param jobs: processes of one thread each; 1 does all in this one.
    :param ray: address of a cluster, which then does the work, a run a core or GPU; see `connected`.
    :raises FeatureError: if the features cannot be read, or hold what is no number.
    :raises StoreError: if `work.out` holds results of other data, or cannot be written; if a process died.
    :raises ClusterError: if there is no such cluster, or no more.
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
    first, second = _waves(runs)
    if all(run in store for run in (*first, *second)):
        return []
    with hands(worker, work, jobs, ray) as (do, slots):
        clock = _Clock([*first, *second], store, slots, report)
        for wave in (first, second):
            for run, error in do([run for run in wave if run not in store]):
                clock.tick(run, error)
    return clock.failures


def with_beforehand(runs: Iterable[Run]) -> list[Run]:
    """The runs in their order, each once, and before them the ones that they begin with."""
    first, second = _waves(runs)
    return [*first, *second]


def _waves(runs: Iterable[Run]) -> tuple[list[Run], list[Run]]:
    """Those that begin at random, and those that begin with the network of one of these."""
    runs = list(runs)
    needed = [run.beforehand for run in runs if run.beforehand is not None]
    first = {run.id: run for run in [*(run for run in runs if not run.pretrained), *needed]}
    second = {run.id: run for run in runs if run.pretrained}
    return list(first.values()), list(second.values())


class _Clock:
    """Tells how far a plan is, and how long the rest takes by how long each network took on as much data."""

    def __init__(
        self,
        runs: Sequence[Run],
        store: ExperimentStore,
        jobs: int,
        report: Callable[[ExperimentProgress], object] | None,
    ):
        self.failures: list[ExperimentFailure] = []
        self.total = len(runs)
        self.left = {run.id: run for run in runs if run not in store}
        self._store, self._jobs, self._report = store, jobs, report
        self._seconds: dict[tuple[str, float | None], list[float]] = {}
        for run in runs:
            if run in store:
                self._learn(run)

    def tick(self, run: Run, error: str | None) -> None:
        self.left.pop(run.id)
        if error is None:
            self._learn(run)
        else:
            self.failures.append(ExperimentFailure(run, error))
        if self._report is not None:
            done = self.total - len(self.left) - len(self.failures)
            self._report(ExperimentProgress(done, self.total, self._seconds_left(), run, error))

    def _learn(self, run: Run) -> None:
        try:
            self._seconds.setdefault(_kind(run), []).append(self._store.metrics(run).seconds)
        except ExperimentStoreError:
            return  # who reads its results will be told

    def _seconds_left(self) -> float:
        means = {kind: sum(times) / len(times) for kind, times in self._seconds.items()}
        if not means:
            return float('nan')
        typical = sum(means.values()) / len(means)
        return sum(means.get(_kind(run), typical) for run in self.left.values()) / self._jobs


def _kind(run: Run) -> tuple[str, float | None]:
    """Runs of a kind take about as long."""
    return run.model, run.fraction
