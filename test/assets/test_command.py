# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern assets` as a user types it."""
import pytest

from smern_ros import assets
from smern_ros.cli.main import main


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    return tmp_path


def test_list_names_each_asset_with_licence_and_state(empty, capsys):
    assert main(['assets', 'list']) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in assets.names())
    assert said.count('not fetched') == said.count('    licence') == len(assets.names())


def test_where_prints_the_folder_and_nothing_else(empty, capsys):
    assert main(['assets', 'where']) == 0
    assert capsys.readouterr().out == f'{empty}\n'


@pytest.mark.parametrize('action', ['verify', 'where'])
def test_a_missing_asset_is_an_error_that_says_how_to_get_it(empty, capsys, action):
    assert main(['assets', action, 'demo-video']) == 1
    assert 'smern assets fetch demo-video' in capsys.readouterr().err


def test_an_unknown_name_is_told_the_known_ones(empty, capsys):
    assert main(['assets', 'fetch', 'demo-vido']) == 2
    assert 'demo-video' in capsys.readouterr().err


def test_what_is_optional_is_fetched_only_by_its_name(empty, capsys, monkeypatch):
    fetched = []
    monkeypatch.setattr(assets, 'fetch', lambda name, progress: fetched.append(name))
    assert main(['assets', 'fetch']) == main(['assets', 'fetch', 'whisper-base']) == 0
    assert fetched == [*(name for name in assets.names() if name != 'whisper-base'), 'whisper-base']
    assert main(['assets', 'list']) == 0
    assert capsys.readouterr().out.count('(optional: fetched only by its name)') == 1


@pytest.mark.weights
def test_fetching_what_is_here_prints_where(capsys):
    assert main(['assets', 'fetch', 'demo-speech']) == 0
    assert capsys.readouterr().out == f'demo-speech: {assets.path("demo-speech")}\n'
