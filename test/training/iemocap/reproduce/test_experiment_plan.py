# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
from collections import Counter

import pytest

from smern_ros import models
from smern_ros.training.iemocap.experiments.train_network import TRAINERS
from smern_ros.training.iemocap.reproduce.experiment_plan import MODELS, Choice, plan
from smern_ros.training.iemocap.reproduce.extra_tables import EXTRA_TABLE
from smern_ros.training.iemocap.reproduce.tables import TABLES

EVERYTHING = plan(Choice())


def test_every_row_of_the_paper_has_the_runs_of_ten_experiments_of_five_folds():
    for number, table in TABLES.items():
        assert set(EVERYTHING.tables[number]) == {row.name for row in table.rows}
        for runs in EVERYTHING.tables[number].values():
            assert Counter(run.repetition for run in runs) == dict.fromkeys(range(10), 5)
            assert len({run.experiment for run in runs}) == 1


def test_of_speakers_that_are_not_known_four_networks_are_asked_in_both_protocols():
    rows = EVERYTHING.tables['sessions'].values()
    assert Counter((runs[0].model, runs[0].protocol) for runs in rows) == {
        (model, protocol): 1 for model in ('are', 'tre', 'smacn', 'smern_ga_whole')
        for protocol in ('across_speakers', 'leave_one_session_out')
    }
    assert EVERYTHING.tables['sessions']['SMACN, no speaker sharing'] == EVERYTHING.tables['4']['No speaker sharing']


def test_the_costs_are_those_of_the_runs_that_no_part_before_needs():
    costs = EVERYTHING.costs
    assert sum(costs.values()) == len(EVERYTHING.runs)
    assert costs['table 1'] == 9 * 50 and costs['table 2'] == 4 * 50 and costs['figure 4'] == 0
    assert costs['table sessions'] == 6 * 50, 'those of SMACN are of table 4 and of figure 5'
    assert plan(Choice(tables=('sessions',), figures=())).costs['table sessions'] == 8 * 50


def test_all_networks_of_the_project_are_run():
    assert set(MODELS) == set(models.NETWORKS) - set(models.OF_CHECKPOINTS)


def test_a_run_that_several_tables_need_is_done_once():
    ids = [run.id for run in EVERYTHING.runs]
    assert len(set(ids)) == len(ids)
    assert EVERYTHING.tables['1']['SMACN'] == EVERYTHING.tables['2']['SMACN'] == EVERYTHING.tables['3']['Preprocessed']


def test_tables_3_and_4_differ_in_the_filter_and_in_the_speakers_alone():
    unfiltered = EVERYTHING.tables['3']['Unpreprocessed'][0].to_dict()
    apart = EVERYTHING.tables['4']['No speaker sharing'][0].to_dict()
    usual = EVERYTHING.tables['4']['Division without considering speakers'][0].to_dict()
    assert {k for k in usual if usual[k] != unfiltered[k]} == {'filtered'}
    assert {k for k in usual if usual[k] != apart[k]} == {'protocol'}


def test_what_figure_5_begins_with_is_among_the_runs():
    ids = {run.id for run in EVERYTHING.runs}
    needed = [run.beforehand for pretrained, _ in EVERYTHING.points.values() for run in pretrained]
    assert needed and all(run.id in ids for run in needed)


def test_figure_5_compares_the_same_shares_with_and_without_pretraining():
    assert min(EVERYTHING.points) == 0.02 and max(EVERYTHING.points) == 0.5
    for pretrained, scratch in EVERYTHING.points.values():
        assert all(run.pretrained for run in pretrained) and not any(run.pretrained for run in scratch)
        assert [(r.fold, r.repetition) for r in pretrained] == [(r.fold, r.repetition) for r in scratch]


def test_the_first_repetition_of_all_is_done_before_the_second_of_any():
    repetitions = [run.repetition for run in EVERYTHING.runs]
    assert repetitions == sorted(repetitions)


def test_a_network_that_is_not_chosen_leaves_its_rows_without_runs():
    some = plan(Choice(models=('are', 'mdre'), figures=(4, 5), folds=2, repetitions=1))
    assert {run.model for run in some.runs} == {'are', 'mdre'}
    assert some.tables['1']['SMERN'] == () and some.confusions['(a) gesture'] == () and some.points == {}


@pytest.mark.parametrize(('changes', 'message'), [
    ({'tables': ('7',)}, 'no table 7.*1, 2, 3, 4, sessions'),
    ({'figures': (3,)}, 'no figure 3.*4, 5'),
    ({'models': ('bert',)}, 'no network bert'),
    ({'folds': 6}, 'folds is 6'),
    ({'repetitions': 0}, 'repetitions is 0'),
    ({'fractions': (0.6,)}, '60%'),
])
def test_what_cannot_be_chosen_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        Choice(**changes)


def test_a_choice_that_needs_no_run_is_refused():
    with pytest.raises(ValueError, match='no run is needed'):
        plan(Choice(tables=('2',), figures=(), models=('are',)))


def test_the_extra_adds_a_table_of_its_own_and_changes_nothing_else():
    extra = plan(Choice(extra=True))
    assert set(extra.tables) - set(EVERYTHING.tables) == {'extra'}
    assert {name: extra.tables[name] for name in EVERYTHING.tables} == dict(EVERYTHING.tables)
    assert (extra.confusions, extra.points) == (EVERYTHING.confusions, EVERYTHING.points)
    assert {run.model for run in extra.runs} - {run.model for run in EVERYTHING.runs} == set(TRAINERS)
    assert extra.costs == {**EVERYTHING.costs, 'table extra': 2 * 3 * 50}, 'SMACN is of the other tables'
    assert set(extra.tables['extra']) == {row.name for row in EXTRA_TABLE.rows} and len(extra.tables['extra']) == 12


def test_the_extra_is_done_alone_but_for_what_goes_with_a_network_that_is_not_chosen():
    alone = plan(Choice(extra=True, tables=(), figures=(), models=('are',)))
    assert {run.model for run in alone.runs} == set(TRAINERS)
    assert {row for row, runs in alone.tables['extra'].items() if not runs} == {
        row.name for row in EXTRA_TABLE.rows if 'SMACN' in row.name
    }
    with pytest.raises(ValueError, match='no table extra'):
        Choice(tables=('extra',))
