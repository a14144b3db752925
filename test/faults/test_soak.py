# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A minute of `make soak`: what is kept of pictures shows at once."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.ros, pytest.mark.weights, pytest.mark.slow,
              pytest.mark.timeout(900)]

GROWTH = 64.0
"""MB in half a minute: allocators still fill, but what is kept of pictures (17 MB a second) is more."""


def test_people_come_and_go_and_nothing_is_kept_of_them(tmp_path):
    report = tmp_path / 'soak.json'
    command = [sys.executable, '-m', 'bench.soak', '--minutes', '0.5', '--warm-up', '0.3', '--json', str(report)]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=800)
    assert report.exists(), run.stdout + run.stderr
    found = json.loads(report.read_text())
    assert set(found['nodes']) >= {'pose_estimation', 'skeleton_filter', 'audio_features', 'asr', 'fusion'}
    for name, node in found['nodes'].items():
        assert node['memory_last'] - node['memory_first'] < GROWTH, (name, node)
        assert node['files_last'] <= node['files_first'], (name, node)
    assert found['utterances'] >= 1 and found['finals'] == found['utterances'], found
