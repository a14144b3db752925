# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tables with our figures beside the paper's. A row without a run has no figures of ours, and says so."""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from smern_ros.training.iemocap.experiments.integrate import Scores, Summary, TTest, compare, summarise
from smern_ros.training.iemocap.reproduce import extra_tables, published
from smern_ros.training.iemocap.reproduce.published import PaperRow, PaperTable, PaperTest, Reported


@dataclass(frozen=True)
class CellResult:
    """What came of the runs of a row."""

    scores: tuple[Scores, ...] = ()  # of each repeated experiment, integrated over its folds; none without a run
    parameters: int | None = None    # of the network


@dataclass(frozen=True)
class Cell:
    """One figure, in percent."""

    paper: Reported | None
    ours: Summary | None

    @property
    def difference(self) -> float | None:
        """Ours less the paper's, in percentage points; None unless both are known."""
        return None if self.paper is None or self.ours is None else self.ours.mean - self.paper.mean


@dataclass(frozen=True)
class ResultRow:
    name: str
    detail: str
    cells: Mapping[str, Cell]   # of each metric of the table
    repetitions: int            # 0 if nothing was measured
    utterances: int | None      # tested in each experiment; None if nothing was
    parameters: int | None      # of our network

    @property
    def missing(self) -> bool:
        return self.repetitions == 0


@dataclass(frozen=True)
class ResultTable:
    paper: PaperTable
    rows: tuple[ResultRow, ...]


@dataclass(frozen=True)
class PairTest:
    """A t-test of the paper, and the same of ours where both rows were measured."""

    paper: PaperTest
    ours: Mapping[str, TTest]  # by metric, differences in percentage points; empty if a row is missing


TABLES = {**published.TABLES, extra_tables.SESSIONS: extra_tables.TABLE}
"""By name: those of the paper, then the one beside it."""
_EVERY = {**TABLES, extra_tables.EXTRA: extra_tables.EXTRA_TABLE}


def table(name: str, measured: Mapping[str, CellResult]) -> ResultTable:
    """
    :raises ValueError: if there is no such table, or it has no row of a name that was measured.
    """
    if name not in _EVERY:
        raise ValueError(f'there is no table {name} to reproduce; there are {", ".join(_EVERY)}')
    paper = _EVERY[name]
    unknown = sorted(set(measured) - {row.name for row in paper.rows})
    if unknown:
        raise ValueError(f'table {name} has no row {", ".join(unknown)}; it has '
                         f'{", ".join(row.name for row in paper.rows)}')
    return ResultTable(
        paper, tuple(_row(row, paper.metrics, measured.get(row.name, CellResult())) for row in paper.rows)
    )


def t_tests(name: str, measured: Mapping[str, CellResult]) -> tuple[PairTest, ...]:
    """Those that the paper made between rows of the table."""
    made = []
    for test in published.TESTS:
        if test.table == name:
            first, second = (measured.get(row, CellResult()).scores for row in (test.first, test.second))
            made.append(PairTest(test, {
                metric: compare(percent(first, metric), percent(second, metric))
                for metric in test.p if first and second
            }))
    return tuple(made)


def percent(scores: Sequence[Scores], metric: str) -> list[float]:
    return [100 * getattr(score, metric) for score in scores]


def written(mean: float, std: float | None) -> str:
    """As the paper writes a figure: with the deviation where there is one."""
    return f'{mean:.1f}' if std is None or math.isnan(std) else f'{mean:.1f} ± {std:.1f}'


def written_p(p: float) -> str:
    if math.isnan(p):
        return 'unknown: one repetition'
    return '< 0.001' if p < 0.001 else f'{p:.4f}'


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Its lines, in the dialect of GitHub."""
    yield f'| {" | ".join(head)} |'
    yield '|' + '---|' * len(head)
    for row in rows:
        yield f'| {" | ".join(cell.replace("|", "/") for cell in row)} |'


def _row(row: PaperRow, metrics: Sequence[str], measured: CellResult) -> ResultRow:
    scores = measured.scores
    return ResultRow(
        row.name, row.detail,
        {metric: Cell(row.figures.get(metric), _summary(scores, metric)) for metric in metrics},
        repetitions=len(scores), utterances=scores[0].count if scores else None, parameters=measured.parameters,
    )


def _summary(scores: Sequence[Scores], metric: str) -> Summary | None:
    return summarise(percent(scores, metric)) if scores else None
