# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The text encoder learns from contextual vectors, and reads one sentence as it read many."""
import pytest
import torch

from smern_ros import models
from smern_ros.spec import SPEC
from smern_ros.text.sentence_encoder import SentenceEncoder, as_spoken
from smern_ros.training.text import text_trainer

pytestmark = pytest.mark.weights


@pytest.fixture(scope='module')
def reading(shared_data, tmp_path_factory):
    return text_trainer.Reading.read(shared_data, tmp_path_factory.mktemp('cache'), comments=200)


def test_vectors_are_made_once_and_are_those_of_the_encoder(tmp_path, monkeypatch):
    texts = ['I am so happy', '...', 'so sad', 'so sad']
    made = text_trainer.vectors(texts, tmp_path)
    monkeypatch.setattr(text_trainer, 'SentenceEncoder', None)
    again = text_trainer.vectors(texts, tmp_path)
    assert set(made) == set(texts) and all(torch.equal(made[text], again[text]) for text in texts)
    assert made['...'].shape == (0, SPEC.word_vector)
    assert torch.allclose(made['so sad'].float(), torch.from_numpy(SentenceEncoder().encode('so sad')), atol=5e-3)


def test_the_same_seed_gives_the_same_network_and_it_learns(reading):
    first, again = (text_trainer.train_words(reading, epochs=8, seed=1) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    (vectors, lengths), labels = text_trainer.batch(*text_trainer.items(reading, 'train'))
    assert (first.eval()(vectors, lengths).argmax(dim=1) == labels).float().mean() > 0.8


def test_probabilities_of_texts_are_even_where_there_is_no_word(reading):
    network = text_trainer.train_words(reading, epochs=1, seed=1)
    found = text_trainer.probabilities(network, SentenceEncoder(), ['I am so happy', '!!'])
    assert found[1].tolist() == [0.25] * 4 and found[0].std() > 0
    assert abs(found[0].sum() - 1) < 1e-5


def test_a_text_is_pooled_as_the_network_pools_it():
    vectors = torch.randn(5, SPEC.word_vector)
    assert torch.allclose(text_trainer.pool(vectors), models.build('words').pool(vectors[None], torch.tensor([5])))
    assert text_trainer.pool(vectors[:0]).shape == (0, 2 * SPEC.word_vector)


def test_of_the_development_part_some_words_are_lost_and_one_is_kept(reading):
    pairs = [(as_spoken(whole.text).split(), lossy.text.split())
             for whole, lossy in zip(reading.comments.dev, reading.lossy, strict=True)]
    for whole, lossy in pairs:
        assert set(lossy) <= set(whole) and bool(lossy) == bool(whole)
    kept, words = (sum(len(pair[i]) for pair in pairs) for i in (1, 0))
    assert 1 - kept / words == pytest.approx(text_trainer.WORD_LOSS, abs=0.03)
    vectors, labels = text_trainer.items(reading, 'lossy')
    assert len(vectors) == len(labels) == sum(bool(lossy) for _, lossy in pairs)
