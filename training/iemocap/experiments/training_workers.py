"""Who does runs: this process, several of this machine, or those of a cluster."""
from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from smern_ros.training.common import process_pool
from smern_ros.training.common.machine import described
from smern_ros.training.common.ray_cluster import Cluster, ClusterError, Lost, connected
from smern_ros.training.iemocap.experiments import vectors
from smern_ros.training.iemocap.experiments.results import ExperimentStore, ExperimentStoreError
from smern_ros.training.iemocap.experiments.runs import Run, execute
from smern_ros.training.iemocap.experiments.train_network import Machine
from smern_ros.training.iemocap.experiments.vectors import WordVectors
from smern_ros.training.iemocap.features.extraction_workers import WorkerDied
from smern_ros.training.iemocap.features.store import FeatureError, FeatureSet
from smern_ros.utils import malloc

_PATIENCE = 60.0
"""Seconds until a file that one machine wrote is seen by the others: shared file systems look again so often."""

Doing = Callable[[Sequence[Run]], Iterator[tuple[Run, str | None]]]
"""Does runs in whatever order, and tells of each when it ends what went wrong; None if nothing did."""


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
        self.vectors = _vectors(work.glove, self.features)
        self.store = ExperimentStore(work.out)

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
        self.store.put(run, outcome, machine=described(self.work.machine))


@contextmanager
def hands(worker: TrainingWorker, work: Work, jobs: int, ray: str) -> Iterator[tuple[Doing, int]]:
    """Who does the runs, and how many at a time."""
    if ray:
        gpu = work.machine.device.startswith('cuda')
        with connected(ray) as cluster:
            yield partial(_on_cluster, cluster, work, gpu), cluster.slots(gpu=gpu)
    elif jobs > 1:
        yield partial(_in_processes, work, jobs), jobs
    else:
        yield partial(_here, worker), 1


def _here(worker: TrainingWorker, todo: Sequence[Run]) -> Iterator[tuple[Run, str | None]]:
    for run in todo:
        yield run, _attempt(worker, run)


_worker: TrainingWorker | None = None  # of a process that does runs for another


def _do(work: Work, run: Run) -> str | None:
    global _worker
    if _worker is None or _worker.work != work:
        try:
            _worker = TrainingWorker(work)
        except (ValueError, FeatureError) as error:
            return f'on {socket.gethostname()}: {error}'
    return _attempt(_worker, run)


def _on_cluster(cluster: Cluster, work: Work, gpu: bool, todo: Sequence[Run]) -> Iterator[tuple[Run, str | None]]:
    store = ExperimentStore(work.out)
    for run, error in cluster.each(_do, [(run, (work, run)) for run in todo], gpu=gpu):
        if error is None and not _appears(run, store):
            raise ClusterError(
                f'a machine of the cluster stored {run.id}, but it is not in {store.runs} of this one; all machines '
                'must see the same folder under this path'
            )
        yield run, str(error) if isinstance(error, Lost) else error


def _appears(run: Run, store: ExperimentStore) -> bool:
    end = time.monotonic() + _PATIENCE
    while run not in store:
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _in_processes(work: Work, jobs: int, todo: Sequence[Run]) -> Iterator[tuple[Run, str | None]]:
    try:
        yield from process_pool.each(_do, [(run, (work, run)) for run in todo], jobs)
    except WorkerDied as error:
        raise ExperimentStoreError(str(error)) from None


def _attempt(worker: TrainingWorker, run: Run) -> str | None:
    """What went wrong, None if nothing did. Anything may: one run must not end a night's work."""
    try:
        worker.do(run)
    except (ValueError, FeatureError, ExperimentStoreError) as error:
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


def _vectors(glove: Path | None, features: FeatureSet) -> WordVectors | None:
    if glove is None:
        return None
    return vectors.read(glove, vectors.words_of(row.text for row in features.utterances))
