# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A file for the processes that this one starts."""
import os
import subprocess
import sys

import pytest

WRITE = """
from pathlib import Path
from smern_ros.deploy import temp_file
path = temp_file.write('content', '.txt')
print(path, Path(path).read_text(), flush=True)
"""


@pytest.mark.parametrize('runtime', ['made', 'absent', None])
def test_it_lies_in_the_users_runtime_folder_if_there_is_one_and_goes_with_its_process(tmp_path, runtime):
    (tmp_path / 'made').mkdir()
    env = {**os.environ, 'TMPDIR': str(tmp_path)}
    env.pop('XDG_RUNTIME_DIR', None)
    if runtime:
        env['XDG_RUNTIME_DIR'] = str(tmp_path / runtime)
    done = subprocess.run([sys.executable, '-c', WRITE], env=env, capture_output=True, text=True, check=True)
    path, content = done.stdout.split()
    assert content == 'content'
    assert os.path.dirname(path) == str(tmp_path / 'made' if runtime == 'made' else tmp_path)
    assert not os.path.exists(path)
