"""The fusion learns from modalities joined by label, and its temperatures make it honest."""
import numpy as np
import pytest
import torch

from smern_ros.checkpoint import SUBSETS
from smern_ros.training.fusion import Source, find_temperatures, joined, masks, train_fusion

SIZES = (200, 200, 256)


def source(size, noise, seed):
    """Vectors that tell their label as clearly as `noise` is low."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(4, size, generator=torch.Generator().manual_seed(size))
    labels = torch.arange(400) % 4
    return Source(centres[labels] + noise * torch.randn(400, size, generator=generator), labels.tolist())


def test_samples_are_joined_by_label_and_nothing_else():
    sources = [Source(torch.arange(8.0)[:, None] + 100 * i, [0, 1, 2, 3] * 2) for i in range(3)]
    (audio, text, skeleton, present), labels = joined(sources, torch.ones(64, 3, dtype=torch.bool),
                                                      np.random.default_rng(0))
    for i, vectors in enumerate((audio, text, skeleton)):
        assert torch.equal((vectors[:, 0] - 100 * i).long() % 4, labels)
    assert present.all()
    assert torch.bincount(labels).tolist() == [16] * 4
    assert not torch.equal(audio[:, 0] + 100, text[:, 0])


def test_the_subsets_are_all_but_the_empty_one():
    assert len({tuple(row) for row in masks().tolist()}) == 7
    assert masks().any(dim=1).all()
    assert masks()[SUBSETS.index('audio+skeleton')].tolist() == [True, False, True]


def test_a_source_without_some_label_is_refused():
    with pytest.raises(ValueError, match='lacks a label'):
        Source(torch.zeros(3, 2), [0, 1, 2])


def test_every_subset_is_learnt_and_a_noisy_source_gets_a_higher_temperature():
    clear, noisy = (1.0, 1.0, 1.0), (1.0, 1.0, 30.0)
    train = [source(size, noise, 1) for size, noise in zip(SIZES, clear, strict=True)]
    network = train_fusion(train, train, epochs=3, samples=2000, seed=1)
    for mask in masks():
        inputs, labels = joined(train, mask.expand(80, -1), np.random.default_rng(2))
        with torch.inference_mode():
            assert (network(*inputs).logits.argmax(dim=1) == labels).float().mean() > 0.9
    new = [source(size, noise, 2) for size, noise in zip(SIZES, noisy, strict=True)]
    temperatures = find_temperatures(network, new, seed=1)
    assert set(temperatures) == set(SUBSETS)
    assert temperatures['skeleton'] > 2 * temperatures['audio']
    assert temperatures['audio+text+skeleton'] >= temperatures['skeleton']
