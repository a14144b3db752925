# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from scipy.stats import ttest_ind

from smern_ros.training.iemocap.experiments.integrate import Scores
from smern_ros.training.iemocap.reproduce.tables import CellResult, t_tests, table, written

CONFUSION = ((10, 0, 0, 0), (0, 10, 0, 0), (0, 0, 10, 0), (0, 0, 0, 10))


def measured(*wars):
    return CellResult(tuple(Scores(40, wap=w + 0.01, uar=w - 0.01, war=w, confusion=CONFUSION) for w in wars), 1234)


def row(made, name):
    return next(row for row in made.rows if row.name == name)


def test_a_row_has_our_mean_and_deviation_beside_the_papers_and_the_difference():
    cell = row(table('2', {'LSTM': measured(0.50, 0.60)}), 'LSTM').cells['war']
    assert cell.ours.mean == pytest.approx(55.0)
    assert cell.ours.std == pytest.approx(math.sqrt(50))
    assert cell.paper.mean == 52.7
    assert cell.difference == pytest.approx(2.3)


def test_a_row_without_a_run_is_missing_and_holds_no_figure_of_ours():
    made = table('1', {'SMERN': measured(0.7)})
    missing = [r for r in made.rows if r.name != 'SMERN']
    assert all(r.missing and r.utterances is None and r.parameters is None for r in missing)
    assert all(cell.ours is None and cell.difference is None for r in missing for cell in r.cells.values())
    assert not row(made, 'SMERN').missing


def test_what_the_paper_does_not_give_has_no_difference():
    cell = row(table('1', {'Mocap_Model [49]': measured(0.5)}), 'Mocap_Model [49]').cells['uar']
    assert cell.paper is None and cell.ours is not None and cell.difference is None


def test_the_table_beside_the_paper_has_its_figures_where_table_4_has_them():
    made = table('sessions', {'SMACN, no speaker sharing': measured(0.40)})
    known = row(made, 'SMACN, no speaker sharing').cells['uar']
    assert (known.paper.mean, known.difference) == (33.1, pytest.approx(5.9))
    others = [r for r in made.rows if r.name != 'SMACN, no speaker sharing']
    assert len(others) == 7 and all(cell.paper is None for r in others for cell in r.cells.values())


def test_tables_have_the_papers_rows_in_its_order():
    assert [r.name for r in table('3', {}).rows] == ['Preprocessed', 'Unpreprocessed']
    assert len(table('1', {}).rows) == 12


def test_t_tests_are_those_of_the_paper_with_ps_of_our_repetitions():
    mdre, smern = (0.70, 0.72, 0.71), (0.75, 0.78, 0.76)
    first, second = t_tests('1', {'MDRE [30]': measured(*mdre), 'SMERN': measured(*smern)})
    assert (first.paper.first, first.paper.second) == ('SMERN', 'MDRE [30]')
    assert first.ours['war'].p == pytest.approx(ttest_ind(smern, mdre).pvalue)
    assert first.ours['war'].difference == pytest.approx(5.333, abs=1e-3)
    assert second.ours == {}, 'SMERN-GA was not measured, so nothing can be said of it'


def test_one_repetition_has_neither_deviation_nor_p():
    test, _ = t_tests('1', {'MDRE [30]': measured(0.7), 'SMERN': measured(0.8)})
    assert math.isnan(test.ours['war'].p)
    assert written(71.234, math.nan) == '71.2'


def test_other_tables_have_no_t_test():
    assert t_tests('2', {'LSTM': measured(0.5, 0.6)}) == ()


def test_a_table_or_row_that_the_paper_does_not_have_is_refused_by_name():
    with pytest.raises(ValueError, match='no table 5.*1, 2, 3, 4, sessions'):
        table('5', {})
    with pytest.raises(ValueError, match='table 2 has no row BERT'):
        table('2', {'BERT': measured(0.5)})
