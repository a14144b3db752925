# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""All that was reproduced, written down: report.html and report.md for people, results.json for machines."""
from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smern_ros.spec import LABELS
from smern_ros.training.iemocap.reproduce.figures import Confusion, CurvePoint
from smern_ros.training.iemocap.reproduce.tables import PairTest, ResultTable

FORMAT = 1
PAGE, TEXT, NUMBERS = 'report.html', 'report.md', 'results.json'
TITLE = 'SMERN-GA: the paper reproduced'


@dataclass(frozen=True)
class Report:
    """Texts are plain; they are escaped where it is needed."""

    summary: str
    notices: tuple[str, ...]               # what must be known before a figure is believed
    tables: tuple[ResultTable, ...]
    tests: tuple[PairTest, ...]
    confusions: tuple[Confusion, ...]  # empty unless figure 4 was asked for
    points: tuple[CurvePoint, ...] | None  # of figure 5, by rising share; empty without a run, None if not asked for
    facts: tuple[tuple[str, str], ...]     # command, versions, machine, data
    failures: tuple[str, ...] = ()         # runs that broke and why


def write(report: Report, folder: Path) -> None:
    """Each file is replaced in one step, so that a reader never finds half of one.

    :raises OSError: if it cannot be written.
    """
    from smern_ros.training.iemocap.reproduce import markdown, page

    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((PAGE, page.render(report)), (TEXT, markdown.render(report)), (NUMBERS, numbers(report))):
        unfinished = folder / f'{name}.part'
        unfinished.write_text(text, encoding='utf-8')
        os.replace(unfinished, folder / name)


def numbers(report: Report) -> str:
    """JSON. What is not known is null."""
    return json.dumps(_without_nan({
        'format': FORMAT,
        'labels': LABELS,
        'notices': report.notices,
        'failures': report.failures,
        'tables': {table.paper.name: _table(table) for table in report.tables},
        'tests': [
            {'table': test.paper.table, 'first': test.paper.first, 'second': test.paper.second, 'paper_p': test.paper.p,
             'ours': {metric: asdict(comparison) for metric, comparison in test.ours.items()}}
            for test in report.tests
        ],
        'figure_4': [asdict(confusion) for confusion in report.confusions],
        'figure_5': [asdict(point) for point in report.points or ()],
        'facts': dict(report.facts),
    }), indent=1, ensure_ascii=False, allow_nan=False) + '\n'


def _table(table: ResultTable) -> list[dict[str, Any]]:
    return [
        {'row': row.name, 'detail': row.detail, 'missing': row.missing, 'repetitions': row.repetitions,
         'utterances': row.utterances, 'parameters': row.parameters, 'figures': {
            metric: {
                'paper': None if cell.paper is None else asdict(cell.paper),
                'ours': None if cell.ours is None else asdict(cell.ours),
                'difference': cell.difference,
            } for metric, cell in row.cells.items()
        }} for row in table.rows
    ]


def _without_nan(value: Any) -> Any:
    """JSON knows no numbers that are not finite."""
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
