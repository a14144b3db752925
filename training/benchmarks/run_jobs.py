"""Doing the jobs of all experiments, in several processes, from wherever they were left."""
from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from smern_ros.training.benchmarks.experiment import BenchmarkJob, Experiment, Need, jobs
from smern_ros.training.benchmarks.store import BenchmarkStore, BenchmarkStoreError, Result
from smern_ros.training.common.process_pool import each
from smern_ros.training.iemocap.features.extraction_workers import WorkerDied


@dataclass(frozen=True)
class BenchmarkProgress:
    """How far everything is. `error` tells why the last job was not stored; None if it was."""

    done: int
    total: int
    seconds_left: float  # nan as long as no job tells how long one takes
    last: BenchmarkJob
    error: str | None


@dataclass(frozen=True)
class BenchmarkFailure:
    """A job that could not be done; all others were. It is tried again the next time."""

    job: BenchmarkJob
    error: str


def run_jobs(
    experiments: Iterable[Experiment], store: BenchmarkStore, *, processes: int = 1,
    report: Callable[[BenchmarkProgress], object] = lambda progress: None,
) -> list[BenchmarkFailure]:
    """Do all jobs that are not done, and before them what these need. Each is stored when it ends.

    Killed at any time, it loses the jobs in hand, one a process; called again, it goes on. A job that fails fails
    alone.

    :param processes: of one thread each; 1 does all in this one.
    :raises StoreError: if a process dies.
    """
    if processes < 1:
        raise ValueError(f'processes is {processes}; wanted 1 or more')
    everything = [job for experiment in experiments for job in jobs(experiment)]
    todo = [job for job in everything if job not in store]
    needs = {need.name: need for job in todo for need in job.experiment.needs}
    for _ in _spread(_make, list(needs.values()), processes):
        pass
    clock = _Clock(everything, store, processes, report)
    tasks = [(job, store.folder) for job in todo]
    for (job, _), error in _spread(_do, tasks, processes):
        clock.tick(job, error)
    return clock.failures


def _make(need: Need) -> None:
    _one_thread()
    need.make()


def _do(task: tuple[BenchmarkJob, Path]) -> str | None:
    """What went wrong, None if nothing did. Anything may: one job must not end a night's work."""
    job, folder = task
    _one_thread()
    _forget_peak()
    began = time.monotonic()
    try:
        predictions = tuple(job.experiment.run(job.fold, job.seed))
        if len(predictions) != len(job.experiment.rows):
            return f'it gave {len(predictions)} predictions for {len(job.experiment.rows)} rows'
        BenchmarkStore(folder).put(job, Result(predictions, time.monotonic() - began, _peak()))
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return None


def _spread(do: Callable, tasks: Sequence, processes: int) -> Iterator[tuple]:
    """Each task and what `do` made of it, as they end."""
    if processes == 1 or len(tasks) < 2:
        yield from ((task, do(task)) for task in tasks)
        return
    try:
        yield from each(do, [(task, (task,)) for task in tasks], processes)
    except WorkerDied as error:
        raise BenchmarkStoreError(str(error)) from None


def _one_thread() -> None:
    """More threads add up in another order: results would depend on the machine, and jobs get into each other's way."""
    import torch

    torch.set_num_threads(1)


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


class _Clock:
    """Tells how far everything is, and how long the rest takes by how long each experiment's jobs took."""

    def __init__(
        self,
        everything: Sequence[BenchmarkJob],
        store: BenchmarkStore,
        processes: int,
        report: Callable[[BenchmarkProgress], object],
    ):
        self.failures: list[BenchmarkFailure] = []
        self._total = len(everything)
        self._left = [job for job in everything if job not in store]
        self._store, self._processes, self._report = store, processes, report
        self._seconds: dict[str, list[float]] = {}
        for job in everything:
            if job in store:
                self._learn(job)

    def tick(self, job: BenchmarkJob, error: str | None) -> None:
        self._left.remove(job)
        if error is None:
            self._learn(job)
        else:
            self.failures.append(BenchmarkFailure(job, error))
        done = self._total - len(self._left) - len(self.failures)
        self._report(BenchmarkProgress(done, self._total, self._seconds_left(), job, error))

    def _learn(self, job: BenchmarkJob) -> None:
        try:
            self._seconds.setdefault(job.experiment.name, []).append(self._store.get(job).seconds)
        except BenchmarkStoreError:
            return  # who reads its results will be told

    def _seconds_left(self) -> float:
        means = {name: sum(times) / len(times) for name, times in self._seconds.items()}
        if not means:
            return math.nan
        typical = sum(means.values()) / len(means)
        return sum(means.get(job.experiment.name, typical) for job in self._left) / self._processes
