"""Calls in several processes of this machine, few of them waiting, the next begun when one ends."""
from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from smern_ros.training.iemocap.features.extraction_workers import WorkerDied, begin

Key = TypeVar('Key')


def each(function: Callable, calls: Sequence[tuple[Key, tuple]], jobs: int) -> Iterator[tuple[Key, Any]]:
    """What came of each call, `(key, arguments)`, as it ends. The processes end with this one.

    :raises WorkerDied: if a process did.
    """
    if not calls:
        return
    waiting = list(reversed(calls))
    # Spawned: what torch's threads held would be locked for ever in a fork.
    with ProcessPoolExecutor(min(jobs, len(calls)), multiprocessing.get_context('spawn'), begin) as pool:
        running: dict[Future, Key] = {}
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    key, arguments = waiting.pop()
                    running[pool.submit(function, *arguments)] = key
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield running.pop(future), future.result()
        except BrokenProcessPool:
            raise WorkerDied(
                f'a process of {jobs} died, perhaps for want of memory; what was done is stored: '
                'run it again, with fewer jobs'
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
