# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The text encoder for contextual vectors: padding says nothing, every vector is read."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros import models

torch.manual_seed(0)
WORDS = models.build('words').eval()


@settings(deadline=None, max_examples=15)
@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=4), filler=st.floats(-1e6, 1e6))
def test_a_sentence_reads_the_same_alone_and_padded_with_anything(lengths, filler):
    n = torch.tensor(lengths)
    vectors = torch.randn(len(lengths), max(lengths) + 3, 1152, generator=torch.Generator().manual_seed(1))
    padded = vectors.masked_fill((torch.arange(vectors.shape[1]) >= n[:, None])[..., None], filler)
    together = WORDS(padded, n)
    for i, length in enumerate(lengths):
        assert torch.allclose(WORDS(vectors[i : i + 1, :length], n[i : i + 1])[0], together[i], atol=1e-5)


@pytest.mark.parametrize('word', [0, 4, 8])
def test_each_word_is_read(word):
    vectors, n = torch.randn(1, 9, 1152), torch.tensor([9])
    changed = vectors.clone()
    changed[0, word] += torch.randn(1152)
    assert not torch.allclose(WORDS(vectors, n), WORDS(changed, n))


def test_the_vector_has_the_size_that_the_fusion_takes():
    assert WORDS.features(torch.randn(2, 7, 1152), torch.tensor([3, 7])).shape == (2, 200)


@pytest.mark.parametrize(('vectors', 'lengths', 'message'), [
    ((2, 7, 300), [3, 7], 'vectors has shape .* expected any x any x 1152'),
    ((2, 7, 1152), [0, 7], 'lengths lie from 0 to 7; expected 1 to 7'),
    ((2, 7, 1152), [3, 8], 'lengths lie from 3 to 8; expected 1 to 7'),
])
def test_vectors_of_another_size_and_lengths_outside_of_them_are_refused(vectors, lengths, message):
    with pytest.raises(ValueError, match=message):
        WORDS(torch.randn(vectors), torch.tensor(lengths))
