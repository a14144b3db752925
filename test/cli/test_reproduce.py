# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern reproduce` on a corpus small enough to train real networks on in seconds."""
import dataclasses
import html
import json
import os
import shutil

import pytest
from support.extra import with_extra

from smern_ros.cli.main import main
from smern_ros.training.iemocap.experiments.code import code_of
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec, corpus
from smern_ros.training.iemocap.features.feature_store import FeatureSet


@pytest.fixture(scope='module')
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp('features')
    corpus(SyntheticCorpusSpec(utterances=200, frames=4)).save(folder)
    return folder


def reproduce(features, out, *more):
    size = ('--folds', '1', '--runs', '2', '--epochs', '1')
    return main(['reproduce', '--features', str(features), '--out', str(out), *size, *more])


@pytest.fixture(scope='module')
def reproduced(features, tmp_path_factory):
    out = tmp_path_factory.mktemp('out')
    code = reproduce(features, out, '--tables', '1', '--figures', '4', '--models', 'are,tre,mdre')
    return code, out


def test_chosen_rows_are_filled_by_runs_and_the_others_are_missing(reproduced):
    code, out = reproduced
    assert code == 0
    rows = {row['row']: row for row in json.loads((out / 'results.json').read_text())['tables']['1']}
    filled = {name for name, row in rows.items() if not row['missing']}
    assert filled == {f'{name} [30]{more}' for name in ('ARE', 'TRE', 'MDRE') for more in ('', ' (reported)')}
    assert all(rows[name]['repetitions'] == 2 and rows[name]['utterances'] == 30 for name in filled)
    assert rows['ARE [30]']['parameters'] == 192_604


def test_the_page_says_that_this_is_not_iemocap_and_how_it_was_made(reproduced):
    _, out = reproduced
    page = (out / 'report.html').read_text()
    assert 'corpus synthetic, not of IEMOCAP' in page
    assert f'--out {out} --tables 1 --figures 4 --models are,tre,mdre --folds 1 --runs 2 --epochs 1' in page


def test_a_part_of_iemocap_is_never_taken_for_all_of_it(tmp_path):
    part = dataclasses.replace(corpus(SyntheticCorpusSpec(utterances=200, frames=4)), corpus='iemocap')
    part.save(tmp_path / 'features')
    assert reproduce(tmp_path / 'features', tmp_path, '--tables', '1', '--figures', '', '--models', 'are') == 0
    text = (tmp_path / 'report.md').read_text()
    assert 'The corpus has 200 utterances' in text and 'The paper used 5492 utterances' in text
    assert 'not of all of IEMOCAP' in text


def test_the_same_command_again_trains_nothing_and_more_of_it_only_what_is_new(features, reproduced, capsys):
    _, out = reproduced
    before = {path: path.stat().st_mtime_ns for path in (out / 'runs').iterdir()}
    (out / 'report.html').unlink()
    assert reproduce(features, out, '--tables', '1', '--figures', '', '--models', 'are,tre,mdre') == 0
    assert {path: path.stat().st_mtime_ns for path in (out / 'runs').iterdir()} == before
    assert (out / 'report.html').exists()
    capsys.readouterr()
    os.rename(out / 'runs' / (lost := next(p.name for p in before if p.name.startswith('are'))), out / 'moved')
    assert reproduce(features, out, '--tables', '1', '--figures', '4', '--models', 'are,tre,mdre') == 0
    told = [line for line in capsys.readouterr().err.splitlines() if 'last' in line]
    assert len(told) == 1 and told[0].startswith('6 of 6 runs') and told[0].endswith(lost)


def test_what_is_used_again_is_told_and_nothing_that_other_code_made(features, tmp_path, monkeypatch, capsys):
    def told(*models):
        assert reproduce(features, tmp_path, '--tables', '1', '--figures', '', '--models', ','.join(models)) == 0
        facts = json.loads((tmp_path / 'results.json').read_text())['facts']
        return capsys.readouterr().err.splitlines()[0], facts['Runs'], facts['Code']

    with monkeypatch.context() as patch:
        patch.setattr('smern_ros.training.iemocap.experiments.runs.code_of', lambda model: 'older')
        first, made, code = told('are')
        assert first.endswith('0 are done already, by the code that is here')
        assert made.startswith('2 done by this command; before it 0') and code == 'are older'
        assert told('are')[1].startswith('0 done by this command; before it 2 are done already')
    first, made, code = told('are', 'tre')
    assert first.endswith('0 are done already, by the code that is here; 2 there were made by other code and are not '
                          'used')
    assert made.startswith('4 done by this command; before it 0')
    assert code == f'are {code_of("are")}, tre {code_of("tre")}'


def test_runs_that_were_computed_otherwise_are_not_said_to_be_alike(features, tmp_path):
    chosen = ('--tables', '1', '--figures', '', '--models')
    assert reproduce(features, tmp_path, *chosen, 'are', '--no-bfloat16') == 0
    alike = (tmp_path / 'report.md').read_text()
    assert 'trained on cpu |' in alike and 'bfloat16 in training' not in alike and 'Rounding differs' not in alike
    assert reproduce(features, tmp_path, *chosen, 'are,tre', '--bfloat16') == 0
    mixed = (tmp_path / 'report.md').read_text()
    assert 'Rounding differs' in mixed and '--bfloat16' in mixed
    machine = json.loads((tmp_path / 'results.json').read_text())['facts']['Machine']
    assert machine.count('2 runs: ') == 2 and machine.count('bfloat16 in training') == 1


def test_it_trains_in_float32_unless_told_otherwise_and_the_report_says_so(reproduced):
    _, out = reproduced
    facts = json.loads((out / 'results.json').read_text())['facts']
    assert ' --no-bfloat16 ' in facts['Command'] + ' ' and 'bfloat16' not in facts['Machine']


def test_a_run_that_cannot_be_done_is_told_and_the_others_are_done(tmp_path, capsys):
    corpus(SyntheticCorpusSpec(utterances=200, frames=4, mocap_fraction=0)).save(tmp_path / 'features')
    code = reproduce(tmp_path / 'features', tmp_path, '--tables', '1', '--figures', '', '--models', 'mocap,are')
    assert code == 1, 'nobody wore markers, so no network can learn of them'
    said = capsys.readouterr()
    assert 'failed:' in said.err and 'PROBLEMS' in said.out and '2 of 4 runs are done' in said.out
    rows = {row['row']: row for row in json.loads((tmp_path / 'results.json').read_text())['tables']['1']}
    assert rows['Mocap_Model [49]']['missing'] and not rows['ARE [30]']['missing']
    assert 'Runs that failed' in (tmp_path / 'report.html').read_text()


def test_figure_5_has_a_point_for_each_share_that_was_chosen(features, tmp_path):
    assert reproduce(features, tmp_path, '--tables', '', '--models', 'smacn', '--fractions', '25,50') == 0
    results = json.loads((tmp_path / 'results.json').read_text())
    assert [point['fraction'] for point in results['figure_5']] == [0.25, 0.5]
    assert results['tables'] == {}


@pytest.mark.parametrize(('arguments', 'message'), [
    (('--features', '{tmp}/nothing'), 'holds no features'),
    (('--features', '{features}', '--models', 'bert'), 'no network bert'),
    (('--features', '{features}', '--folds', '9'), 'folds is 9'),
    (('--features', '{features}', '--tables', '1,one'), 'no table one'),
    (('--features', '{features}', '--epochs', '0'), 'epochs is 0'),
    (('--features', '{features}', '--jobs', '0'), 'jobs is 0'),
    (('--features', '{features}', '--device', 'cuda:77'), 'cuda:77'),
    (('--features', '{features}', '--glove', '{tmp}/no.txt'), 'cannot be read'),
])
def test_what_cannot_start_says_why_without_a_traceback(features, tmp_path, capsys, arguments, message):
    filled = [a.format(tmp=tmp_path, features=features) for a in arguments]
    assert main(['reproduce', '--out', str(tmp_path / 'out'), *filled]) == 2
    said = capsys.readouterr().err
    assert message in said and 'Traceback' not in said


def test_results_of_other_data_are_never_mixed(reproduced, tmp_path, capsys):
    _, out = reproduced
    corpus(SyntheticCorpusSpec(utterances=200, frames=4, seed=1)).save(tmp_path)
    assert reproduce(tmp_path, out, '--tables', '1', '--models', 'are') == 2
    assert 'holds results of other data' in capsys.readouterr().err


def test_lists_that_make_no_sense_are_refused_as_usage(features, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        reproduce(features, tmp_path, '--figures', 'one')
    assert ended.value.code == 2
    assert "'one'; expected numbers" in capsys.readouterr().err


def test_the_extra_has_its_own_table_and_leaves_the_papers_rows_as_they_are(features, reproduced, tmp_path, capsys):
    _, out = reproduced
    papers = ('--tables', '1', '--figures', '4', '--models', 'are,tre,mdre')
    with_extra(FeatureSet.load(features)).save(tmp_path / 'features')
    assert reproduce(tmp_path / 'features', shutil.copytree(out, tmp_path / 'out'), *papers, '--extra') == 0
    assert '18 runs (table 1: 6, table extra: 12)' in capsys.readouterr().err
    before, after = (json.loads((folder / 'results.json').read_text()) for folder in (out, tmp_path / 'out'))
    extra = after['tables'].pop('extra')
    assert after['tables'] == before['tables'] and after['figure_4'] == before['figure_4']
    assert {row['row'] for row in extra if row['missing']} == {row['row'] for row in extra if 'SMACN' in row['row']}
    assert all(row['figures'][name]['paper'] is None for row in extra for name in ('wap', 'uar', 'war'))
    voice, words, both = (row['parameters'] for row in extra[:3])
    assert both == voice + words
    for name in ('report.html', 'report.md'):
        text = html.unescape((tmp_path / 'out' / name).read_text())
        of_table_1, title, of_extra = text.partition("Beside the paper: pretrained encoders, which are not the paper's")
        assert title and 'No row here is of the paper' in of_extra
        assert 'SMERN-GA' in of_table_1 and 'Voice + words, leave one session out' in of_extra
        assert 'Voice + words' not in of_table_1
    assert reproduce(features, tmp_path / 'out', *papers) == 0, 'without the extra it goes on as before'
    assert json.loads((tmp_path / 'out' / 'results.json').read_text())['tables'] == before['tables']


def test_features_without_the_extra_are_told_with_the_command_that_adds_it(features, tmp_path, capsys):
    assert reproduce(features, tmp_path, '--tables', '', '--figures', '', '--extra') == 2
    assert 'add it: smern features --extra' in capsys.readouterr().err
