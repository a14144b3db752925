# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The source tree as a stranger gets it."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='session')
def clean_source(tmp_path_factory) -> Path:
    """A copy of what git knows or would take in, without anything that was built."""
    target = tmp_path_factory.mktemp('source') / 'smern_ros'
    command = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip('not a git checkout')
    for name in listed.stdout.decode().split('\0'):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope='session')
def bare_environment(tmp_path_factory) -> dict[str, str]:
    """This environment without what `import smern_ros` and the ROS wheels add for their own process.

    CMake compiles without optimisation in it, which takes half the time.
    """
    added = ('AMENT_PREFIX_PATH', 'LD_LIBRARY_PATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')
    launcher = tmp_path_factory.mktemp('compiler') / 'launcher'
    launcher.write_text('#!/bin/sh\nexec "$@" -O0\n')
    launcher.chmod(0o755)
    return {
        **{k: v for k, v in os.environ.items() if os.environ.get('ROS_DISTRO') or k not in added},
        'CMAKE_C_COMPILER_LAUNCHER': str(launcher), 'CMAKE_CXX_COMPILER_LAUNCHER': str(launcher),
    }
