# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From stored predictions to the figures of a table."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from smern_ros.training.benchmarks.experiment import BenchmarkJob, BenchmarkRow, BenchmarkTable, Experiment, jobs
from smern_ros.training.benchmarks.result_store import BenchmarkStore
from smern_ros.training.common.metrics import (
    Bin,
    calibration_error_by_chance,
    expected_calibration_error,
    reliability,
)
from smern_ros.training.iemocap.experiments.integrate import Predictions, Scores, Summary, score, summarise


@dataclass(frozen=True)
class MeasuredRow:
    """A row, with what was measured for it."""

    row: BenchmarkRow
    scores: tuple[Scores, ...]  # of each seed of which all folds are done, integrated over the folds
    seconds: float              # a fold and seed, on average; of its experiment
    peak_bytes: int             # of memory, the most of any fold and seed; of its experiment
    losses: tuple[float, ...] = ()  # cross-entropy of each seed, in nats, if the row wants it shown
    errors: tuple[float, ...] = ()  # expected calibration error of each seed, if the row wants it shown
    chance_errors: tuple[float, ...] = ()  # `calibration_error_by_chance` of each seed, likewise
    bins: tuple[Bin, ...] = ()      # the reliability diagram of all seeds together, if the row wants it shown

    @property
    def uar(self) -> Summary | None:
        """In percent, over the seeds; None if nothing is done."""
        return summarise([100 * s.uar for s in self.scores]) if self.scores else None

    @property
    def war(self) -> Summary | None:
        """In percent, over the seeds; None if nothing is done."""
        return summarise([100 * s.war for s in self.scores]) if self.scores else None

    @property
    def ece(self) -> Summary | None:
        """0..1, over the seeds; None if nothing is done or wanted."""
        return summarise(self.errors) if self.errors else None

    @property
    def ece_by_chance(self) -> Summary | None:
        """0..1, over the seeds; None if nothing is done or wanted."""
        return summarise(self.chance_errors) if self.chance_errors else None

    @property
    def loss(self) -> Summary | None:
        """In nats, over the seeds; None if nothing is done or wanted."""
        return summarise(self.losses) if self.losses else None

    @property
    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Summed over the seeds; rows: the label, columns: the prediction."""
        total = np.sum([s.confusion for s in self.scores], axis=0)
        return tuple(tuple(int(n) for n in row) for row in total)


@dataclass(frozen=True)
class BenchmarkResults:
    """All that was measured."""

    tables: tuple[tuple[BenchmarkTable, tuple[MeasuredRow, ...]], ...]
    done: int            # jobs
    total: int
    seconds: float       # of all jobs together, one core each
    peak_bytes: int      # of any job


def collect_results(experiments: Iterable[Experiment], store: BenchmarkStore) -> BenchmarkResults:
    """
    :raises StoreError: if what a job left behind is damaged.
    :raises ValueError: if the folds of an experiment test a sample twice.
    """
    by_table: dict[BenchmarkTable, list[MeasuredRow]] = {}
    done, total, seconds, peak = 0, 0, 0.0, 0
    for experiment in experiments:
        planned = jobs(experiment)
        results = {(job.fold, job.seed): store.get(job) for job in planned if job in store}
        done, total = done + len(results), total + len(planned)
        own_seconds = [result.seconds for result in results.values()]
        own_peak = max((result.peak_bytes for result in results.values()), default=0)
        seconds, peak = seconds + sum(own_seconds), max(peak, own_peak)
        for i, row in enumerate(experiment.rows):
            predictions = {where: result.predictions[i] for where, result in results.items()}
            whole = _whole(planned, predictions)
            by_table.setdefault(row.table, []).append(MeasuredRow(
                row, tuple(map(score, whole)), sum(own_seconds) / max(len(own_seconds), 1), own_peak,
                tuple(map(_cross_entropy, whole)) if row.loss else (),
                *(_reliability(whole) if row.reliability and whole else ()),
            ))
    return BenchmarkResults(tuple((table, tuple(rows)) for table, rows in by_table.items()), done, total, seconds, peak)


def _whole(planned: list[BenchmarkJob], predictions: dict[tuple[str, int], Predictions]) -> list[Predictions]:
    """Those of each seed of which all folds are done, integrated over the folds."""
    by_seed: dict[int, list[Predictions | None]] = {}
    for job in planned:
        by_seed.setdefault(job.seed, []).append(predictions.get((job.fold, job.seed)))
    done = [[f for f in folds if f is not None and len(f.ids)] for folds in by_seed.values() if None not in folds]
    return [Predictions.integrated(folds) for folds in done if folds]


def _cross_entropy(whole: Predictions) -> float:
    likelihoods = whole.probabilities[np.arange(len(whole.labels)), whole.labels]
    return float(-np.log(np.maximum(likelihoods, 1e-12)).mean())


def _reliability(whole: list[Predictions]) -> tuple[tuple[float, ...], tuple[float, ...], tuple[Bin, ...]]:
    return (
        tuple(expected_calibration_error(p.labels, p.probabilities) for p in whole),
        tuple(calibration_error_by_chance(p.probabilities) for p in whole),
        reliability(np.concatenate([p.labels for p in whole]), np.concatenate([p.probabilities for p in whole])),
    )
