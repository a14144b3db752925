# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The paper agrees with itself: what it says twice is the same in both places."""
import pytest

from smern_ros.training.iemocap.reproduce.published import TABLES


def figures(table, name):
    return next(row for row in TABLES[table].rows if row.name == name).figures


@pytest.mark.parametrize(('metric', 'points'), [('wap', 4.8), ('uar', 4.9), ('war', 5.0)])
def test_smern_is_as_far_above_mdre_as_section_iv_d_says(metric, points):
    difference = figures('1', 'SMERN')[metric].mean - figures('1', 'MDRE [30]')[metric].mean
    assert difference == pytest.approx(points, abs=0.05)


@pytest.mark.parametrize(('table', 'name'), [
    ('2', 'SMACN'), ('3', 'Preprocessed'), ('4', 'Division without considering speakers'),
])
def test_smacn_has_the_same_figures_in_every_table(table, name):
    assert {m: figures(table, name)[m] for m in ('uar', 'war')} == {m: figures('1', 'SMACN')[m] for m in ('uar', 'war')}


def test_smern_ga_is_best_in_all_that_table_1_reports():
    for metric in ('wap', 'uar', 'war'):
        others = [row.figures[metric].mean for row in TABLES['1'].rows[:-1] if metric in row.figures]
        assert figures('1', 'SMERN-GA')[metric].mean > max(others)


def test_names_of_rows_are_unique_in_their_table():
    for table in TABLES.values():
        names = [row.name for row in table.rows]
        assert len(set(names)) == len(names)
