"""Units of work over processes of this machine."""
from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from smern_ros.training.iemocap.features.unit import Unit


class WorkerDied(Exception):
    """A process ended by itself, as for want of memory."""


def extract(units: Sequence[Unit], cache: Path, jobs: int) -> Iterator[tuple[Unit, Exception | None]]:
    """Each unit as soon as it is done, or what stopped it.

    When the caller stops to iterate, or dies, so do the processes; what they have not ended is lost.

    :param jobs: processes; 1: none but this.
    :raises WorkerDied: if a process did; the units not yet given may be begun anew.
    """
    if jobs == 1 or len(units) < 2:
        for unit in units:
            yield unit, attempt(unit, cache)
        return
    context = multiprocessing.get_context('spawn')  # threads of video and network libraries survive no fork
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(min(jobs, len(units)), mp_context=context, initializer=begin)
    try:
        futures = {executor.submit(attempt, unit, cache): unit for unit in units}
        for future in as_completed(futures):
            yield futures.pop(future), future.result()
    except BrokenProcessPool:
        raise WorkerDied(
            'a process ended by itself (out of memory?); what was done is kept: start again, perhaps with fewer --jobs'
        ) from None
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()


def attempt(unit: Unit, cache: Path) -> Exception | None:
    """:return: what stopped it, in words of ours; None if nothing did."""
    try:
        unit.extract(cache)
    except Exception as error:  # one dialog must not end all; whoever asked tells of it
        return _plain(error)
    return None


def _plain(error: Exception) -> Exception:
    """The same error, but one that any process can read."""
    if isinstance(error, OSError):
        return OSError(str(error))
    return RuntimeError(f'{type(error).__name__}: {error}')


def begin() -> None:
    """In each process, first of all: one thread each, and an end with whoever started it."""
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
