# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What was put in is there, and the ceilings are what the best reader of it reaches."""
import dataclasses

import numpy as np
import pytest

from smern_ros.models import NETWORKS, OF_CHECKPOINTS
from smern_ros.spec import LABELS, MODALITIES
from smern_ros.training.iemocap.experiments import synthetic
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec, ceiling, margin
from smern_ros.training.iemocap.features.feature_store import FeatureSet


def nearest(frames, patterns):
    """The label whose pattern lies nearest to the mean frame; None if none shows."""
    mean = frames.reshape(-1, frames.shape[-1]).mean(axis=0)
    distances = [np.abs(mean - pattern).mean() for pattern in (*patterns, np.zeros_like(mean))]
    best = int(np.argmin(distances))
    return best if best < len(LABELS) else None


def read(features, plan, source):
    """By the best reader, who knows the patterns: the label that each utterance shows, or None."""
    patterns = synthetic._Patterns(plan)
    for i, row in enumerate(features.utterances):
        arrays = features.sample_arrays(i)
        if source == 'text':
            told = [n for n, label in enumerate(LABELS) if set(synthetic._TELLING[label]) & set(row.text.split())]
            yield told[0] if told else None
        elif source == 'audio':
            yield nearest(arrays.mfcc, patterns.mfcc)
        else:
            yield nearest(getattr(arrays, source), patterns.skeleton[0])


@pytest.fixture(scope='module')
def big():
    plan = SyntheticCorpusSpec(utterances=4000, frames=6, mocap_fraction=0, seed=4)
    return plan, synthetic.corpus(plan)


SUBSETS = [
    ('audio',), ('text',), ('skeleton',), ('skeleton_unfiltered',), ('audio', 'text'), ('text', 'skeleton'), MODALITIES
]


@pytest.mark.parametrize('sources', SUBSETS, ids='+'.join)
def test_the_best_reader_reaches_the_ceiling_and_no_more(big, sources):
    plan, features = big
    truth = np.array([LABELS.index(row.label) for row in features.utterances])
    guess = int(np.argmax(plan.counts))
    said = np.full(len(truth), guess)
    for source in sources:
        for i, label in enumerate(read(features, plan, source)):
            said[i] = said[i] if label is None else label
    expected = ceiling(plan, sources)
    assert (said == truth).mean() == pytest.approx(expected.war, abs=margin(expected.war, len(truth)))
    recalls = [(said[truth == n] == n).mean() for n in range(len(LABELS))]
    assert np.mean(recalls) == pytest.approx(expected.uar, abs=margin(expected.uar, len(truth)))


def test_what_the_unfiltered_skeleton_shows_the_filtered_one_shows(big):
    plan, features = big
    pairs = zip(read(features, plan, 'skeleton'), read(features, plan, 'skeleton_unfiltered'), strict=True)
    assert all(unfiltered in (None, filtered) for filtered, unfiltered in pairs)


def test_more_modalities_are_better_and_certainty_is_the_end():
    plan = SyntheticCorpusSpec()
    assert ceiling(plan, ('text',)).uar < ceiling(plan, ('audio', 'text')).uar < ceiling(plan, MODALITIES).uar < 1
    assert ceiling(SyntheticCorpusSpec(audio=1), ('audio',)).war == 1
    assert ceiling(plan, ()).uar == 1 / len(LABELS)
    assert ceiling(dataclasses.replace(plan, permuted=True), MODALITIES).uar == 1 / len(LABELS)


def test_every_network_that_takes_features_has_its_sources():
    assert set(synthetic.SOURCES) == set(NETWORKS) - set(OF_CHECKPOINTS)


def test_the_same_plan_gives_the_same_corpus_on_disk_too(tmp_path):
    plan = SyntheticCorpusSpec(utterances=80)
    synthetic.corpus(plan).save(tmp_path)
    again, loaded = synthetic.corpus(plan), FeatureSet.load(tmp_path)
    assert again.utterances == loaded.utterances
    for name in ('mfcc', 'prosody', 'skeleton', 'skeleton_unfiltered', 'mocap', 'mocap_offsets'):
        assert np.array_equal(getattr(again, name), getattr(loaded, name), equal_nan=True)
    other = synthetic.corpus(dataclasses.replace(plan, seed=1))
    assert not np.array_equal(other.prosody, loaded.prosody)


def test_permuting_changes_labels_alone():
    plan = SyntheticCorpusSpec(utterances=80)
    straight, permuted = synthetic.corpus(plan), synthetic.corpus(dataclasses.replace(plan, permuted=True))
    assert np.array_equal(straight.mfcc, permuted.mfcc)
    assert sorted(r.label for r in straight.utterances) == sorted(r.label for r in permuted.utterances)
    assert [r.label for r in straight.utterances] != [r.label for r in permuted.utterances]


@pytest.mark.parametrize(
    ('field', 'value'),
    [('audio', 1.1), ('text', -0.1), ('skeleton_unfiltered', 0.9), ('proportions', (0.5, 0.5)), ('utterances', 12)],
)
def test_a_plan_out_of_bounds_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        SyntheticCorpusSpec(**{field: value})
