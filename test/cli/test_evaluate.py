# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A slice of what `make evaluate` does, from recordings to the page."""
import pytest

from smern_ros.cli.main import main
from smern_ros.training.benchmarks import registry


@pytest.fixture
def only_dice(monkeypatch):
    monkeypatch.setattr(registry, 'SOURCES', {'dice': 'support.dice'})


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_speech_is_taken_from_recordings_to_the_page(shared_data, tmp_path):
    arguments = ['evaluate', '--data', str(shared_data), '--out', str(tmp_path), '--tables', 'speech', '--trial']
    assert main(arguments) == 0
    page = (tmp_path / 'results.md').read_text()
    assert 'TRIAL' in page and '| not done |' not in page
    for corpus in ('EMO-DB', 'nEMO', 'RAVDESS'):
        rows = page.partition(f'## Speech: {corpus}')[2].partition('\n## ')[0]
        assert '| Voice: speaker known |' in rows and '| functionals and linear SVM: speaker unknown |' in rows
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / 'jobs').iterdir()}
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / 'jobs').iterdir()} == done


def test_what_was_done_is_told_and_the_page_goes_where_it_is_wanted(only_dice, tmp_path, capsys):
    assert main(['evaluate', '--data', str(tmp_path), '--out', str(tmp_path), '--report', str(tmp_path / 'docs')]) == 0
    shown = capsys.readouterr()
    assert shown.out == f'{tmp_path / "docs/results.md"}\n'
    assert shown.err.splitlines()[-1].startswith('4 of 4 runs, 0:00:00 left, last dice, b, seed 1')


def test_a_job_that_fails_is_a_problem_and_no_end(only_dice, tmp_path, monkeypatch, capsys):
    from support import dice

    monkeypatch.setattr(dice, 'experiments', lambda data, cache, trial: [dice.dice(tmp_path, broken='a')])
    assert main(['evaluate', '--data', str(tmp_path), '--out', str(tmp_path)]) == 1
    assert 'PROBLEMS (2)\n  dice, a, seed 0: ValueError: the die fell off the table' in capsys.readouterr().out
    assert '| not done |' in (tmp_path / 'results.md').read_text()


def test_an_unknown_source_or_absent_data_cannot_start(tmp_path, capsys):
    assert main(['evaluate', '--data', str(tmp_path), '--out', str(tmp_path), '--tables', 'smell']) == 2
    assert 'there is no source smell' in capsys.readouterr().err
    assert main(['evaluate', '--data', str(tmp_path), '--out', str(tmp_path), '--tables', 'speech']) == 2
    assert 'no emodb in' in capsys.readouterr().err
