# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sentences become contextual vectors, as the encoder's makers would compute them."""
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.text.onnx_tensors import read
from smern_ros.text.sentence_encoder import SentenceEncoder, as_spoken

SENTENCES = ('I am so happy!', 'the bank of the river', 'the bank lends money', 'antidisestablishmentarianism', 'no')


@pytest.fixture(scope='module')
def encoder():
    return SentenceEncoder()


@pytest.mark.parametrize(('text', 'words'), [
    ("I can’t believe it's YOU!", "i can't believe it's you"),
    ('So... "well" - 3 of 1,000.50 at 10:30?', 'so well 3 of 1,000.50 at 10:30'),
    ('ÇA VA_BIEN', 'ça va bien'),
    ('... -- ""', ''),
])
def test_words_are_read_as_a_recogniser_without_punctuation_writes_them(text, words):
    assert as_spoken(text) == words


@given(st.text())
def test_what_was_read_once_reads_the_same_again(text):
    assert as_spoken(as_spoken(text)) == as_spoken(text)


@pytest.mark.weights
@pytest.mark.parametrize('text', SENTENCES)
def test_the_vectors_are_those_of_onnxruntime(encoder, text):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(assets.path(SPEC.sentence_encoder) / 'model.onnx'))
    rows = np.array([[101, *encoder.pieces(text), 102]])
    inputs = {'input_ids': rows, 'attention_mask': np.ones_like(rows), 'token_type_ids': np.zeros_like(rows)}
    (wanted,) = session.run(None, inputs)
    assert np.abs(encoder.encode(text)[:, -384:] - wanted[0, 1:-1]).max() < 1e-4


@pytest.mark.weights
def test_capitals_and_punctuation_change_nothing_and_the_words_around_do(encoder):
    assert np.array_equal(encoder.encode('I am SO happy!'), encoder.encode('i am so happy'))
    river, money = (encoder.encode(text)[1] for text in SENTENCES[1:3])
    assert np.abs(river - money).max() > 0.1


@pytest.mark.weights
@pytest.mark.parametrize('text', ['', ' ... ', '!?'])
def test_no_word_gives_no_vector(encoder, text):
    assert encoder.encode(text).shape == (0, SPEC.word_vector)


@pytest.mark.weights
def test_a_megabyte_costs_no_more_than_its_first_words(encoder):
    started = time.process_time()
    vectors = encoder.encode('wordpieces ' * 100_000)
    assert vectors.shape == (SPEC.max_words, SPEC.word_vector) and vectors.dtype == np.float32
    assert time.process_time() - started < 2


def test_weights_that_are_not_here_name_the_command_that_fetches_them(tmp_path, monkeypatch):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    with pytest.raises(assets.MissingAsset, match=f'smern assets fetch {SPEC.sentence_encoder}'):
        SentenceEncoder()


@pytest.mark.weights
@pytest.mark.parametrize('damage', [lambda data: data[:1000], lambda data: b'\xff' * 100, lambda data: data[7:]])
def test_a_damaged_file_is_refused_by_its_name(tmp_path, damage):
    file = tmp_path / 'model.onnx'
    file.write_bytes(damage((assets.path(SPEC.sentence_encoder) / 'model.onnx').read_bytes()))
    with pytest.raises(ValueError, match=r'model\.onnx cannot be read'):
        read(file)
