# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Each source file names its licence, as packages of ROS do."""
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ('smern_ros', 'training', 'launch', 'examples', 'bench', 'scripts', 'test')
GENERATED = ('smern_ros/msg', 'smern_ros/srv')


@pytest.mark.parametrize('folder', FOLDERS)
def test_each_source_file_names_its_licence(folder):
    files = [
        file for kind in ('*.py', '*.sh') for file in (ROOT / folder).rglob(kind)
        if file.stat().st_size and not str(file.relative_to(ROOT)).startswith(GENERATED)
    ]
    assert files
    assert [f for f in files if 'SPDX-License-Identifier: Apache-2.0\n' not in f.read_text()[:200]] == []
