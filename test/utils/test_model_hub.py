# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Nothing is asked of a model hub: what is missing in a model's folder is named."""
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.ct2_to_hf import convert
from support.speech import sentence, utterance

from smern_ros import assets
from smern_ros.speech.recogniser import create

WITHOUT_NETWORK = """
import socket, sys
def refuse(*args, **_):
    print('ASKED', args, flush=True)
    raise OSError('no network')
socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
"""


@pytest.fixture(scope='module')
def hf(tmp_path_factory):
    pytest.importorskip('transformers')
    return convert(assets.path('whisper-tiny.en'), tmp_path_factory.mktemp('whisper'))


def copy_without(source: Path, to: Path, missing: str) -> Path:
    shutil.copytree(source, to)
    (to / missing).unlink(missing_ok=True)
    return to


def run(program: str, *args: str) -> str:
    """What it prints, where every connection is refused and told."""
    return subprocess.run([sys.executable, '-c', WITHOUT_NETWORK + program, *args], capture_output=True, text=True,
                          timeout=240, check=True).stdout


LOAD = """
from smern_ros.speech.recogniser import create
for backend, model in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        create(backend, model)
    except ValueError as error:
        print(str(error).replace(chr(10), ' '))
"""


@pytest.mark.weights
def test_a_model_that_is_not_whole_is_named_and_looked_for_nowhere_else(tmp_path, hf):
    ct2 = assets.path('whisper-tiny.en')
    names = ('config.json', 'model.bin', 'tokenizer.json', 'vocabulary.txt')
    wanted = [('faster_whisper', ct2, name) for name in names]
    wanted += [('transformers', hf, name) for name in ('config.json', 'model.safetensors', 'tokenizer.json')]
    args = []
    for backend, source, missing in wanted:
        args += [backend, str(copy_without(source, tmp_path / f'{backend} without {missing}', missing))]
    said = run(LOAD, *args, 'faster_whisper', 'base.en', 'transformers', 'openai/whisper-small').splitlines()
    assert len(said) == len(wanted) + 2 and not any(line.startswith('ASKED') for line in said), said
    for line, (backend, _, missing) in zip(said, wanted, strict=False):
        stem, suffix = missing.split('.')
        assert f'{tmp_path}/{backend} without {missing} has no ' in line, line
        assert stem in line or suffix in line, line
    assert "'base.en'" in said[-2] and "'openai/whisper-small'" in said[-1]


@pytest.mark.weights
def test_no_part_that_hears_or_sees_asks_the_network():
    said = run("""
import numpy as np
from smern_ros.audio import features, vad
from smern_ros.skeleton import mmpose_models, pose
from smern_ros.speech.recogniser import create
from smern_ros.values import Utterance
spoken = Utterance('u1', 0, 10**9, np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32))
create().transcribe(spoken)
features.extract(spoken)
vad.VoiceDetector()
pose.create('mediapipe').close()
try:
    mmpose_models._apis('mmpose')
except ImportError as error:
    print('not installed')
import os
print(os.environ['HF_HUB_OFFLINE'], os.environ['TRANSFORMERS_OFFLINE'])
import huggingface_hub
print(huggingface_hub.is_offline_mode())
""")
    assert said.replace('not installed\n', '') == '1 1\nTrue\n', said


def test_a_hub_library_that_was_imported_before_is_told_too():
    said = run("""
import huggingface_hub
from smern_ros.utils import model_hub
for allow in (False, True, False):
    model_hub.use(allow_download=allow)
    print(huggingface_hub.is_offline_mode())
""")
    assert said == 'True\nFalse\nTrue\n'


@pytest.mark.weights
@pytest.mark.parametrize('backend', ['faster_whisper', 'transformers'])
def test_without_preprocessor_config_the_network_says_how_many_bands_it_hears(tmp_path, hf, backend):
    """A network of 128 bands, as large-v3 is: the tiny one with bands that it pays no heed to."""
    import ctranslate2
    import torch
    from transformers import WhisperForConditionalGeneration

    network = WhisperForConditionalGeneration.from_pretrained(hf)
    first = network.model.encoder.conv1
    wide = torch.nn.Conv1d(128, first.out_channels, 3, padding=1)
    with torch.no_grad():
        wide.weight.zero_()[:, :80] = first.weight
        wide.bias.copy_(first.bias)
    network.model.encoder.conv1, network.config.num_mel_bins = wide, 128
    folder = copy_without(hf, tmp_path / 'wide', 'model.safetensors')
    network.save_pretrained(folder)
    (folder / 'preprocessor_config.json').unlink()
    if backend == 'faster_whisper':
        ctranslate2.converters.TransformersConverter(str(folder)).convert(str(tmp_path / 'ct2'))
        folder = tmp_path / 'ct2'
        shutil.copy(hf / 'tokenizer.json', folder)
    transcript = create(backend, str(folder)).transcribe(utterance(sentence('0930').samples))
    assert np.isfinite(transcript.confidence)
