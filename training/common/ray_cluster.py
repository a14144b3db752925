"""Work over the machines of a Ray cluster, which all see the same files under the same paths."""
from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

LOCAL = 'local'
"""The address that starts a cluster of this machine alone."""
TRIES = 2
"""Of work whose process died: the machine may have been switched off, and another does it."""
_PATIENCE = 5.0  # s

Item = TypeVar('Item')


class ClusterError(Exception):
    """There is no such cluster, it is there no more, or Ray itself is missing."""


class Lost(Exception):
    """The process that did a piece of work died, each time that it was tried."""


class Cluster:
    """One that this process is connected to."""

    def __init__(self, ray: Any):
        self._ray = ray

    def slots(self, *, gpu: bool = False) -> int:
        """How many pieces of work, each on a core or a GPU, it can do at a time, as of now."""
        return max(int(self._ray.cluster_resources().get('GPU' if gpu else 'CPU', 0)), 1)

    def each(
        self, function: Callable[..., Any], calls: Sequence[tuple[Item, tuple]], *, gpu: bool = False
    ) -> Iterator[tuple[Item, Any]]:
        """What `function` returns of each call's arguments, or `Lost`, as soon as it is known.

        :param calls: what each is called in the answer, and the arguments.
        :param gpu: each call has a GPU for itself.
        :raises ClusterError: if a machine cannot run the function at all, or the cluster is there no more.
        """
        ray = self._ray
        # Ray itself would try again for ever what dies for want of memory.
        task = ray.remote(num_cpus=1, num_gpus=int(gpu), max_retries=0)(function)
        pending = {task.remote(*arguments): (item, arguments, 1) for item, arguments in calls}
        while pending:
            (done, *_), _ = ray.wait(list(pending), num_returns=1)
            item, arguments, tries = pending.pop(done)
            try:
                result = ray.get(done)
            except ray.exceptions.RayTaskError as error:
                raise ClusterError(
                    f'a machine of the cluster cannot do this ({_plain(error.cause or error)}); install the same '
                    'smern_ros on all of them'
                ) from None
            except (
                ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError,
                ray.exceptions.LocalRayletDiedError,
            ) as error:
                if tries < TRIES:
                    pending[task.remote(*arguments)] = item, arguments, tries + 1
                    continue
                if isinstance(error, ray.exceptions.LocalRayletDiedError):  # no other machine can be reached
                    raise _gone(error) from None
                result = Lost(f'the process that did it died, {TRIES} times, perhaps for want of memory '
                              f'({type(error).__name__})')
            except ray.exceptions.RayError as error:
                raise _gone(error) from None
            yield item, result


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """
    :param address: as Ray writes it: HOST:PORT, 'auto' for the cluster that this machine is of, or 'local'.
    :raises ClusterError: if there is none.
    """
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # read by Ray, which else reports home
    try:
        import ray
    except ImportError as error:
        raise ClusterError('Ray is not installed: pip install "ray>=2.40"') from error
    _require_listener(address)
    local: dict[str, Any] = {'include_dashboard': False} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local)
    except Exception as error:  # Ray raises nothing more special if one of its own processes does not start in time
        raise ClusterError(f'no Ray cluster at {address}: {_plain(error)}') from error
    try:
        yield Cluster(ray)
    finally:
        ray.shutdown()


def _require_listener(address: str) -> None:
    """Ray itself would look for minutes."""
    host, colon, port = address.rpartition(':')
    if not (colon and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f'no Ray cluster at {address}: {error}') from error


def _gone(error: Exception) -> ClusterError:
    return ClusterError(f'the cluster gave up ({_plain(error)}); what was done is kept: start again')


def _plain(error: BaseException) -> str:
    """Its first line; Ray adds what it knows of the machine."""
    lines = str(error).strip().splitlines()
    return f'{type(error).__name__}: {lines[0]}' if lines else type(error).__name__
