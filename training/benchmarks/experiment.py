# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One row of a table of results, or a few: what is trained and measured, and how to do it.

A source of data is a module of this package with

    def experiments(data: Path, cache: Path, trial: bool) -> Iterable[Experiment]

where `data` is the folder of corpora, `cache` a folder for what is expensive to compute (file names made of a digest of
all that the content depends on), and `trial` asks for a slice that takes some seconds and shows only that all works.
The call itself is cheap: it reads labels at most.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smern_ros.training.iemocap.experiments.integrate import Predictions


@dataclass(frozen=True)
class BenchmarkTable:
    """Rows that may be compared with each other: the same data, split in the same way."""

    title: str            # 'Speech: EMO-DB', unique over all tables
    data: str             # in words: corpus, how many samples of whom, labels
    protocol: str         # in words: what is held out, what was made certain of it
    development: str      # in words: the data by which training was stopped and everything else was chosen
    axis: str | None = None  # what `Row.at` is of, with its unit; the table is drawn as a curve, too
    note: str | Callable[[], str] = ''  # what must be known before a figure is believed; or what tells it afterwards
    grid: Callable[[], Sequence[Sequence[str]]] | None = None  # tells afterwards what else is shown: head, then lines


@dataclass(frozen=True)
class BenchmarkRow:
    """A line of a table: the UAR and WAR of one way to do it, over all folds and seeds."""

    table: BenchmarkTable
    name: str
    detail: str = ''            # what differs from the other rows, in words
    at: float | None = None     # where it stands on the table's axis
    confusion: bool = False     # its confusion matrix is shown, too
    reliability: bool = False   # how sure it may be is shown, too: ECE, and a diagram for all rows of this name
    loss: bool = False          # so is its cross-entropy


@dataclass(frozen=True)
class Need:
    """What several jobs share and must not compute twice, such as features in the cache; done before any of them."""

    name: str                   # unique: needs of the same name are one
    make: Callable[[], object]  # picklable; does nothing if it is done already


@dataclass(frozen=True)
class Experiment:
    """Something that is trained once a fold and seed, and what is then measured of it.

    `run(fold, seed)` returns the predictions for each of `rows`, in their order, of the fold's test part alone; the
    folds together test each sample at most once. The same fold and seed give the same predictions, in any process and
    order, with one thread. It must be picklable, for jobs run in spawned processes: a `functools.partial` of a
    function that stands in a module, or an instance of such a frozen dataclass.
    """

    name: str                            # unique over all experiments, for files and progress
    rows: tuple[BenchmarkRow, ...]
    folds: tuple[str, ...]               # what each tests, such as a speaker
    seeds: tuple[int, ...]
    config: Mapping[str, Any]  # JSON: all that the predictions depend on but code, fold and seed
    modules: tuple[str, ...]  # whose code they depend on: 'smern_ros.models', 'smern_ros.training.common.trainer:fit'
    run: Callable[[str, int], Sequence[Predictions]]
    needs: tuple[Need, ...] = field(default=())

    def __post_init__(self) -> None:
        """:raises ValueError: if there is nothing to measure, or a fold or seed stands twice."""
        for what, values in (('rows', self.rows), ('folds', self.folds), ('seeds', self.seeds)):
            if not values or len(set(values)) < len(values):
                raise ValueError(f'{self.name} has the {what} {values}; wanted one or more, none twice')


@dataclass(frozen=True)
class BenchmarkJob:
    """One fold and seed of an experiment: what is done, stored and done again only after a change."""

    experiment: Experiment
    fold: str
    seed: int

    @property
    def id(self) -> str:
        """For people to read; `store.key` is what files are called by."""
        return f'{self.experiment.name}, {self.fold}, seed {self.seed}'


def jobs(experiment: Experiment) -> list[BenchmarkJob]:
    """Seed by seed, so that whoever stops early has whole repetitions."""
    return [BenchmarkJob(experiment, fold, seed) for seed in experiment.seeds for fold in experiment.folds]
