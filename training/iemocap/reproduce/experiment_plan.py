# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which runs fill which rows of the tables and parts of the figures."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from smern_ros.training.iemocap.experiments.protocols import FOLDS, FRACTIONS
from smern_ros.training.iemocap.experiments.run_experiments import with_beforehand
from smern_ros.training.iemocap.experiments.runs import NEW_SPEAKERS, Run
from smern_ros.training.iemocap.experiments.train_network import TRAINERS, TrainingSettings
from smern_ros.training.iemocap.reproduce import extra_tables, published
from smern_ros.training.iemocap.reproduce.tables import TABLES

FIGURES = (4, 5)
Runs = tuple[Run, ...]
"""All folds and repetitions of one experiment; empty where its network was not asked for."""

_ROWS: dict[str, dict[str, dict[str, Any]]] = {
    '1': {name: {'model': model} for name, model in {
        'Mocap_Model [49]': 'mocap',
        'ARE [30] (reported)': 'are', 'TRE [30] (reported)': 'tre', 'ARE [30]': 'are', 'TRE [30]': 'tre',
        'SMACN': 'smacn', 'MDRE [30] (reported)': 'mdre', 'MDRE [30]': 'mdre', 'CMA [32]': 'cma',
        'Xu et al. [33]': 'xu', 'SMERN': 'smern', 'SMERN-GA': 'smern_ga_whole',
    }.items()},
    '2': {name: {'model': model} for name, model in {
        'LSTM': 'lstm', 'LSTM+Att': 'lstm_att', 'CNN': 'cnn', '3DCNN': 'cnn3d', 'SMACN': 'smacn',
    }.items()},
    '3': {'Preprocessed': {'model': 'smacn'}, 'Unpreprocessed': {'model': 'smacn', 'filtered': False}},
    '4': {
        'Division without considering speakers': {'model': 'smacn'},
        'No speaker sharing': {'model': 'smacn', 'protocol': 'across_speakers'},
    },
    extra_tables.SESSIONS: extra_tables.ROWS,
}
"""What the run of each row differs in from one of the random protocol. A row that the paper took from [30] is beside
the same run of ours as the one that it measured itself."""

_CONFUSIONS = {'(a) gesture': 'smacn', '(b) audio': 'are', '(c) text': 'tre', '(d) multimodal': 'smern_ga_whole'}
"""The paper does not name the network of (d); it is the one that it proposes."""

MODELS = tuple(dict.fromkeys(fields['model'] for rows in _ROWS.values() for fields in rows.values()))


@dataclass(frozen=True)
class Choice:
    """What is to be reproduced, and how thoroughly. The defaults are the paper's, and the table beside it."""

    tables: tuple[str, ...] = tuple(TABLES)
    figures: tuple[int, ...] = FIGURES
    models: tuple[str, ...] = MODELS
    folds: int = FOLDS
    repetitions: int = published.REPETITIONS
    fractions: tuple[float, ...] = FRACTIONS  # of figure 5
    seed: int = 0
    settings: TrainingSettings = dataclasses.field(default_factory=TrainingSettings)
    overrides: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Hyper-parameters of networks that are not the paper's, by network."""
    extra: bool = False  # the shipped encoders as well, beside the paper's networks

    def __post_init__(self) -> None:
        """:raises ValueError: for a table, figure or network that there is not, or too many folds."""
        for what, given, known in (
            ('table', self.tables, tuple(TABLES)), ('figure', self.figures, FIGURES),
            ('network', self.models, MODELS),
        ):
            unknown = [value for value in given if value not in known]
            if unknown:
                raise ValueError(f'there is no {what} {", ".join(map(str, unknown))} to reproduce; there are '
                                 f'{", ".join(map(str, known))}')
        if not 1 <= self.folds <= FOLDS:
            raise ValueError(f'folds is {self.folds}; wanted 1 to {FOLDS}')
        if self.repetitions < 1:
            raise ValueError(f'repetitions is {self.repetitions}; wanted 1 or more')
        wrong = [fraction for fraction in self.fractions if not 0 < fraction <= 0.5]
        if wrong:
            raise ValueError(f'a share to learn from is {wrong[0]:.0%}; wanted above 0, at most 50 %')


@dataclass(frozen=True)
class ExperimentPlan:
    choice: Choice
    tables: Mapping[str, Mapping[str, Runs]]       # by name, and name of the row; the extra's may be of several models
    confusions: Mapping[str, Runs]                 # by part of figure 4
    points: Mapping[float, tuple[Runs, Runs]]      # by share, of figure 5: pretrained, and from scratch

    @property
    def runs(self) -> list[Run]:
        """Each once, with those that others begin with, by repetition and fold: a beginning compares all networks."""
        every = with_beforehand(run for runs in self._parts.values() for run in runs)
        return sorted(every, key=lambda run: (run.repetition, run.fold))

    @property
    def costs(self) -> dict[str, int]:
        """Runs that each table and figure needs beside those of the ones before it."""
        costs: dict[str, int] = {}
        known: set[str] = set()
        for part, runs in self._parts.items():
            new = {run.id for run in with_beforehand(runs)} - known
            costs[part] = len(new)
            known |= new
        return costs

    @property
    def _parts(self) -> dict[str, list[Run]]:
        """What the paper has comes first."""
        tables = {
            f'table {name}': [run for runs in rows.values() for run in runs] for name, rows in self.tables.items()
        }
        names = (extra_tables.SESSIONS, extra_tables.EXTRA)
        of_ours = {name: tables.pop(name) for name in (f'table {n}' for n in names) if name in tables}
        return {
            **tables,
            'figure 4': [run for runs in self.confusions.values() for run in runs],
            'figure 5': [run for pair in self.points.values() for runs in pair for run in runs],
            **of_ours,
        }


def plan(choice: Choice) -> ExperimentPlan:
    """:raises ValueError: if nothing at all is to be run."""
    extra = {row: _together(choice, parts) for row, parts in extra_tables.EXTRA_ROWS.items()}
    made = ExperimentPlan(
        choice,
        tables={
            **{name: {row: _runs(choice, **fields) for row, fields in _ROWS[name].items()}
               for name in sorted(choice.tables)},
            **({extra_tables.EXTRA: extra} if choice.extra else {}),
        },
        confusions={part: _runs(choice, model) for part, model in _CONFUSIONS.items()} if 4 in choice.figures else {},
        points={fraction: _few_data(choice, fraction) for fraction in sorted(choice.fractions)}
        if 5 in choice.figures and 'smacn' in choice.models else {},
    )
    if not made.runs:
        raise ValueError('no run is needed for these tables, figures and networks; choose some that belong together')
    return made


def _few_data(choice: Choice, fraction: float) -> tuple[Runs, Runs]:
    pretrained, scratch = (
        _runs(choice, 'smacn', NEW_SPEAKERS, fraction=fraction, pretrained=first) for first in (True, False)
    )
    return pretrained, scratch


def _together(choice: Choice, parts: Iterable[Mapping[str, str]]) -> Runs:
    """Of networks that are asked together; none if one of them was not asked for."""
    runs = [_runs(choice, **fields) for fields in parts]
    return tuple(run for of_one in runs for run in of_one) if all(runs) else ()


def _runs(choice: Choice, model: str, protocol: str = 'random', **fields: Any) -> Runs:
    if model not in (*choice.models, *(TRAINERS if choice.extra else ())):
        return ()
    return tuple(_each(choice, model, protocol, fields))


def _each(choice: Choice, model: str, protocol: str, fields: Mapping[str, Any]) -> Iterable[Run]:
    for repetition in range(choice.repetitions):
        for fold in range(choice.folds):
            yield Run(model, protocol, fold, repetition, choice.seed, settings=choice.settings,
                      overrides=choice.overrides.get(model, {}), **fields)
