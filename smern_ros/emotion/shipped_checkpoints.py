# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The checkpoints that come with the package, by name. Without the code that reads them, which takes long to import."""
from __future__ import annotations

import os
from pathlib import Path

from smern_ros.utils.paths import expand

DEFAULT = 'open-v3'
_FOLDER = Path(__file__).parents[1] / 'checkpoints'


def names() -> tuple[str, ...]:
    return tuple(sorted(file.parent.name for file in _FOLDER.glob('*/config.json')))


def checkpoint_folder(wanted: str | os.PathLike[str] | None = None) -> Path:
    """
    :param wanted: name of a checkpoint that is shipped, or a folder, in which `~` is the home folder (`./NAME` if it is
        called as one that is shipped); None or empty: DEFAULT.
    """
    wanted = wanted or DEFAULT
    return _FOLDER / wanted if str(wanted) in names() else expand(wanted)


CHOICES = f'name of a checkpoint that is shipped, or folder with model.safetensors and config.json; empty: {DEFAULT}'
"""What parameters and options that name a checkpoint may be."""
