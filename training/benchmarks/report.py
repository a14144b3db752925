# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""All that was measured, written down: results.md, and its drawings beside it in results/."""
from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from smern_ros.training.benchmarks.collect import BenchmarkResults, MeasuredRow
from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable
from smern_ros.training.common import plots
from smern_ros.training.common.metrics import Bin
from smern_ros.training.iemocap.experiments.integrate import Summary
from smern_ros.training.iemocap.reproduce.tables import markdown_table, written

TEXT, DRAWINGS = 'results.md', 'results'
_HEAD = """# What the encoders are worth on open corpora

People, contents and comments that were never learnt from. This page and its drawings are written by the command below.
UAR, the unweighted average recall, is the mean over the emotions of the fraction found of each (chance: 25 %); WAR is
the fraction of all that was right. Both are in percent, mean ± standard deviation over seeds, of each the predictions
of all folds together. ECE, where it is given, is the expected calibration error in 15 bins of confidence (0: as often
right as it says); in brackets that of samples with the same confidences that are right just as often as they say, which
is not 0 because a bin holds few. The deviation tells of the seeds, not of other people: with ten speakers a figure may
be some points off for the next ten. Seconds are of one core.
"""


def write(results: BenchmarkResults, folder: Path, facts: Mapping[str, str]) -> Path:
    """
    :param facts: command, machine, versions.
    :return: the page.
    :raises OSError: if it cannot be written.
    """
    drawings = dict(_drawings(results))
    (folder / DRAWINGS).mkdir(parents=True, exist_ok=True)
    for stale in set((folder / DRAWINGS).glob('*.svg')) - {folder / DRAWINGS / name for name in drawings}:
        stale.unlink()
    for name, svg in drawings.items():
        _replace(folder / DRAWINGS / name, svg)
    _replace(folder / TEXT, '\n'.join(_lines(results, facts)) + '\n')
    return folder / TEXT


def _replace(path: Path, text: str) -> None:
    """In one step, so that a reader never finds half of it."""
    unfinished = path.with_name(f'{path.name}.part')
    unfinished.write_text(text, encoding='utf-8')
    os.replace(unfinished, path)


def _lines(results: BenchmarkResults, facts: Mapping[str, str]) -> Iterator[str]:
    yield _HEAD
    yield from markdown_table(('', ''), [
        *facts.items(),
        ('Work', f'{results.done} of {results.total} trainings and measurements done, '
                 f'{results.seconds / 60:.1f} core-minutes together, at most {_size(results.peak_bytes)} of memory '
                 'a process'),
    ])
    for table, rows in results.tables:
        yield from _table(table, rows)


def _table(table: BenchmarkTable, rows: Sequence[MeasuredRow]) -> Iterator[str]:
    yield from ('', f'## {table.title}', '', f'- Data: {table.data}', f'- Protocol: {table.protocol}',
                f'- Development: {table.development}')
    if note := table.note() if callable(table.note) else table.note:
        yield f'- {note}'
    with_ece, with_loss = (any(getattr(m.row, name) for m in rows) for name in ('reliability', 'loss'))
    head = ['', *([table.axis] if table.axis else []), 'UAR', 'WAR', *(['ECE'] if with_ece else []),
            *(['cross-entropy'] if with_loss else []), 'seeds', 'tested', 's a training', 'memory']
    yield ''
    yield from markdown_table(head, [_row(m, table.axis is not None, with_ece, with_loss) for m in rows])
    if table.axis and (points := _points(rows)):
        yield from ('', f'![UAR against {table.axis}: {", ".join(points)}]({DRAWINGS}/{_file(table)})')
    if table.grid is not None and all(m.scores for m in rows):
        head, *lines = table.grid()
        yield ''
        yield from markdown_table(head, lines)
    drawn = [m for m in rows if m.row.confusion and m.scores]
    if drawn:
        yield from ('', 'Percent of all that truly show an emotion (row) that were said to show which (column):', '')
        yield from markdown_table([_name(m.row) for m in drawn], [
            [f'![{_name(m.row)}: confusion matrix]({DRAWINGS}/{_file(table, m.row)})' for m in drawn]
        ])
    if sure := _by_name(rows):
        yield from ('', 'How often right (up) against how sure (right); what lies below the diagonal is too sure:', '')
        yield from markdown_table(list(sure), [
            [f'![{name}: reliability diagram]({DRAWINGS}/{_reliability_file(table, name)})' for name in sure]
        ])


def _row(m: MeasuredRow, with_place: bool, with_ece: bool, with_loss: bool) -> list[str]:
    name = _name(m.row)
    at = [] if not with_place else ['' if m.row.at is None else plots.place(m.row.at)]
    if not m.scores:
        return [name, *at, 'not done', *[''] * (5 + with_ece + with_loss)]
    ece = [''] if m.ece is None or m.ece_by_chance is None else [f'{m.ece.mean:.3f} ({m.ece_by_chance.mean:.3f})']
    loss = [''] if m.loss is None else [f'{m.loss.mean:.3f}']
    return [
        name, *at, f'**{_written(m.uar)}**', _written(m.war), *(ece if with_ece else []),
        *(loss if with_loss else []), str(len(m.scores)),
        str(m.scores[0].count), f'{m.seconds:.1f}', _size(m.peak_bytes),
    ]


def _points(rows: Sequence[MeasuredRow]) -> dict[str, list[tuple[float, Summary]]]:
    """By name, those that stand somewhere on the axis, in the order of their places."""
    of: dict[str, list[tuple[float, Summary]]] = {}
    for m in rows:
        if m.row.at is not None and m.uar is not None:
            of.setdefault(m.row.name, []).append((m.row.at, m.uar))
    return {name: sorted(points, key=lambda point: point[0]) for name, points in of.items()}


def _by_name(rows: Sequence[MeasuredRow]) -> dict[str, dict[str, tuple[Bin, ...]]]:
    """Of each name the reliability of its rows, by what differs between them."""
    of: dict[str, dict[str, tuple[Bin, ...]]] = {}
    for m in rows:
        if m.bins:
            of.setdefault(m.row.name, {})[m.row.detail or 'as it is'] = m.bins
    return of


def _drawings(results: BenchmarkResults) -> Iterator[tuple[str, str]]:
    for table, rows in results.tables:
        if table.axis and (points := _points(rows)):
            yield _file(table), plots.curves(table.title, table.axis, points)
        for m in rows:
            if m.row.confusion and m.scores:
                yield _file(table, m.row), plots.confusion(_name(m.row), m.confusion)
        for name, bins in _by_name(rows).items():
            yield _reliability_file(table, name), plots.reliability(name, bins)


def _file(table: BenchmarkTable, row: BenchmarkRow | None = None) -> str:
    return _file_of(table.title if row is None else f'{table.title} {_name(row)}')


def _reliability_file(table: BenchmarkTable, name: str) -> str:
    return _file_of(f'{table.title} {name} reliability')


def _file_of(name: str) -> str:
    return re.sub('[^a-z0-9]+', '-', name.lower()).strip('-') + '.svg'


def _name(row: BenchmarkRow) -> str:
    return f'{row.name}: {row.detail}' if row.detail else row.name


def _written(summary: Summary | None) -> str:
    return '' if summary is None else written(summary.mean, summary.std)


def _size(count: int) -> str:
    return f'{count / 2**20:.0f} MiB' if count < 2**30 else f'{count / 2**30:.1f} GiB'
