# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Experiments without any learning; here, for processes that are spawned can import no test."""
import dataclasses
from pathlib import Path

import numpy as np

from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable, Experiment, Need
from smern_ros.training.iemocap.experiments.integrate import Predictions

TABLE = BenchmarkTable('Dice', data='a die', protocol='fair', development='another die', note='It is only a die')


@dataclasses.dataclass(frozen=True)
class Dice:
    """Says of each fold's eight samples what a die says, and is broken in one fold."""

    log: Path
    broken: str = ''

    def __call__(self, fold, seed):
        with self.log.open('a') as file:
            file.write(f'{fold} {seed}\n')
        if fold == self.broken:
            raise ValueError('the die fell off the table')
        generator = np.random.default_rng(seed)
        ids = np.array([f'{fold}-{i}' for i in range(8)])
        return [Predictions(ids, np.arange(8) % 4, generator.dirichlet(np.ones(4), 8).astype(np.float32))]


@dataclasses.dataclass(frozen=True)
class Touch:
    path: Path

    def __call__(self):
        with self.path.open('a') as file:
            file.write('made\n')


@dataclasses.dataclass(frozen=True)
class Same:
    """Tests the same samples in each fold."""

    def __call__(self, fold, seed):
        return [Predictions(np.array([f'clip {i}' for i in range(4)]), np.arange(4), np.eye(4, dtype=np.float32))]


def dice(folder, broken='', **changes):
    """What happens is written to `folder`/log and `folder`/need."""
    experiment = Experiment(
        name='dice', rows=(BenchmarkRow(TABLE, 'thrown'),), folds=('a', 'b'), seeds=(0, 1), config={'sides': 4},
        modules=('smern_ros.training.common.metrics',), run=Dice(folder / 'log', broken),
        needs=(Need('table', Touch(folder / 'need')),),
    )
    return dataclasses.replace(experiment, **changes)


def experiments(data, cache, trial):
    """As a source of data."""
    return [dice(cache)]
