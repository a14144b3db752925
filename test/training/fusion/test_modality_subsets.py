# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of missing modalities comes from the predictor that a robot runs, and says where its rule is broken."""
import numpy as np
import pytest
import torch

from smern_ros.emotion.checkpoint import SUBSETS
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.training.common.metrics import Figures
from smern_ros.training.fusion import modality_subsets
from smern_ros.training.fusion.calibrate import tempered
from smern_ros.training.fusion.distill import join
from smern_ros.training.open_model.evaluate import Alone


@pytest.fixture(scope='module')
def predictor():
    return EmotionPredictor.load()


@pytest.fixture(scope='module')
def encoded():
    generator = torch.Generator().manual_seed(0)
    labels = np.arange(8) % 4
    return [
        Alone(modality, source, labels, [None, *torch.randn(7, size, generator=generator)] if source == 'b'
              else list(torch.randn(8, size, generator=generator)))
        for modality, size, of in (('audio', 32, 'ab'), ('text', 200, 'a'), ('skeleton', 256, 'a')) for source in of
    ]


def test_what_cannot_be_used_is_not_joined(predictor, encoded):
    voices, comments, movements = modality_subsets.sources(encoded, predictor, person_known=False)
    assert (len(voices), len(comments), len(movements)) == (15, 8, 8)


def test_voices_of_known_speakers_replace_those_of_unknown_ones(predictor, encoded):
    known = Alone('audio', f'a, {modality_subsets.PERSON_KNOWN}', np.arange(4), list(torch.ones(4, 32)))
    voices, *_ = modality_subsets.sources([*encoded, known], predictor, person_known=True)
    assert torch.equal(voices.vectors, torch.ones(4, 32))
    voices, *_ = modality_subsets.sources([*encoded, known], predictor, person_known=False)
    assert len(voices) == 15


def test_it_is_what_the_predictor_says_of_these_vectors(predictor, encoded):
    test = modality_subsets.sources(encoded, predictor, person_known=False)
    found = modality_subsets.predict(predictor, test, seed=3, per_label=2)
    joined = join(test, 8, np.random.default_rng(3))
    assert found.labels.tolist() == joined.labels.tolist()
    said = predictor.fuse({'audio': joined.vectors[0][5], 'skeleton': joined.vectors[2][5]})
    assert found.fused['audio+skeleton'][5] == pytest.approx(said.probabilities)
    assert set(found.fused) == set(found.untempered) == set(SUBSETS)


def test_before_is_the_same_with_temperature_one():
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    softer = (logits / 2.5).softmax(dim=1).numpy()
    assert tempered(softer, 1 / 2.5) == pytest.approx(logits.softmax(dim=1).numpy(), abs=1e-6)


def subset(name, fused, best):
    def figures(uars):
        return tuple(Figures(4, uar, uar, 0.0, ()) for uar in uars)

    return modality_subsets.Subset(name, figures(fused), figures(fused), figures(best))


def test_a_subset_below_the_best_of_its_modalities_is_named():
    fine = subset('audio', (0.70, 0.70), (0.70, 0.71))
    bad = subset('audio+text', (0.60, 0.70), (0.66, 0.68))
    assert modality_subsets.violations([fine]) == []
    assert 'No subset' in modality_subsets.verdict([fine])
    assert modality_subsets.violations([fine, bad]) == [
        'audio+text is 2.0 points of UAR below the best of its modalities alone'
    ]
    assert 'Broken: audio+text' in modality_subsets.verdict([fine, bad])


def test_the_best_alone_may_be_the_encoders_own_output_layer():
    labels = np.arange(4)
    sure, wrong = np.eye(4), np.eye(4)[::-1]
    found = modality_subsets.SubsetPredictions(
        labels, fused=dict.fromkeys(SUBSETS, wrong), untempered={},
        own={'audio': wrong, 'text': sure, 'skeleton': wrong},
    )
    assert np.array_equal(found.best_alone('audio+text'), sure)
    assert np.array_equal(found.best_alone('audio+skeleton'), wrong)
