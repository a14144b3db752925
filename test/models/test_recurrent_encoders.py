# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""ARE and TRE: what an utterance says depends on nothing but the utterance."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros import models

torch.manual_seed(0)
ARE = models.build('are').eval()
TRE = models.build('tre', words=50, embedding=20).eval()


def audio_inputs(lengths, padding=0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mfcc = torch.randn(len(lengths), max(lengths) + padding, 39, generator=generator)
    return mfcc, torch.tensor(lengths), torch.randn(len(lengths), 35, generator=generator)


@settings(deadline=None, max_examples=15)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4), padding=st.integers(0, 10))
def test_an_utterance_sounds_the_same_alone_and_padded_in_a_batch(lengths, padding):
    mfcc, n, prosody = audio_inputs(lengths, padding)
    together = ARE(mfcc, n, prosody)
    for i, length in enumerate(lengths):
        alone = ARE(mfcc[i : i + 1, :length], n[i : i + 1], prosody[i : i + 1])
        assert torch.allclose(alone[0], together[i], atol=1e-5)


@settings(deadline=None, max_examples=15)
@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=4), filler=st.integers(0, 49))
def test_a_comment_reads_the_same_alone_and_padded_with_any_word(lengths, filler):
    n = torch.tensor(lengths)
    words = torch.randint(0, 50, (len(lengths), max(lengths) + 3), generator=torch.Generator().manual_seed(1))
    padded = words.masked_fill(torch.arange(words.shape[1]) >= n[:, None], filler)
    together = TRE(padded, n)
    for i, length in enumerate(lengths):
        assert torch.allclose(TRE(words[i : i + 1, :length], n[i : i + 1])[0], together[i], atol=1e-5)


def test_the_end_of_an_utterance_is_heard():
    mfcc, n, prosody = audio_inputs([20])
    changed = mfcc.clone()
    changed[0, 19] += 1
    assert not torch.allclose(ARE(mfcc, n, prosody), ARE(changed, n, prosody))


def test_prosody_is_heard():
    mfcc, n, prosody = audio_inputs([20])
    assert not torch.allclose(ARE(mfcc, n, prosody), ARE(mfcc, n, prosody + 1))


def test_the_vectors_have_the_sizes_of_the_paper():
    assert ARE.features(*audio_inputs([5, 9])).shape == (2, 200)
    assert TRE.features(torch.ones(2, 7, dtype=torch.int64), torch.tensor([3, 7])).shape == (2, 200)


@pytest.mark.parametrize('lengths', [[0], [6]])
def test_a_length_outside_of_the_frames_is_refused(lengths):
    mfcc, _, prosody = audio_inputs([5])
    with pytest.raises(ValueError, match=r'lengths lie from .* expected 1 to 5'):
        ARE(mfcc, torch.tensor(lengths), prosody)


def test_a_wrong_number_of_coefficients_is_named():
    with pytest.raises(ValueError, match=r'mfcc has shape \(1, 5, 40\); expected any x any x 39'):
        ARE(torch.zeros(1, 5, 40), torch.tensor([5]), torch.zeros(1, 35))
