"""Five minutes of `make soak`: what would show in an hour begins in a minute."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.ros, pytest.mark.weights, pytest.mark.slow,
              pytest.mark.timeout(900)]

GROWTH = 24.0
"""MB in four minutes: allocators still fill, but what is kept of a message (pictures are 17 MB a second) is more."""


def test_people_come_and_go_and_nothing_is_kept_of_them(tmp_path):
    report = tmp_path / 'soak.json'
    command = [sys.executable, '-m', 'bench.soak', '--minutes', '4', '--warm-up', '1', '--json', str(report)]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=800)
    assert report.exists(), run.stdout + run.stderr
    found = json.loads(report.read_text())
    assert set(found['nodes']) >= {'pose_estimation', 'skeleton_filter', 'audio_features', 'asr', 'fusion'}
    for name, node in found['nodes'].items():
        assert node['memory_last'] - node['memory_first'] < GROWTH, (name, node)
        assert node['files_last'] <= node['files_first'], (name, node)
    assert found['utterances'] >= 8 and found['finals'] == found['utterances'], found
