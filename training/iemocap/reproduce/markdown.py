# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The report as Markdown, for a terminal, a diff or a repository."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

from smern_ros.spec import LABELS
from smern_ros.training.iemocap.reproduce import published
from smern_ros.training.iemocap.reproduce.figures import Confusion, CurvePoint, findings
from smern_ros.training.iemocap.reproduce.report import TITLE, Report
from smern_ros.training.iemocap.reproduce.tables import (
    Cell,
    PairTest,
    ResultRow,
    ResultTable,
    markdown_table,
    written,
    written_p,
)

LEGEND = ("Each cell has our figure, the paper's and the difference in percentage points, in this order, in percent, "
          'mean ± standard deviation over repeated experiments; a dash where there is none.')


def render(report: Report) -> str:
    return '\n'.join(_lines(report)) + '\n'


def _lines(report: Report) -> Iterator[str]:
    yield from (f'# {TITLE}', '', report.summary, '')
    yield from (line for notice in report.notices for line in (f'> {notice}', '>'))
    yield from ('', LEGEND, '')
    for table in report.tables:
        yield from _table(table)
        yield from _tests([test for test in report.tests if test.paper.table == table.paper.name])
    if report.confusions:
        yield from ('## Figure 4. Confusion matrices', '')
        for confusion in report.confusions:
            yield from _confusion(confusion)
    if report.points is not None:
        yield from _few_data(report.points)
    if report.failures:
        yield from ('## Runs that failed', '', *(f'- {failure}' for failure in report.failures), '')
    yield from ('## How this was made', '', *markdown_table(('', ''), report.facts))


def _table(table: ResultTable) -> Iterator[str]:
    paper = table.paper
    yield from (f'## {paper.heading}', '', paper.origin, '')
    metrics = (metric.upper() for metric in paper.metrics)
    head = (*paper.columns, *metrics, 'repetitions', 'utterances tested', 'parameters, ours')
    yield from (*markdown_table(head, (_row(row) for row in table.rows)), '')


def _row(row: ResultRow) -> tuple[str, ...]:
    counts = ('–', '–', '–') if row.missing else (
        str(row.repetitions), str(row.utterances), '' if row.parameters is None else f'{row.parameters:,}')
    return row.name, row.detail, *(_cell(cell) for cell in row.cells.values()), *counts


def _cell(cell: Cell) -> str:
    paper = '–' if cell.paper is None else written(cell.paper.mean, cell.paper.std)
    ours = '–' if cell.ours is None else f'**{written(cell.ours.mean, cell.ours.std)}**'
    return f'{ours} / {paper}' + ('' if cell.difference is None else f' / {cell.difference:+.1f}')


def _tests(tests: Sequence[PairTest]) -> Iterator[str]:
    if tests:
        rows = (
            (f'{test.paper.first} against {test.paper.second}', metric.upper(), _p(test, metric), paper)
            for test in tests for metric, paper in test.paper.p.items()
        )
        yield from ("Student's t-test, two-sided, over repeated experiments:", '',
                    *markdown_table(('pair', 'metric', 'p, ours', 'p, the paper'), rows), '')


def _p(test: PairTest, metric: str) -> str:
    if metric not in test.ours:
        return '–'
    comparison = test.ours[metric]
    return f'{written_p(comparison.p)} ({comparison.difference:+.1f} points)'


def _confusion(confusion: Confusion) -> Iterator[str]:
    yield from (f'### {confusion.part} ({confusion.network})', '', f'The paper: {published.CONFUSIONS[confusion.part]}',
                '')
    if confusion.counts is None:
        yield from ('Missing: no run.', '')
        return
    rows = ((f'**{label}**', *(f'{100 * share:.1f}' for share in shares))
            for label, shares in zip(LABELS, confusion.shares, strict=True))
    yield from (*markdown_table(('label, % predicted', *LABELS), rows), '')


def _few_data(points: Sequence[CurvePoint]) -> Iterator[str]:
    yield from ('## Figure 5. Little data of new speakers', '')
    if not points:
        yield from ('Missing: no run.', '')
        return
    rows = (
        (f'{100 * p.fraction:.0f} %', written(p.pretrained.mean, p.pretrained.std),
         written(p.scratch.mean, p.scratch.std), f'{p.gap.difference:+.1f}', written_p(p.gap.p))
        for p in points
    )
    yield from (*markdown_table(('trained on', 'UAR pretrained', 'UAR from scratch', 'gap', 'p'), rows), '')
    pairs = zip(published.FEW_DATA, findings(points), strict=True)
    yield from (*markdown_table(('the paper (section V-C)', 'ours'), pairs), '')
