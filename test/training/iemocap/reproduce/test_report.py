# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
import json
import re

import numpy as np
import pytest

from smern_ros.training.iemocap.experiments.integrate import Scores
from smern_ros.training.iemocap.reproduce import markdown, page
from smern_ros.training.iemocap.reproduce.figures import Confusion, CurvePoint, draw_few_data, findings
from smern_ros.training.iemocap.reproduce.report import Report, write
from smern_ros.training.iemocap.reproduce.tables import CellResult, t_tests, table

CONFUSION = ((8, 1, 0, 1), (0, 9, 0, 1), (2, 0, 7, 1), (1, 1, 1, 7))


def scores(*uars):
    return tuple(Scores(40, wap=u, uar=u, war=u, confusion=CONFUSION) for u in uars)


@pytest.fixture
def report():
    rows = {'SMERN': CellResult(scores(0.70, 0.72), 100), 'MDRE [30]': CellResult(scores(0.6, 0.61), 90)}
    apart = {'ARE [30], leave one session out': CellResult(scores(0.51, 0.53), 90)}
    return Report(
        summary='2 of 3 runs are done <&>.', notices=('not IEMOCAP',),
        tables=(table('1', rows), table('3', {}), table('sessions', apart)),
        tests=t_tests('1', rows),
        confusions=(Confusion.of('(a) gesture', 'smacn', scores(0.5, 0.6)), Confusion.of('(b) audio', 'are', ())),
        points=tuple(CurvePoint.of(f, scores(a, a + 0.02), scores(b, b + 0.02))
                     for f, a, b in ((0.02, 0.40, 0.30), (0.4, 0.60, 0.58), (0.5, 0.61, 0.61))),
        facts=(('Command', 'smern reproduce --out "a <b>"'),), failures=('lstm-r0: diverged',),
    )


def test_the_page_needs_nothing_else(report):
    text = page.render(report)
    assert '<script' not in text and 'http' not in text.replace('http-equiv', '')
    assert not re.search(r'\b(src|href)="(?!#)|url\((?!#)', text)


def test_texts_are_escaped(report):
    text = page.render(report)
    assert '&lt;&amp;&gt;' in text and 'a &lt;b&gt;' in text


@pytest.mark.parametrize('render', [page.render, markdown.render])
def test_what_was_not_run_is_a_dash_beside_the_papers_figure(report, render):
    text = render(report)
    rows = re.findall(r'(?:<tr[^>]*><th scope="row">(?:(?!<tr).)*</tr>|^\| .*$)', text, re.MULTILINE)
    line, = (row for row in rows if 'Unpreprocessed' in row)
    cells = [cell.strip() for cell in re.split(r'<[^>]*>|\|', line) if cell.strip()]
    figures = ['–', '61.9', '–', '62.8'] if '<' in line else ['– / 61.9', '– / 62.8']
    assert cells[-3 - len(figures):] == [*figures, '–', '–', '–']
    assert not any('missing' in cell for cell in cells)


@pytest.mark.parametrize('render', [page.render, markdown.render])
def test_both_pages_tell_the_figures_the_notices_the_failures_and_the_command(report, render):
    text = render(report)
    for wanted in ('71.0 ± 1.4', '-5.6', 'not IEMOCAP', 'lstm-r0: diverged', 'smern reproduce --out', '0.0129'):
        assert wanted in text


@pytest.mark.parametrize('render', [page.render, markdown.render])
def test_a_table_that_the_paper_does_not_have_is_not_said_to_be_its_own(report, render):
    text = render(report)
    title = 'Beside the paper: speakers never heard and never seen'
    assert title in text and 'Table sessions' not in text and 'In the paper: .' not in text
    line, = re.findall(r'(?:<tr>(?:(?!<tr).)*ARE \[30\], leave.*?</tr>|^\| ARE \[30\], leave.*$)', text, re.MULTILINE)
    assert '52.0 ± 1.4' in line and '–' in line and 'missing' not in line


def test_machines_read_the_same_and_null_where_nothing_is_known(report, tmp_path):
    write(report, tmp_path)
    stored = json.loads((tmp_path / 'results.json').read_text(), parse_constant=pytest.fail)
    rows = {row['row']: row for row in stored['tables']['1']}
    ours = stored['tables']['sessions'][1]['figures']['uar']
    assert ours['paper'] is None and ours['difference'] is None and ours['ours']['mean'] == pytest.approx(52.0)
    assert rows['SMERN']['figures']['uar']['ours']['mean'] == pytest.approx(71.0)
    assert rows['SMERN-GA']['figures']['uar']['ours'] is None and rows['SMERN-GA']['missing']
    assert stored['figure_5'][0]['gap']['difference'] == pytest.approx(10.0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['report.html', 'report.md', 'results.json']


def test_a_confusion_matrix_is_of_all_experiments_and_its_rows_sum_to_one():
    both = Confusion.of('(a) gesture', 'smacn', scores(0.5, 0.6))
    assert both.counts[0] == (16, 2, 0, 2)
    np.testing.assert_allclose(both.shares.sum(axis=1), 1)


def test_findings_of_figure_5_name_both_ends_and_forty_percent(report):
    rise, little, gaps = findings(report.points)
    assert '41.0 at 2 % to 61.0 at 40 % and 62.0 at 50 %' in rise
    assert '+10.0 points' in little and 'p = ' in little
    assert '+10.0 points at 2 % to +0.0 at 50 %' in gaps


def test_one_share_alone_tells_neither_rise_nor_narrowing():
    rise, _, gaps = findings([CurvePoint.of(0.1, scores(0.5), scores(0.4))])
    assert rise.startswith('Cannot be told') and gaps.startswith('Cannot be told')


@pytest.mark.parametrize('uars', [(0.25, 0.25), (0.0, 1.0), (0.605, 0.606)])
def test_every_mark_of_figure_5_lies_inside_the_drawing(uars):
    low, high = uars
    drawn = draw_few_data([
        CurvePoint.of(0.02, scores(high, low), scores(low, low)), CurvePoint.of(0.5, scores(high), scores(low)),
    ])
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn).groups())
    marks = re.findall(r'<use [^>]*x="([-\d.]+)" y="([-\d.]+)"', drawn)
    assert len(marks) >= 4
    assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in marks)
