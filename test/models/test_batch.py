# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Batches: an utterance gives the same answer alone and in any company, in every network."""
import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.networks import NARROW, WORDS, logits, narrow, utterance

from smern_ros import models
from smern_ros.models.batch import Batch, Sample

NETWORKS = {name: narrow(name) for name in NARROW}
SIZES = st.tuples(st.integers(1, 30), st.integers(1, 12), st.integers(1, 40))


def test_every_network_from_features_to_logits_is_tried_here():
    assert set(NARROW) == set(models.NETWORKS) - {'smern_ga'}


@pytest.mark.parametrize('name', NETWORKS)
@settings(deadline=None, max_examples=12)
@given(sizes=st.lists(SIZES, min_size=1, max_size=4), seed=st.integers(0, 99))
def test_an_utterance_gives_the_same_logits_alone_and_in_a_batch(name, sizes, seed):
    samples = [utterance(*size, seed=seed + i) for i, size in enumerate(sizes)]
    together = logits(NETWORKS[name], *samples)
    assert together.shape == (len(samples), 4)
    for i, sample in enumerate(samples):
        assert torch.allclose(logits(NETWORKS[name], sample)[0], together[i], atol=1e-5)


@pytest.mark.parametrize('name', NETWORKS)
@settings(deadline=None, max_examples=8)
@given(size=SIZES, more=st.tuples(*[st.integers(0, 9)] * 3), filler=st.integers(0, WORDS - 1), seed=st.integers(0, 99))
def test_what_stands_in_the_padding_is_never_read(name, size, more, filler, seed):
    network, batch = NETWORKS[name], Batch.of([utterance(*size, seed=seed)])
    frames, words, steps = more
    padded = dataclasses.replace(
        batch,
        mfcc=torch.cat([batch.mfcc, torch.full((1, frames, 39), 7.0)], dim=1),
        words=torch.cat([batch.words, torch.full((1, words), filler)], dim=1),
        skeleton=torch.cat([batch.skeleton, torch.full((1, steps, 30), 7.0)], dim=1),
        visible=torch.cat([batch.visible, torch.zeros(1, steps, 10, dtype=torch.bool)], dim=1),
    )
    assert torch.allclose(network(*batch.inputs(network)), network(*padded.inputs(network)), atol=1e-5)


@pytest.mark.parametrize('name', NETWORKS)
def test_every_input_of_a_network_matters(name):
    sample, other = utterance(20, 6, 30, seed=1), utterance(20, 6, 30, seed=2)
    network = NETWORKS[name]
    for field in (field for field in network.INPUTS if not field.endswith('lengths')):
        changed = dataclasses.replace(sample, **{field: getattr(other, field)})
        assert not torch.allclose(logits(network, sample), logits(network, changed), atol=1e-6), field


@pytest.mark.parametrize('name', [name for name in NETWORKS if 'words' in NETWORKS[name].INPUTS])
def test_a_network_that_reads_has_one_embedding(name):
    (embedding,) = [m for m in NETWORKS[name].modules() if isinstance(m, torch.nn.Embedding)]
    assert embedding.weight.shape == (WORDS, 12)


def test_a_batch_holds_what_its_samples_hold():
    short, long = utterance(3, 2, 4), utterance(5, 1, 9, seed=1)
    batch = Batch.of([short, long])
    assert batch.mfcc.shape == (2, 5, 39)
    assert batch.mfcc_lengths.tolist() == [3, 5]
    assert batch.word_lengths.tolist() == [2, 1]
    assert torch.equal(batch.skeleton[0, :4], short.skeleton)
    assert not batch.visible[0, 4:].any()
    assert torch.equal(batch.to('cpu').visible, batch.visible)


def test_samples_may_lack_what_no_network_of_interest_needs():
    batch = Batch.of([Sample(words=torch.tensor([1, 2])), Sample(words=torch.tensor([3]))])
    assert batch.mfcc is None
    assert batch.inputs(NETWORKS['tre'])[1].tolist() == [2, 1]


def test_a_network_that_needs_more_says_what():
    with pytest.raises(ValueError, match='MDRE needs mfcc, mfcc_lengths, prosody, which this batch lacks'):
        Batch.of([Sample(words=torch.tensor([1]))]).inputs(NETWORKS['mdre'])


def test_a_network_that_takes_vectors_takes_no_batch():
    with pytest.raises(ValueError, match='SmernGA takes no features of utterances'):
        Batch.of([utterance(1, 1, 1)]).inputs(models.build('smern_ga'))


def test_a_sample_that_lacks_what_others_have_is_refused():
    with pytest.raises(ValueError, match='1 of 2 samples lack mocap'):
        Batch.of([utterance(1, 1, 1), dataclasses.replace(utterance(1, 1, 1), mocap=None)])


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(ValueError, match='the batch is empty'):
        Batch.of([])
