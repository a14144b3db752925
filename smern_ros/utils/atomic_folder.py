# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Putting a folder in place of another in one step: whoever looks finds the old one or the new one, whole."""
from __future__ import annotations

import ctypes
import errno
import os
import shutil
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of linux/fcntl.h and linux/fs.h
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def put(ready: Path, target: Path) -> None:
    """Makes the folder `ready`, on the same file system, the folder `target`, and removes what `target` was.

    Killed at any time, `target` is the old or the new one. On a file system that cannot exchange two folders there is a
    moment in which it is not there; the old one then lies beside it until `restore`.

    :raises OSError: if it cannot be done; then `target` is what it was, and `ready` is left.
    """
    restore(target)
    if not target.exists():
        os.rename(ready, target)
        return
    try:
        _exchange(ready, target)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        _one_after_the_other(ready, target)
    for old in (ready, _aside(target)):
        shutil.rmtree(old, ignore_errors=True)


def restore(target: Path) -> None:
    """Puts back what `target` was before a `put` that was killed. Nothing if there is none, or `target` is there."""
    aside = _aside(target)
    if aside.exists() and not target.exists():
        os.rename(aside, target)


def _one_after_the_other(ready: Path, target: Path) -> None:
    aside = _aside(target)
    shutil.rmtree(aside, ignore_errors=True)  # `target` is there, so nobody needs it
    try:
        os.rename(target, aside)
        os.rename(ready, target)
    finally:
        restore(target)


def _aside(target: Path) -> Path:
    return target.with_name(f'.{target.name}.replaced')


def _exchange(one: Path, other: Path) -> None:
    """Both are there all the time. Python has no name for it."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), 'renameat2', None)
    if renameat2 is None:
        raise OSError(errno.ENOSYS, 'this C library cannot exchange two folders')
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))
