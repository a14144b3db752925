# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The heavy steps alone are measured on the speech of the clip that is given."""
import pytest
import soundfile
from support.speech import sentence

from smern_ros.spec import SPEC


@pytest.mark.weights
def test_features_are_measured_of_each_utterance_of_a_clip(tmp_path, capsys):
    from bench import parts

    spoken = sentence('0870').samples
    soundfile.write(tmp_path / 'clip.wav', spoken, SPEC.sample_rate)
    parts.audio_features(tmp_path / 'clip.wav')
    rows = capsys.readouterr().out.splitlines()
    assert rows and all('real-time factor' in row for row in rows)
    seconds = sum(float(row.split('audio features of ')[1].split(' s')[0]) for row in rows)
    assert 0.5 < seconds / (len(spoken) / SPEC.sample_rate) <= 1.1
