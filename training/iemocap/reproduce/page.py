"""The report as one HTML file that needs nothing else: no script, no network."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from string import Template

from smern_ros.training.iemocap.reproduce import published
from smern_ros.training.iemocap.reproduce.figures import Confusion, CurvePoint, draw_confusion, draw_few_data, findings
from smern_ros.training.iemocap.reproduce.report import TITLE, Report
from smern_ros.training.iemocap.reproduce.tables import Cell, PairTest, ResultRow, ResultTable, written, written_p


def render(report: Report) -> str:
    """The whole page."""
    folder = resources.files('smern_ros.training.iemocap.reproduce')
    return Template(folder.joinpath('report.html').read_text('utf-8')).substitute(
        css=folder.joinpath('report.css').read_text('utf-8'),
        title=escape(TITLE),
        summary=escape(report.summary),
        notices=f'<aside>{"".join(f"<p>{escape(n)}</p>" for n in report.notices)}</aside>' if report.notices else '',
        tables=''.join(_table(table, report.tests) for table in report.tables),
        figures=_confusions(report.confusions) + ('' if report.points is None else _few_data(report.points)),
        failures=_failures(report.failures),
        facts=''.join(f'<dt>{escape(name)}</dt><dd>{_fact(name, value)}</dd>' for name, value in report.facts),
    )


def _table(table: ResultTable, tests: Iterable[PairTest]) -> str:
    paper = table.paper
    heads = ''.join(f'<th colspan="3">{metric.upper()}</th>' for metric in paper.metrics)
    below = '<th class="first">ours</th><th>paper</th><th>diff.</th>' * len(paper.metrics)
    return (
        f'<section><h2>{escape(paper.heading)}</h2><p class="hint">{escape(paper.origin)}</p>'
        '<div class="scroll"><table class="figures"><thead><tr>'
        f'<th rowspan="2">{escape(paper.columns[0])}</th><th rowspan="2">{escape(paper.columns[1])}</th>{heads}'
        '<th rowspan="2">repetitions</th><th rowspan="2">utterances<br>tested</th>'
        f'<th rowspan="2">parameters,<br>ours</th></tr><tr>{below}</tr></thead><tbody>'
        f'{"".join(_row(row) for row in table.rows)}</tbody></table></div>'
        f'{_tests([test for test in tests if test.paper.table == paper.name])}</section>'
    )


def _row(row: ResultRow) -> str:
    cells = ''.join(_cell(cell, row.missing) for cell in row.cells.values())
    counts = ('–', '–', '–') if row.missing else (
        str(row.repetitions), str(row.utterances), '' if row.parameters is None else f'{row.parameters:,}')
    numbers = ''.join(f'<td class="number">{count}</td>' for count in counts)
    shown = ' class="missing"' if row.missing else ''
    return (f'<tr{shown}><th scope="row">{escape(row.name)}</th>'
            f'<td>{escape(row.detail)}</td>{cells}{numbers}</tr>')


def _cell(cell: Cell, missing: bool) -> str:
    ours = '–' if missing or cell.ours is None else written(cell.ours.mean, cell.ours.std)
    paper = '–' if cell.paper is None else written(cell.paper.mean, cell.paper.std)
    difference = '' if cell.difference is None else f'{cell.difference:+.1f}'
    return (f'<td class="number first ours">{ours}</td><td class="number">{paper}</td>'
            f'<td class="number">{difference}</td>')


def _tests(tests: Sequence[PairTest]) -> str:
    if not tests:
        return ''
    rows = ''.join(
        f'<tr><th scope="row">{escape(f"{test.paper.first} against {test.paper.second}")}</th>'
        f'<td>{metric.upper()}</td>{_p(test, metric)}<td class="number">{escape(paper)}</td></tr>'
        for test in tests for metric, paper in test.paper.p.items()
    )
    return ("<h3>Student's t-test</h3><div class=\"scroll\"><table class=\"figures\"><thead><tr><th>pair</th>"
            '<th>metric</th><th>difference</th><th>p, ours</th><th>p, paper</th></tr></thead>'
            f'<tbody>{rows}</tbody></table></div><p class="hint">Two-sided, over repeated experiments.</p>')


def _p(test: PairTest, metric: str) -> str:
    if metric not in test.ours:
        return '<td class="number">–</td><td class="number">–</td>'
    comparison = test.ours[metric]
    return (f'<td class="number">{comparison.difference:+.1f}</td>'
            f'<td class="number ours">{escape(written_p(comparison.p))}</td>')


def _confusions(confusions: Sequence[Confusion]) -> str:
    if not confusions:
        return ''
    nothing = '<p class="missing">missing: no run</p>'
    panels = ''.join(
        f'<figure><figcaption><b>{escape(c.part)}</b> {escape(c.network)}</figcaption>'
        f'{nothing if c.counts is None else draw_confusion(c)}'
        f'<p class="hint">The paper: {escape(published.CONFUSIONS[c.part])}</p></figure>'
        for c in confusions
    )
    return ('<section><h2>Figure 4. Confusion matrices</h2><p class="hint">Of all that truly show an emotion, how many '
            'percent were said to show which; all experiments together. Paper: section IV-E.</p>'
            f'<div class="panels">{panels}</div></section>')


def _few_data(points: Sequence[CurvePoint]) -> str:
    title = '<section><h2>Figure 5. Little data of new speakers</h2>'
    if not points:
        return f'{title}<p class="missing">missing: no run</p></section>'
    says = ''.join(f'<tr><td>{escape(paper)}</td><td class="ours">{escape(ours)}</td></tr>'
                   for paper, ours in zip(published.FEW_DATA, findings(points), strict=True))
    return (
        f'{title}<p class="legend"><span class="pretrained">pretrained on the other speakers</span>'
        '<span class="scratch">from scratch</span><span class="plain">bars: one standard deviation</span></p>'
        f'<div class="scroll">{draw_few_data(points)}</div>'
        '<table class="says"><thead><tr><th>the paper (section V-C)</th><th>ours</th></tr></thead>'
        f'<tbody>{says}</tbody></table></section>'
    )


def _failures(failures: Iterable[str]) -> str:
    items = ''.join(f'<li>{escape(failure)}</li>' for failure in failures)
    return f'<section><h2>Runs that failed</h2><ul>{items}</ul></section>' if items else ''


def _fact(name: str, value: str) -> str:
    return f'<code>{escape(value)}</code>' if name == 'Command' else escape(value)
