# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which sources of data there are. A new one is a module of this package (see `experiment`) and a line here."""
from __future__ import annotations

import importlib
from collections.abc import Collection, Sequence
from pathlib import Path

from smern_ros.training.benchmarks.experiment import Experiment

SOURCES: dict[str, str] = {
    'speech': 'smern_ros.training.benchmarks.speech',
    'words': 'smern_ros.training.benchmarks.text',
    'doubt': 'smern_ros.training.benchmarks.asr_confidence',
    'calibration': 'smern_ros.training.benchmarks.calibration',
    'movement': 'smern_ros.training.benchmarks.skeleton',
    'checkpoint': 'smern_ros.training.benchmarks.fusion',
    'adaptation': 'smern_ros.training.benchmarks.adaptation',
}
"""What `smern evaluate --tables` calls it, and its module; in the order of the report."""


def experiments(data: Path, cache: Path, *, trial: bool, only: Collection[str] | None = None) -> list[Experiment]:
    """Of all sources, or `only` of these.

    :raises ValueError: for an unknown source, or if two experiments or two tables have the same name.
    :raises FileNotFoundError: if a corpus is not in `data`.
    """
    unknown = sorted(set(only or ()) - set(SOURCES))
    if unknown:
        raise ValueError(f'there is no source {", ".join(unknown)}; there are {", ".join(SOURCES)}')
    found: list[Experiment] = []
    for name, module in SOURCES.items():
        if only is None or name in only:
            found += importlib.import_module(module).experiments(data, cache, trial)
    _require_unique('experiments', [experiment.name for experiment in found])
    _require_unique('tables', [table.title for table in {row.table for e in found for row in e.rows}])
    return found


def _require_unique(what: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'several {what} are called {", ".join(twice)}; each needs a name of its own')
