# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A folder takes another's place whole, whatever fails or is killed, and the next one repairs what is left."""
import errno
import os
import subprocess
import sys

import pytest

from smern_ros.utils import atomic_folder

FILES = ('weights', 'words')
NO_EXCHANGE = """
def none(*_):
    raise OSError(errno.EINVAL, 'a file system that cannot exchange')
atomic_folder._exchange = none
"""


def make(folder, content):
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(content)
    return folder


def content(folder) -> set[str]:
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    return {path.read_text() for path in folder.iterdir()}


@pytest.fixture(params=['exchange', 'no exchange'])
def exchanges(request, monkeypatch):
    def none(*_):
        raise OSError(errno.EINVAL, 'a file system that cannot exchange')

    if request.param == 'no exchange':
        monkeypatch.setattr(atomic_folder, '_exchange', none)


def test_the_new_one_is_there_and_nothing_else_is_left(exchanges, tmp_path):
    for number in range(3):
        atomic_folder.put(make(tmp_path / 'ready', f'{number}'), tmp_path / 'target')
        assert content(tmp_path / 'target') == {f'{number}'}
        assert [path.name for path in tmp_path.iterdir()] == ['target']


@pytest.mark.parametrize('failing', ['first', 'second'])
def test_if_a_rename_fails_the_old_one_is_where_it_was(tmp_path, monkeypatch, failing):
    target, ready, calls, rename = make(tmp_path / 'target', 'old'), make(tmp_path / 'ready', 'new'), [], os.rename

    def failing_once(source, goal):
        calls.append(source)
        if len(calls) == ('first', 'second').index(failing) + 1:
            raise OSError(errno.EIO, 'the disk is lost')
        rename(source, goal)

    def none(*_):
        raise OSError(errno.ENOSYS, 'a kernel that cannot exchange')

    monkeypatch.setattr(atomic_folder, '_exchange', none)
    monkeypatch.setattr(os, 'rename', failing_once)
    with pytest.raises(OSError, match='the disk is lost'):
        atomic_folder.put(ready, target)
    assert content(target) == {'old'} and content(ready) == {'new'}


def test_if_the_exchange_fails_the_old_one_is_where_it_was(tmp_path, monkeypatch):
    def lost(*_):
        raise OSError(errno.EIO, 'the disk is lost')

    monkeypatch.setattr(atomic_folder, '_exchange', lost)
    target, ready = make(tmp_path / 'target', 'old'), make(tmp_path / 'ready', 'new')
    with pytest.raises(OSError, match='the disk is lost'):
        atomic_folder.put(ready, target)
    assert content(target) == {'old'} and content(ready) == {'new'}


@pytest.mark.parametrize('how', ['exchange', 'no exchange'])
@pytest.mark.parametrize('moment', range(8))
def test_killed_at_any_call_one_of_both_is_there_whole_and_the_next_put_repairs_it(tmp_path, how, moment):
    target = make(tmp_path / 'target', 'old')
    program = f"""
import errno, os, shutil, sys
from pathlib import Path
from smern_ros.utils import atomic_folder
{NO_EXCHANGE if how == 'no exchange' else ''}
calls = 0
def counted(do):
    def call(*arguments, **options):
        global calls
        if calls == {moment}:
            os._exit(9)
        calls += 1
        return do(*arguments, **options)
    return call
for place, name in ((os, 'rename'), (os, 'unlink'), (os, 'rmdir'), (atomic_folder, '_exchange')):
    setattr(place, name, counted(getattr(place, name)))
atomic_folder.put(Path(sys.argv[1]), Path(sys.argv[2]))
"""
    ready = make(tmp_path / 'ready', 'new')
    killed = subprocess.run([sys.executable, '-c', program, ready, target], capture_output=True, text=True)
    assert killed.returncode in (0, 9), killed.stderr
    if how == 'exchange':
        assert content(target) in ({'old'}, {'new'})
    atomic_folder.restore(target)
    assert content(target) in ({'old'}, {'new'})
    atomic_folder.put(make(tmp_path / 'newest', 'newest'), target)
    assert content(target) == {'newest'} and not (tmp_path / '.target.replaced').exists()
