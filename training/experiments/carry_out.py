"""Carrying out a plan of runs, in several processes, from wherever it was left."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from smern_ros.training.experiments import vectors
from smern_ros.training.experiments.results import Store, StoreError
from smern_ros.training.experiments.runs import Run, execute
from smern_ros.training.experiments.train import Machine
from smern_ros.training.experiments.vectors import WordVectors
from smern_ros.training.features.store import FeatureError, FeatureSet


@dataclass(frozen=True)
class Work:
    """What a process needs to know to do runs: paths, for it reads the features itself."""

    features: Path
    out: Path
    machine: Machine = field(default_factory=Machine)
    glove: Path | None = None  # word vectors to begin with; None begins at random


@dataclass(frozen=True)
class Progress:
    """How far a plan is. `error` tells why the last run was not stored; None if it was."""

    done: int
    total: int
    seconds_left: float  # nan as long as no run tells how long one takes
    last: Run
    error: str | None


@dataclass(frozen=True)
class Failure:
    """A run that could not be done; all others were. It is tried again the next time."""

    run: Run
    error: str


class Worker:
    """One process's memory: the features are read once, then any number of runs done."""

    def __init__(self, work: Work):
        """
        :raises FeatureError: if the features cannot be read.
        :raises ValueError: if the word vectors cannot.
        """
        self.work = work
        self.features = FeatureSet.load(work.features, memory_mapped=True)
        self.vectors = _vectors(work.glove, self.features)
        self.store = Store(work.out)

    def do(self, run: Run) -> None:
        """Nothing if it is done already.

        :raises ValueError: if the corpus is too small for it, or training diverges.
        :raises StoreError: if what it begins with is missing or damaged.
        """
        if run in self.store:
            return
        start = None if run.beforehand is None else self.store.start(run.beforehand)
        with _one_thread():
            outcome = execute(
                run, self.features, start=start, vectors=self.vectors, machine=self.work.machine
            )
        self.store.put(run, outcome)


def carry_out(
    runs: Iterable[Run], work: Work, *, jobs: int = 1, report: Callable[[Progress], object] | None = None
) -> list[Failure]:
    """Do all runs that are not done, those first with which others begin. Each is stored when it ends.

    Killed at any time, it loses the runs in hand, one a job; called again, it goes on. A run that fails fails alone.

    :param jobs: processes of one thread each; 1 does all in this one.
    :raises FeatureError: if the features cannot be read.
    :raises StoreError: if `work.out` holds results of other data, or cannot be written.
    """
    if jobs < 1:
        raise ValueError(f'jobs is {jobs}; wanted 1 or more')
    worker = Worker(work)
    worker.store.claim(worker.features, vectors='random' if worker.vectors is None else worker.vectors.digest)
    first, second = _waves(runs)
    clock = _Clock([*first, *second], worker.store, jobs, report)
    for wave in (first, second):
        todo = [run for run in wave if run not in worker.store]
        finished = _here(worker, todo) if jobs == 1 else _in_processes(work, todo, jobs)
        for run, error in finished:
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


def _here(worker: Worker, todo: Sequence[Run]) -> Iterator[tuple[Run, str | None]]:
    for run in todo:
        yield run, _attempt(worker, run)


_worker: Worker | None = None  # of a process that does runs for another


def _begin(work: Work) -> None:
    global _worker
    _worker = Worker(work)


def _do(run: Run) -> str | None:
    assert _worker is not None
    return _attempt(_worker, run)


def _in_processes(work: Work, todo: Sequence[Run], jobs: int) -> Iterator[tuple[Run, str | None]]:
    import multiprocessing

    if not todo:
        return
    waiting = list(reversed(todo))
    # Spawned: what torch's threads held would be locked for ever in a fork.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(min(jobs, len(todo)), context, _begin, (work,)) as pool:
        running: dict[Future[str | None], Run] = {}
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    run = waiting.pop()
                    running[pool.submit(_do, run)] = run
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield running.pop(future), future.result()
        except BrokenProcessPool:
            raise StoreError(
                f'a process of {jobs} died, perhaps for want of memory; what was done is stored: '
                'run it again, with fewer jobs'
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _attempt(worker: Worker, run: Run) -> str | None:
    """What went wrong, None if nothing did. Anything may: one run must not end a night's work."""
    try:
        worker.do(run)
    except (ValueError, FeatureError, StoreError) as error:
        return str(error)
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return None


@contextmanager
def _one_thread() -> Iterator[None]:
    """More threads add up in another order: results would depend on the machine, and jobs get into each other's way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Clock:
    """Tells how far a plan is, and how long the rest takes by how long each network took."""

    def __init__(self, runs: Sequence[Run], store: Store, jobs: int, report: Callable[[Progress], object] | None):
        self.failures: list[Failure] = []
        self.total = len(runs)
        self.left = {run.id: run for run in runs if run not in store}
        self._store, self._jobs, self._report = store, jobs, report
        self._seconds: dict[str, list[float]] = {}
        for run in runs:
            if run in store:
                self._learn(run)

    def tick(self, run: Run, error: str | None) -> None:
        self.left.pop(run.id)
        if error is None:
            self._learn(run)
        else:
            self.failures.append(Failure(run, error))
        if self._report is not None:
            done = self.total - len(self.left) - len(self.failures)
            self._report(Progress(done, self.total, self._seconds_left(), run, error))

    def _learn(self, run: Run) -> None:
        try:
            self._seconds.setdefault(run.model, []).append(self._store.metrics(run).seconds)
        except StoreError:
            return  # who reads its results will be told

    def _seconds_left(self) -> float:
        means = {model: sum(times) / len(times) for model, times in self._seconds.items()}
        if not means:
            return float('nan')
        typical = sum(means.values()) / len(means)
        return sum(means.get(run.model, typical) for run in self.left.values()) / self._jobs


def _vectors(glove: Path | None, features: FeatureSet) -> WordVectors | None:
    if glove is None:
        return None
    return vectors.read(glove, vectors.words_of(row.text for row in features.utterances))
