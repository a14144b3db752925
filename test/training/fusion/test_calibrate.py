# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Temperatures make the networks as sure as they may be about people not learnt from."""
import numpy as np
import pytest
import torch

from smern_ros.emotion.checkpoint import SUBSETS
from smern_ros.spec import MODALITIES
from smern_ros.training.common.metrics import expected_calibration_error
from smern_ros.training.fusion.calibrate import best_temperature, even, of_modalities, of_subsets
from smern_ros.training.fusion.distill import EncodedSource

EQUAL = torch.full((4000,), 1 / 4000)


def opinions(boast, seed):
    """Labels drawn from what a network says, which then says it `boast` times as surely."""
    generator = torch.Generator().manual_seed(seed)
    honest = 2 * torch.randn(4000, 4, generator=generator)
    labels = torch.multinomial(honest.softmax(dim=1), 1, generator=generator)[:, 0]
    return boast * honest, labels


def source(boast, seed):
    logits, labels = opinions(boast, seed)
    return EncodedSource(logits, logits, labels.tolist())


@pytest.mark.parametrize('boast', [1.5, 3.0])
def test_a_boaster_is_found_out(boast):
    logits, labels = opinions(boast, 0)
    temperature = best_temperature(logits, labels, EQUAL)
    assert temperature == pytest.approx(boast, rel=0.1)
    before, after = (
        expected_calibration_error(labels.numpy(), (logits / t).softmax(dim=1).numpy()) for t in (1, temperature)
    )
    assert after < 0.02 < before / 2


def test_nobody_is_made_surer_than_they_are():
    logits, labels = opinions(0.5, 0)
    assert best_temperature(logits, labels, EQUAL) == 1


def test_a_large_corpus_does_not_outvote_a_small_one():
    labels = torch.tensor([0] * 90 + [0] * 10 + [1] * 5)
    corpora = np.array(['large'] * 90 + ['small'] * 10 + ['small'] * 5)
    weights = even(labels, corpora)
    assert weights[:90].sum() == pytest.approx(0.25)
    assert weights[90:100].sum() == pytest.approx(0.25)
    assert weights[100:].sum() == pytest.approx(0.5)


def test_a_modality_that_is_not_learnt_has_no_temperature():
    development = {m: source(boast, boast) for boast, m in enumerate(('audio', 'text'), 1)}
    found = of_subsets(development, of_modalities(development), seed=0)
    assert tuple(found) == ('audio', 'text', 'audio+text')


def test_every_subset_has_a_temperature_and_none_is_below_that_of_its_modalities():
    development = {m: source(boast, boast) for boast, m in enumerate(MODALITIES, 1)}
    single = of_modalities(development)
    assert single['audio'] < single['text'] < single['skeleton']
    found = of_subsets(development, single, seed=0)
    assert tuple(found) == SUBSETS
    for subset, temperature in found.items():
        assert temperature >= max(single[m] for m in subset.split('+'))
