# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the files beside the code are: configuration and launch files. Needs no ROS."""
from __future__ import annotations

from pathlib import Path


def share(*parts: str) -> Path:
    """A file or folder of this package, as in `share('config', 'emotion.yaml')`: of the source tree that this code
    runs from, else of the prefix that it is installed in (colcon's, a venv's).

    :raises FileNotFoundError: if neither has it.
    """
    package = Path(__file__).parents[1]
    for folder in package.parents:
        prefix = folder / 'share/smern_ros'
        root = folder if (folder / 'package.xml').is_file() and folder == package.parent else prefix
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(
        f'{"/".join(parts)} of smern_ros is neither in a source tree nor in share/smern_ros of a prefix above '
        f'{package}; install the package again: make setup, pip install or colcon build'
    )
