# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fusion learns from modalities joined by label to say what their encoders say, whichever of them are there."""
import numpy as np
import pytest
import torch

from smern_ros.emotion.checkpoint import SUBSETS
from smern_ros.spec import MODALITIES
from smern_ros.training.fusion.distill import EncodedSource, join, masks, pooled, train_fusion

SIZES = {'audio': 200, 'text': 200, 'skeleton': 256}
UNALTERED = dict.fromkeys(MODALITIES, 1.0)


def source(size, noise, seed, count=2000):
    """Vectors that tell their label as clearly as `noise` is low, and the opinion that is best about them."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(4, size, generator=torch.Generator().manual_seed(size))
    labels = torch.arange(count) % 4
    vectors = centres[labels] + noise * torch.randn(count, size, generator=generator)
    opinions = -torch.cdist(vectors, centres) ** 2 / (2 * noise**2)
    return EncodedSource(vectors / (1 + noise**2) ** 0.5, opinions, labels.tolist())  # as large as an encoder's


def sources(noises, seed):
    return [source(size, noise, seed) for size, noise in zip(SIZES.values(), noises, strict=True)]


def right(logits, labels):
    return float((logits.argmax(dim=-1) == labels).float().mean())


def test_samples_are_joined_by_label_and_nothing_else():
    numbered = [
        EncodedSource(torch.arange(8.0)[:, None] + 100 * i, torch.zeros(8, 4), [0, 1, 2, 3] * 2) for i in range(3)
    ]
    joined = join(numbered, 64, np.random.default_rng(0))
    for i, vectors in enumerate(joined.vectors):
        assert torch.equal((vectors[:, 0] - 100 * i).long() % 4, joined.labels)
    assert torch.bincount(joined.labels).tolist() == [16] * 4
    assert not torch.equal(joined.vectors[0] + 100, joined.vectors[1])


def test_a_small_corpus_is_drawn_as_often_as_a_large_one():
    labels = [0, 1, 2, 3] * 25
    corpora = ['small'] * 4 + ['large'] * 96
    rows = EncodedSource(torch.zeros(100, 1), torch.zeros(100, 4), labels, corpora).draw(
        np.arange(2000) % 4, np.random.default_rng(0))
    assert 0.45 < np.mean(rows < 4) < 0.55


def test_the_subsets_are_all_but_the_empty_one():
    assert len({tuple(row) for row in masks().tolist()}) == 7
    assert masks().any(dim=1).all()
    assert masks()[SUBSETS.index('audio+skeleton')].tolist() == [True, False, True]


def test_a_source_without_some_label_is_refused():
    with pytest.raises(ValueError, match='lacks a label'):
        EncodedSource(torch.zeros(3, 2), torch.zeros(3, 4), [0, 1, 2])


def test_a_source_of_unequal_parts_is_refused():
    with pytest.raises(ValueError, match='wanted one of each a sample'):
        EncodedSource(torch.zeros(4, 2), torch.zeros(3, 4), [0, 1, 2, 3])


def test_witnesses_who_err_independently_are_joined_by_bayes_rule():
    opinions = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    found = dict(zip(SUBSETS, pooled(opinions, UNALTERED).softmax(dim=2), strict=True))
    each = opinions.softmax(dim=2)
    product = each[0] * each[2]
    assert torch.allclose(found['audio+skeleton'], product / product.sum(dim=1, keepdim=True), atol=1e-6)


def test_a_modality_alone_keeps_its_opinion_however_little_it_is_trusted():
    opinions = torch.randn(3, 5, 4)
    found = dict(zip(SUBSETS, pooled(opinions, {'audio': 3.0, 'text': 1.0, 'skeleton': 1.5}), strict=True))
    for opinion, modality in zip(opinions, MODALITIES, strict=True):
        assert torch.allclose(found[modality].softmax(dim=1), opinion.softmax(dim=1), atol=1e-6)


def test_who_is_trusted_less_counts_less():
    opinions = torch.tensor([[[2.0, 0, 0, 0]], [[0, 2.0, 0, 0]], [[0, 0, 0, 0]]])
    said = dict(zip(SUBSETS, pooled(opinions, {'audio': 4.0, 'text': 1.0, 'skeleton': 1.0}), strict=True))
    assert said['audio+text'].argmax() == 1


def test_no_subset_is_worse_than_the_best_of_its_modalities_alone():
    """Even of one that hardly knows anything."""
    noises = (10.0, 6.0, 25.0)
    network = train_fusion(sources(noises, 1), UNALTERED, steps=200, seed=1)
    new = join(sources(noises, 2), 2000, np.random.default_rng(2))
    alone = {m: right(opinion, new.labels) for m, opinion in zip(MODALITIES, new.opinions, strict=True)}
    assert alone['skeleton'] < alone['audio'] < alone['text'] < 1
    for subset, mask in zip(SUBSETS, masks(), strict=True):
        with torch.inference_mode():
            fused = network(*new.vectors, mask.expand(2000, -1)).logits
        assert right(fused, new.labels) > max(alone[m] for m in subset.split('+')) - 0.03


def test_a_modality_that_is_not_learnt_has_no_part_in_the_fusion():
    trust = {'audio': 1.0, 'text': 2.0}
    network = train_fusion(sources((10.0, 6.0, 25.0), 1)[:2], trust, steps=200, seed=1)
    assert network.skeleton is None
    new = join(sources((10.0, 6.0, 25.0), 2)[:2], 1000, np.random.default_rng(2))
    wanted = pooled(new.opinions, trust).softmax(dim=2)
    for mask, of_subset in zip(masks(tuple(trust)), wanted, strict=True):
        with torch.inference_mode():
            fused = network(*new.vectors, torch.zeros(1000, 0), mask.expand(1000, -1)).logits.softmax(dim=1)
        assert (fused - of_subset).abs().mean() < 0.05


def test_the_same_seed_gives_the_same_fusion():
    one, other = (train_fusion(sources((1, 1, 1), 1), UNALTERED, steps=2, seed=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_in_unrelated_samples_one_modality_alone_has_the_label():
    sources = [EncodedSource(torch.eye(4), torch.eye(4), [0, 1, 2, 3]) for _ in range(3)]
    joined = join(sources, 4000, np.random.default_rng(0), unrelated=1)
    right = np.stack([(vectors.argmax(dim=1) == joined.labels).numpy() for vectors in joined.vectors])
    assert right.any(axis=0).all()
    # One of three has it; each of the others by chance, a quarter of the time.
    assert right.mean() == pytest.approx((1 + 2 / 4) / 3, abs=0.02)
    together = join(sources, 400, np.random.default_rng(0))
    assert all((v.argmax(dim=1) == together.labels).all() for v in together.vectors)
