# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Paths as people write them. Needs no ROS."""
from __future__ import annotations

import os
from pathlib import Path


def expand(path: str | os.PathLike[str]) -> Path:
    """A path in which `~` and `~NAME` stand for home folders, as in a shell: where a value does not begin a word, as in
    PARAMETER:=~/file, the shell leaves them.

    :raises ValueError: if it begins with `~` and this user has no home folder.
    """
    expanded = Path(os.path.expanduser(path))
    if expanded.parts[:1] == ('~',):
        raise ValueError(f'{os.fspath(path)} begins with the home folder, but HOME is not set and this user has none')
    return expanded
