# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recognition in several languages: whisper-base on real English, German and Polish speech."""
import re

import ctranslate2
import numpy as np
import pytest
import soundfile
from support.ct2_to_hf import convert
from support.speech import sentence, utterance

from smern_ros import assets
from smern_ros.speech.recogniser import create

pytestmark = pytest.mark.weights

GERMAN, POLISH = 'emodb4/wav/03a01Wa.wav', 'nemo4/flac/EB0_neutral_13.flac'


@pytest.fixture(scope='module')
def base():
    try:
        return assets.path('whisper-base')
    except assets.MissingAsset as error:
        pytest.skip(str(error))


@pytest.fixture(scope='module')
def hf(base, tmp_path_factory):
    pytest.importorskip('transformers')
    return convert(base, tmp_path_factory.mktemp('whisper'))


@pytest.fixture(scope='module')
def ct2_auto(base):
    return create(model='whisper-base', language='auto')


@pytest.fixture(scope='module')
def transformers_auto(hf):
    return create('transformers', str(hf), language='auto')


@pytest.fixture(params=['ct2_auto', 'transformers_auto'])
def auto(request):
    return request.getfixturevalue(request.param)


def plain(text):
    return re.sub(r'[^\w ]', '', text.lower())


def spoken(path):
    samples, rate = soundfile.read(path, dtype='float32')
    assert rate == 16_000
    return utterance(samples)


def test_the_language_of_each_utterance_is_found_out(auto, shared_data):
    german, polish = auto.transcribe(spoken(shared_data / GERMAN)), auto.transcribe(spoken(shared_data / POLISH))
    english = auto.transcribe(utterance(sentence('0930').samples))
    assert (german.language, plain(german.text)) == ('de', 'der lappen liegt auf dem eisschrank')
    assert polish.language == 'pl' and polish.text.endswith('Polski.')  # the rest depends on the backend's context
    assert (english.language, plain(english.text)) == ('en', 'he might even have been made amiable himself')
    assert [word.text for word in german.words] == german.text.split()
    assert german.end_ns >= german.words[-1].end_ns > german.words[0].start_ns >= german.start_ns


def test_silence_is_of_no_language(ct2_auto):
    transcript = ct2_auto.transcribe(utterance(np.zeros(16_000, np.float32)))
    assert (transcript.text, transcript.language) == ('', '')


def test_a_language_that_is_set_is_not_looked_for(base, shared_data):
    heard = create(model=str(base), language='de_DE').transcribe(spoken(shared_data / GERMAN))
    assert (heard.language, plain(heard.text)) == ('de', 'der lappen liegt auf dem eisschrank')


def test_an_english_model_hears_english_when_it_may_choose():
    transcript = create(language='auto').transcribe(utterance(sentence('0930').samples))
    assert transcript == create().transcribe(utterance(sentence('0930').samples))
    assert transcript.language == 'en'


@pytest.mark.parametrize('language', ['xx', '', 'german', 'a' * 300])
@pytest.mark.parametrize('backend, model', [('faster_whisper', 'base'), ('transformers', 'hf')])
def test_a_language_that_the_model_does_not_know_is_refused_with_those_that_it_knows(
    request, backend, model, language
):
    with pytest.raises(ValueError, match=rf"language '{language}'; it knows auto.* de, .* en, .* pl, "):
        create(backend, str(request.getfixturevalue(model)), language=language)


def test_an_asset_is_named_in_place_of_its_folder_unless_there_is_a_folder_so_called(base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'whisper-base').mkdir()
    with pytest.raises(ValueError, match=r'whisper-base has no config\.json'):
        create(model='whisper-base')


def test_an_asset_that_was_not_fetched_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    with pytest.raises(assets.MissingAsset, match='smern assets fetch whisper-base'):
        create(model='whisper-base')


# --- where and how it computes ------------------------------------------------------------------------------------

@pytest.mark.skipif(ctranslate2.get_cuda_device_count() > 0, reason='this machine has a CUDA device')
@pytest.mark.parametrize('options, said', [
    ({'device': 'cuda'}, 'CTranslate2 finds no CUDA device'),
    ({'compute_type': 'float16'}, 'not support compute type float16 on device cpu .*expected one of .*int8'),
    ({'device': 'auto', 'compute_type': 'int8_float16'}, 'not support compute type int8_float16'),
    ({'backend': 'transformers', 'model': '/any', 'device': 'cuda'}, 'PyTorch finds no'),
    ({'backend': 'transformers', 'model': '/any', 'compute_type': 'int8'}, 'one of float32, float16, bfloat16'),
    ({'device': 'tpu'}, 'device .tpu.; expected one of cpu, cuda, auto'),
    ({'compute_type': 'int4'}, 'compute type .int4.; expected one of default, int8'),
])
def test_what_this_machine_cannot_compute_is_refused(options, said):
    if options.get('backend') == 'transformers':
        pytest.importorskip('transformers')
    with pytest.raises(ValueError, match=said):
        create(**options)


@pytest.mark.parametrize('backend, compute_type', [
    ('faster_whisper', 'float32'), ('transformers', 'bfloat16'),
])
def test_other_compute_types_hear_the_same_words(request, base, backend, compute_type):
    model = base if backend == 'faster_whisper' else request.getfixturevalue('hf')
    recogniser = create(backend, str(model), language='auto', device='auto', compute_type=compute_type)
    transcript = recogniser.transcribe(utterance(sentence('0930').samples))
    assert (transcript.language, plain(transcript.text)) == ('en', 'he might even have been made amiable himself')
