# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""An utterance's sound file is taken if it is whole and as the corpus has it."""
import numpy as np
import pytest
import soundfile

from smern_ros.media.reader import MediaError
from smern_ros.training.iemocap.features import speech

SAMPLES = (8000 * np.sin(np.arange(16000) / 6)).astype(np.int16)


def test_a_wav_from_a_pipe_is_read_to_its_end(tmp_path):
    path = tmp_path / '2026-11-29T18:30:05.wav'
    soundfile.write(path, SAMPLES, 16000)
    content = path.read_bytes()
    size = content.index(b'data') + 4
    path.write_bytes(content[:4] + b'\x24\xf0\xff\x7f' + content[8:size] + b'\x00\xf0\xff\x7f' + content[size + 4:])
    np.testing.assert_allclose(speech.read(path), SAMPLES / 32768, atol=1e-6)


def test_a_rate_that_changes_on_the_way_is_refused(tmp_path):
    for rate in (16000, 22050):
        soundfile.write(tmp_path / f'{rate}.mp3', SAMPLES, rate, format='MP3', subtype='MPEG_LAYER_III')
    path = tmp_path / 'both.mp3'
    path.write_bytes((tmp_path / '16000.mp3').read_bytes() + (tmp_path / '22050.mp3').read_bytes())
    with pytest.raises(MediaError, match=r'both\.mp3 has 22050 Hz; wanted 16000'):
        speech.read(path)
