# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern demo` as a person runs it: the real graph on a real clip, and what it leaves behind."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smern_ros import assets
from smern_ros.demo.clip import SPEECH_ASSET, VIDEO_ASSET, Layout, compose
from smern_ros.spec import AUDIO, LABELS, SKELETON, TEXT

pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.ros]


def smern_demo(*arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, '-m', 'smern_ros.cli.main', 'demo', *map(str, arguments)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, 'PYTHONUNBUFFERED': '1'},
    )


@pytest.fixture(scope='module')
def short_clip(tmp_path_factory) -> Path:
    """Seven seconds with one sentence."""
    try:
        film, speech = assets.path(VIDEO_ASSET), assets.path(SPEECH_ASSET)
    except assets.MissingAsset as missing:
        pytest.skip(str(missing))
    return compose(film, speech, tmp_path_factory.mktemp('clip'), Layout(sentences=('0880',), lead=2.6, pause=1.0))


@pytest.fixture(scope='module')
def shown(short_clip, tmp_path_factory):
    """(exit code, output, folder) of a whole run."""
    out = tmp_path_factory.mktemp('demo')
    process = smern_demo('--media', short_clip, '--out', out)
    output, _ = process.communicate(timeout=240)
    return process.returncode, output, out


def test_it_ends_well_and_a_person_can_follow_it(shown):
    code, output, out = shown
    assert code == 0, output
    assert 'fusion           ready after' in output
    assert 'FINAL' in output
    assert 'skeleton unlike what was learnt' in output
    assert '“' in output
    assert 'final states had voice, words and movement' in output
    assert str(out / 'report.html') in output
    assert 'Traceback' not in output


def test_every_state_is_a_line_with_all_fields_on_the_clips_time_line(shown):
    from smern_ros import msg

    states = [json.loads(line) for line in (shown[2] / 'emotion_states.jsonl').read_text('utf-8').splitlines()]
    for state in states:
        assert list(state) == list(msg.EmotionState.get_fields_and_field_types())
        assert sum(state['probabilities']) == pytest.approx(1, abs=1e-4)
        assert sum(state['modality_weights']) == pytest.approx(1, abs=1e-4)
        assert len(state['modality_probabilities']) == len(state['modalities']) * len(LABELS)
    (final,) = [s for s in states if s['is_final']]
    # Head and shoulders are all that the clip shows.
    assert (final['modalities'], final['unfamiliar']) == ([AUDIO, TEXT], [SKELETON])
    assert all(s['utterance_id'] for s in states)


def test_the_report_shows_the_clip_its_words_and_the_model(shown):
    page = (shown[2] / 'report.html').read_text('utf-8')
    states = [json.loads(line) for line in (shown[2] / 'emotion_states.jsonl').read_text('utf-8').splitlines()]
    assert page.count('<svg class="picture"') >= 8
    assert 'class="bone"' in page
    assert 'young man' in page
    assert states[-1]['model'] in page
    assert 'smern demo --media' in page


def test_ctrl_c_ends_everything_and_still_writes_the_report(short_clip, tmp_path):
    process = smern_demo('--media', short_clip, '--out', tmp_path)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith('playing'):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 1, lines  # no utterance was finished
    assert 'No utterance has a final state' in (tmp_path / 'report.html').read_text('utf-8')


def test_a_node_that_cannot_be_configured_ends_the_demo_with_its_reason(short_clip, tmp_path):
    process = smern_demo('--media', short_clip, '--out', tmp_path, '--checkpoint', tmp_path / 'none')
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert str(tmp_path / 'none') in output
    assert 'fusion cannot run as it is configured' in output


@pytest.mark.parametrize(('name', 'content', 'reason'), [
    ('none.mp4', None, 'there is no file'), ('words.mp4', 'no film', 'not audio or video'),
])
def test_a_file_that_cannot_be_played_is_said_before_anything_starts(tmp_path, name, content, reason):
    if content:
        (tmp_path / name).write_text(content)
    process = smern_demo('--media', tmp_path / name, '--out', tmp_path / 'out')
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert reason in output
    assert not (tmp_path / 'out').exists()
