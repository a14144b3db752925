# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What was measured stands in the report, and what was not is said to be missing."""
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from support.dice import TABLE, dice

from smern_ros.training.benchmarks import report
from smern_ros.training.benchmarks.collect import collect_results
from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable, jobs
from smern_ros.training.benchmarks.registry import SOURCES
from smern_ros.training.benchmarks.result_store import BenchmarkStore
from smern_ros.training.benchmarks.run_jobs import run_jobs
from smern_ros.training.iemocap.experiments.integrate import Predictions

CURVE = BenchmarkTable('Dice thrown often', data='a die', protocol='fair', development='another die', axis='throws')


def experiments(tmp_path):
    one = dice(tmp_path, name='plain', rows=(BenchmarkRow(TABLE, 'die | fair', 'red', confusion=True),))
    points = [
        dice(tmp_path, name=f'point {at}', rows=(BenchmarkRow(CURVE, 'die', at=at),)) for at in (1.0, 2.0, math.inf)
    ]
    undone = dice(tmp_path, broken='b', name='undone', rows=(BenchmarkRow(TABLE, 'lost'),))
    return [one, *points, undone]


@pytest.fixture
def page(tmp_path):
    store = BenchmarkStore(tmp_path / 'jobs')
    run_jobs(experiments(tmp_path), store)
    folder = tmp_path / 'docs'
    (folder / 'results').mkdir(parents=True)
    (folder / 'results/old.svg').write_text('')
    return report.write(collect_results(experiments(tmp_path), store), folder, {'Command': 'throw'})


def test_each_table_names_its_data_its_protocol_and_the_data_by_which_was_chosen(page):
    text = page.read_text()
    for words in ('## Dice\n', '- Data: a die', '- Protocol: fair', '- Development: another die', '- It is only a die',
                  '| Command | throw |', '18 of 20 trainings'):
        assert words in text


def test_a_row_has_its_figures_and_one_that_is_not_done_says_so(page):
    rows = [line for line in page.read_text().splitlines() if line.startswith('| ')]
    (done,) = [row for row in rows if row.startswith('| die / fair: red')]
    assert ' ± ' in done and '| 2 | 16 |' in done
    assert [row.split(' | ')[1] for row in rows if row.startswith('| lost')] == ['not done']


def test_drawings_are_whole_svg_files_that_the_page_shows_and_old_ones_are_gone(page):
    drawn = sorted(path.name for path in (page.parent / 'results').iterdir())
    assert drawn == ['dice-die-fair-red.svg', 'dice-thrown-often.svg']
    for name in drawn:
        assert f'(results/{name})' in page.read_text()
        assert ElementTree.parse(page.parent / 'results' / name).getroot().tag == '{http://www.w3.org/2000/svg}svg'
    assert '>all</text>' in (page.parent / 'results/dice-thrown-often.svg').read_text()


def test_how_sure_it_may_be_is_told_and_drawn_where_a_row_asks_for_it(tmp_path):
    store = BenchmarkStore(tmp_path / 'jobs')
    rows = (BenchmarkRow(TABLE, 'die', reliability=True), BenchmarkRow(TABLE, 'die', 'before', reliability=True))
    experiments = [dice(tmp_path, name=f'die {i}', rows=(row,)) for i, row in enumerate(rows)]
    run_jobs(experiments, store)
    gathered = collect_results(experiments, store)
    page = report.write(gathered, tmp_path / 'docs', {})
    measured = gathered.tables[0][1][0]
    assert sum(b.count for b in measured.bins) == 32 and len(measured.errors) == 2
    (line,) = [line for line in page.read_text().splitlines() if line.startswith('| die | **')]
    assert f'| {measured.ece.mean:.3f} ({measured.ece_by_chance.mean:.3f}) | 2 | 16 |' in line
    assert '(results/dice-die-reliability.svg)' in page.read_text()
    svg = (tmp_path / 'docs/results/dice-die-reliability.svg').read_text()
    assert ElementTree.fromstring(svg) is not None
    assert '>as it is</text>' in svg and '>before</text>' in svg


def test_two_experiments_of_one_name_are_refused(tmp_path, monkeypatch):
    from smern_ros.training.benchmarks import registry

    monkeypatch.setattr(registry, 'SOURCES', {'one': 'support.dice', 'other': 'support.dice'})
    with pytest.raises(ValueError, match='several experiments are called dice'):
        registry.experiments(tmp_path, tmp_path, trial=True)
    with pytest.raises(ValueError, match='there is no source three; there are one, other'):
        registry.experiments(tmp_path, tmp_path, trial=True, only=['three'])


@pytest.mark.parametrize('source', SOURCES)
def test_every_table_of_a_source_names_its_development_data(shared_data, tmp_path, source):
    from smern_ros.training.benchmarks import registry

    for experiment in registry.experiments(shared_data, tmp_path, trial=True, only=[source]):
        for row in experiment.rows:
            assert row.table.data and row.table.protocol and row.table.development
        assert experiment.modules


def nothing(fold, seed):
    return [Predictions(np.empty(0, str), np.empty(0, np.int64), np.empty((0, 4), np.float32))]


def test_a_row_of_which_there_was_nothing_to_test_is_not_done_and_the_others_are(tmp_path):
    store = BenchmarkStore(tmp_path / 'jobs')
    rows = [dice(tmp_path, name='empty', rows=(BenchmarkRow(TABLE, 'empty', loss=True),), run=nothing),
            dice(tmp_path, name='full', rows=(BenchmarkRow(TABLE, 'full', loss=True),))]
    run_jobs(rows, store)
    gathered = collect_results(rows, store)
    text = report.write(gathered, tmp_path, {}).read_text()
    (loss,) = [m.loss for _, measured in gathered.tables for m in measured if m.row.name == 'full']
    assert '| UAR | WAR | cross-entropy | seeds |' in text and f'| {loss.mean:.3f} | 2 | 16 |' in text
    assert '| empty | not done |' in text
    said = [store.get(job).predictions[0] for job in jobs(rows[1])]
    assert loss.mean == pytest.approx(np.mean([-np.log(p.probabilities[np.arange(8), p.labels]) for p in said]))


@pytest.mark.parametrize('broken', [None, 'b'])
def test_what_a_table_shows_besides_is_told_once_all_of_its_rows_are_done(tmp_path, broken):
    store = BenchmarkStore(tmp_path / 'jobs')
    grid = [('side', 'seen'), ('six', '9 %')]
    table = BenchmarkTable('Dice', data='', protocol='', development='', grid=lambda: grid)
    experiments = [dice(tmp_path, broken=broken, name='die', rows=(BenchmarkRow(table, 'die'),))]
    run_jobs(experiments, store)
    text = report.write(collect_results(experiments, store), tmp_path / 'docs', {}).read_text()
    assert ('| side | seen |\n|---|---|\n| six | 9 % |' in text) == (broken is None)
