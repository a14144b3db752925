# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`~` is the home folder wherever a path is given, and nowhere a folder of that name."""
import argparse
import importlib
from pathlib import Path

import pytest

from smern_ros.assets import store
from smern_ros.cli.main import SUBCOMMANDS
from smern_ros.emotion import shipped_checkpoints as shipped
from smern_ros.utils import paths


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    return tmp_path


def test_it_is_expanded_at_the_begin_alone(home):
    assert paths.expand('~/a b/~') == home / 'a b/~'
    assert paths.expand('~') == home
    assert paths.expand('~root') == Path('/root')
    assert paths.expand('x/~/y') == Path('x/~/y')
    assert paths.expand('~nobody of that name') == Path('~nobody of that name'), 'a name like any other'
    assert paths.expand('') == Path()


def test_without_a_home_it_is_refused(monkeypatch):
    monkeypatch.setattr('os.path.expanduser', lambda path: path)
    with pytest.raises(ValueError, match='~/x begins with the home folder'):
        paths.expand('~/x')


def test_each_option_of_each_command_that_takes_a_path_expands_it(home):
    tried = set()
    for command in SUBCOMMANDS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f'smern_ros.cli.{command}').add_parser(parser.add_subparsers())
        for action in actions(parser):
            assert action.type is not Path, f'{command}: {action.dest}'
            if action.type in (paths.expand, shipped.checkpoint_folder):
                assert parser._get_value(action, '~/x') == home / 'x'
                tried.add(f'{command} {action.dest}')
    assert {'run params_file', 'run checkpoint', 'record out', 'replay bag', 'predict files', 'adapt out',
            'evaluate data', 'export out', 'features root', 'reproduce glove'} <= tried


def test_a_checkpoint_is_given_by_the_name_of_one_that_is_shipped_or_as_a_folder(home):
    assert {shipped.checkpoint_folder(name) / 'config.json' for name in shipped.names()} == set(
        (Path(shipped.__file__).parents[1] / 'checkpoints').glob('*/config.json'))
    assert shipped.checkpoint_folder() == shipped.checkpoint_folder('') == shipped.checkpoint_folder(shipped.DEFAULT)
    assert shipped.checkpoint_folder('~/mine') == home / 'mine'
    assert shipped.checkpoint_folder(f'./{shipped.DEFAULT}') == Path(shipped.DEFAULT), 'a folder here'


def actions(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from actions(child)
        else:
            yield action


def test_environment_variables_expand_it(home, monkeypatch):
    monkeypatch.setenv('SMERN_ASSETS', '~/weights')
    assert store.default_folder() == home / 'weights'
    monkeypatch.delenv('SMERN_ASSETS')
    monkeypatch.setenv('XDG_CACHE_HOME', '~/cache')
    assert store.default_folder() == home / 'cache/smern_ros'
    monkeypatch.delenv('XDG_CACHE_HOME')
    assert store.default_folder() == home / '.cache/smern_ros'
