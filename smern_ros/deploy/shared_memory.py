# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What killed processes leave in shared memory: with room for images each leaves 34 MB, for ever. Needs no ROS."""
from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import time
from pathlib import Path

SHARED_MEMORY = Path('/dev/shm')
SEGMENT = re.compile(r'fast(?:dds|rtps)_[0-9a-f]{16}')
"""What Fast DDS calls a participant's memory. Beside it lies a file that is locked while the participant lives."""
LOCK = '_el'
YOUNG = 10.0
"""s; between making its lock and locking it a participant looks as if it were dead."""


def sweep(folder: Path = SHARED_MEMORY, *, young: float = YOUNG) -> int:
    """Removes the memory of participants that are dead, as `fastdds shm clean` does. Others' users' is left alone.

    :param young: s since it was made within which nothing is touched.
    :return: how many were removed.
    """
    removed = 0
    for segment in folder.glob('fast*'):
        with contextlib.suppress(OSError):  # somebody else's, or somebody else was faster
            if SEGMENT.fullmatch(segment.name) and _age(segment) > young and _is_dead(segment):
                segment.unlink()
                removed += 1
    return removed


def _age(segment: Path) -> float:
    """s since it was written. :raises OSError: if it is not there, or is no file of this user."""
    return time.time() - _require_own_file(segment.lstat()).st_mtime


def _is_dead(segment: Path) -> bool:
    """And its lock is removed. :raises OSError: if that cannot be known."""
    lock = segment.with_name(segment.name + LOCK)
    # Everybody may write in this folder: a pipe of that name would hold up whoever opens it, a link leads elsewhere.
    handle = os.open(lock, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _require_own_file(os.fstat(handle))
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.unlink()
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _require_own_file(status: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
        raise OSError('no file of this user')
    return status
