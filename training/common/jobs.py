# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs jobs in this process, in several processes or on a Ray cluster. What is stored is not run again.

A job has an `id` and stores its result itself, complete or not at all: a command that is stopped continues from there.
"""
from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

LOCAL = 'local'
"""The Ray address that starts a cluster of this machine alone."""
TRIES = 2
"""On a cluster, of a job whose process died: the machine may have been switched off, and another runs it."""
STORED_WITHIN = 60.0
"""Seconds until a file that one machine of a cluster wrote is seen by the others, as on shared file systems."""
_CONNECT_WITHIN = 5.0  # s


class JobError(Exception):
    """Why a job failed."""


class JobLost(JobError):
    """The process that ran the job died, each time that it was tried."""


class WorkersError(Exception):
    """No jobs can be run any more: a process died, or there is no cluster. Says what to do."""


class Job(Protocol):
    @property
    def id(self) -> str: ...


AnyJob = TypeVar('AnyJob', bound=Job)


class ResultStore(Protocol[AnyJob]):  # type: ignore[misc]
    """Results on disk."""

    def __contains__(self, job: AnyJob) -> bool: ...

    def seconds(self, job: AnyJob) -> float | None:
        """What the stored job took; None if its result cannot be read."""


@dataclass(frozen=True)
class Failure(Generic[AnyJob]):
    """A job that failed. It is tried again the next time."""

    job: AnyJob
    error: str


@dataclass(frozen=True)
class Progress(Generic[AnyJob]):
    """State of a run after its `last` job. `error` says why that one was not stored; None if it was."""

    done: int
    total: int
    seconds_left: float  # nan as long as the duration of no job is known
    last: AnyJob
    error: str | None


class Workers:
    """Processes of this machine, of one thread each; a single one is this process."""

    slots: int  # jobs at a time
    stored_within = 0.0

    def __init__(self, processes: int):
        self.slots = processes

    def map(
        self, function: Callable[..., object], calls: Mapping[str, tuple]
    ) -> Generator[tuple[str, JobError | OSError | None], None, None]:
        """Call `function` with the arguments of each job; yields its id and what it raised, as each ends.

        If the caller stops iterating or dies, the processes end; jobs that have not ended are lost.

        :raises WorkersError: if a process dies.
        """
        if min(self.slots, len(calls)) < 2:
            yield from ((job, _attempt(function, arguments)) for job, arguments in calls.items())
            return
        context = multiprocessing.get_context('spawn')  # threads of video and network libraries survive no fork
        before = set(multiprocessing.active_children())
        executor = ProcessPoolExecutor(min(self.slots, len(calls)), context, begin_process)
        waiting, running = iter(calls.items()), dict[Future, str]()
        try:
            while True:
                while len(running) < self.slots and (call := next(waiting, None)):
                    running[executor.submit(_attempt, function, call[1])] = call[0]
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    error = future.result()
                    yield running.pop(future), error
        except BrokenProcessPool:
            raise WorkersError(
                f'a process died, perhaps out of memory, while these ran: {"; ".join(running.values())}. '
                'What was done is kept: run it again, perhaps with fewer --jobs'
            ) from None
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - before:
                process.terminate()


class RayWorkers(Workers):
    """Machines of a cluster, which all see the same files under the same paths. A job has a core, or a GPU."""

    stored_within = STORED_WITHIN

    def __init__(self, ray: Any, gpu: bool):
        self._ray, self._gpu = ray, gpu
        super().__init__(max(int(ray.cluster_resources().get('GPU' if gpu else 'CPU', 0)), 1))

    def map(
        self, function: Callable[..., object], calls: Mapping[str, tuple]
    ) -> Generator[tuple[str, JobError | OSError | None], None, None]:
        """As of processes. A job whose process dies is tried again, then it is `JobLost`.

        :raises WorkersError: if a machine cannot run the function at all, or the cluster is gone.
        """
        ray = self._ray
        # Ray itself would retry forever what dies out of memory.
        task = ray.remote(num_cpus=1, num_gpus=int(self._gpu), max_retries=0)(_attempt_on_machine)
        pending = {task.remote(function, arguments): (job, arguments, 1) for job, arguments in calls.items()}
        while pending:
            (done, *_), _ = ray.wait(list(pending), num_returns=1)
            job, arguments, tries = pending.pop(done)
            try:
                error = ray.get(done)
            except ray.exceptions.RayTaskError as failed:
                raise WorkersError(
                    f'a machine of the cluster cannot do this ({_first_line(failed.cause or failed)}); install the '
                    'same smern_ros on all of them'
                ) from None
            except (
                ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError,
                ray.exceptions.LocalRayletDiedError,
            ) as died:
                if tries < TRIES:
                    pending[task.remote(function, arguments)] = job, arguments, tries + 1
                    continue
                if isinstance(died, ray.exceptions.LocalRayletDiedError):  # no other machine can be reached
                    raise _gone(died) from None
                error = JobLost(
                    f'its process died, {TRIES} times, perhaps out of memory ({type(died).__name__})'
                )
            except ray.exceptions.RayError as failed:
                raise _gone(failed) from None
            yield job, error


@contextlib.contextmanager
def workers(processes: int = 1, *, ray: str = '', gpu: bool = False) -> Iterator[Workers]:
    """
    :param ray: address of a cluster that is used instead of processes, as Ray writes it: HOST:PORT, 'auto' for the
        cluster that this machine belongs to, or 'local'.
    :param gpu: on a cluster, each job has a GPU for itself.
    :raises ValueError: if there would be no process.
    :raises WorkersError: if there is no such cluster.
    """
    if processes < 1:
        raise ValueError(f'{processes} processes; wanted 1 or more')
    if not ray:
        yield Workers(processes)
        return
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # read by Ray, which else reports home
    try:
        import ray as library
    except ImportError as error:
        raise WorkersError('Ray is not installed: pip install "ray>=2.40"') from error
    _require_listener(ray)
    local: dict[str, Any] = {'include_dashboard': False} if ray == LOCAL else {}
    try:
        library.init(address=ray, log_to_driver=False, logging_level=logging.ERROR, **local)
    except Exception as error:  # Ray raises nothing more special if one of its own processes does not start in time
        raise WorkersError(f'no Ray cluster at {ray}: {_first_line(error)}') from error
    try:
        yield RayWorkers(library, gpu)
    finally:
        library.shutdown()


def run(
    waves: Iterable[Iterable[AnyJob]], function: Callable[[AnyJob], object], store: ResultStore[AnyJob],
    workers: Workers, *, kind: Callable[[AnyJob], Hashable], report: Callable[[Progress[AnyJob]], object] | None = None,
) -> list[Failure[AnyJob]]:
    """Run the jobs that are not stored; a wave begins when the one before has ended. A job that fails fails alone.

    :param function: runs a job and stores its result; picklable if there are several processes.
    :param kind: jobs of a kind take about as long.
    :raises WorkersError: if no more jobs can be run, or a result that was stored elsewhere is not seen here.
    """
    waves = [list(wave) for wave in waves]
    every = {job.id: job for wave in waves for job in wave}
    left = {job.id: job for job in every.values() if job not in store}
    durations: dict[Hashable, list[float]] = defaultdict(list)
    failures: list[Failure[AnyJob]] = []

    def note_duration(job: AnyJob) -> None:
        if (seconds := store.seconds(job)) is not None:
            durations[kind(job)].append(seconds)

    def seconds_left() -> float:
        means = {of: sum(seconds) / len(seconds) for of, seconds in durations.items()}
        typical = sum(means.values()) / len(means) if means else math.nan
        return sum(means.get(kind(job), typical) for job in left.values()) / workers.slots if means else math.nan

    for job in every.values():
        if job.id not in left:
            note_duration(job)
    for wave in waves:
        calls = {job.id: (job,) for job in wave if job not in store}
        with contextlib.closing(workers.map(function, calls)) as ended:
            for name, error in ended:
                job = left.pop(name)
                if error is not None:
                    failures.append(Failure(job, str(error)))
                else:
                    _require_stored(job, store, workers.stored_within)
                    note_duration(job)
                if report is not None:
                    done = len(every) - len(left) - len(failures)
                    report(Progress(done, len(every), seconds_left(), job, None if error is None else str(error)))
    return failures


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch with one thread: several add up in another order, so that results would depend on the machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def begin_process() -> None:
    """Initialise a worker process: one thread, and an end with the process that started it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, as in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'):
        os.environ.setdefault(name, '1')
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _attempt(function: Callable[..., object], arguments: tuple) -> JobError | OSError | None:
    """What a job raised, as an error that any process can unpickle. One job must not end all others."""
    try:
        function(*arguments)
    except OSError as error:
        return OSError(str(error))
    except Exception as error:
        return JobError(f'{type(error).__name__}: {error}')
    return None


def _attempt_on_machine(function: Callable[..., object], arguments: tuple) -> JobError | OSError | None:
    error = _attempt(function, arguments)
    return None if error is None else type(error)(f'on {socket.gethostname()}: {error}')


def _require_stored(job: AnyJob, store: ResultStore[AnyJob], within: float) -> None:
    end = time.monotonic() + within
    while job not in store:
        if time.monotonic() > end:
            raise WorkersError(
                f'{job.id} was stored, but its result is not seen on this machine; all machines of a cluster must see '
                'the same folder under the same path'
            )
        time.sleep(0.2)


def _require_listener(address: str) -> None:
    """Ray itself would look for minutes."""
    host, colon, port = address.rpartition(':')
    if not (colon and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_WITHIN).close()
    except (OSError, OverflowError) as error:
        raise WorkersError(f'no Ray cluster at {address}: {error}') from error


def _gone(error: Exception) -> WorkersError:
    return WorkersError(f'the cluster gave up ({_first_line(error)}); what was done is kept: run it again')


def _first_line(error: BaseException) -> str:
    """Ray adds what it knows of the machine."""
    lines = str(error).strip().splitlines()
    return f'{type(error).__name__}: {lines[0]}' if lines else type(error).__name__
