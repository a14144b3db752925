"""Units of work over the machines of a Ray cluster, which all see the corpus and the features under the same paths."""
from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from smern_ros.training.features.unit import Unit
from smern_ros.training.features.workers import WorkerDied, attempt

LOCAL = 'local'
"""The address that starts a cluster of this machine alone."""
_PATIENCE = 5.0  # s


class ClusterError(Exception):
    """There is no such cluster, or Ray itself is missing."""


def extract(units: Sequence[Unit], cache: Path, address: str) -> Iterator[tuple[Unit, Exception | None]]:
    """As `workers.extract`, each unit on one core somewhere.

    :param address: as Ray writes it: HOST:PORT, 'auto' for the cluster that this machine is of, or 'local'.
    :raises ClusterError: if there is none.
    :raises WorkerDied: if a process did, again and again.
    """
    ray = _connected(address)
    try:
        task = ray.remote(num_cpus=1)(attempt)
        pending = {task.remote(unit, cache): unit for unit in units}
        while pending:
            (done, *_), _ = ray.wait(list(pending), num_returns=1)
            yield pending.pop(done), ray.get(done)
    except ray.exceptions.RayError as error:
        raise WorkerDied(f'the cluster gave up ({error}); what was done is kept: start again') from None
    finally:
        ray.shutdown()


def _connected(address: str):
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # read by Ray, which else reports home
    try:
        import ray
    except ImportError as error:
        raise ClusterError('Ray is not installed: pip install "ray>=2.40"') from error
    _require_listener(address)
    local = {'include_dashboard': False} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local)
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(f'no Ray cluster at {address}: {error}') from error
    return ray


def _require_listener(address: str) -> None:
    """Ray itself would look for minutes."""
    host, colon, port = address.rpartition(':')
    if not (colon and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f'no Ray cluster at {address}: {error}') from error
