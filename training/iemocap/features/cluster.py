"""Units of work over the machines of a Ray cluster, which all see the corpus and the features under the same paths."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from smern_ros.training.common.ray_cluster import Lost, connected
from smern_ros.training.iemocap.features.extraction_workers import WorkerDied, attempt
from smern_ros.training.iemocap.features.unit import Unit


def extract(units: Sequence[Unit], cache: Path, address: str) -> Iterator[tuple[Unit, Exception | None]]:
    """As `workers.extract`, each unit on one core somewhere.

    :param address: see `connected`.
    :raises ClusterError: if there is none, or no more.
    :raises WorkerDied: if a process did, again and again.
    """
    with connected(address) as cluster:
        for unit, error in cluster.each(attempt, [(unit, (unit, cache)) for unit in units]):
            if isinstance(error, Lost):
                raise WorkerDied(f'{unit.dialog}: {error}; what was done is kept: start again')
            yield unit, error
