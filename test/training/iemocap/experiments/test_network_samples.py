# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What goes into a network is what a robot would put in, and nothing of it comes of what is tested."""
import dataclasses

import numpy as np
import pytest
import torch

from smern_ros.models.inputs import MAX_SKELETON_FRAMES
from smern_ros.spec import SPEC
from smern_ros.training.iemocap.experiments import network_samples, synthetic
from smern_ros.training.iemocap.experiments.network_samples import Preparation, samples, usable
from smern_ros.training.iemocap.experiments.synthetic import SOURCES, SyntheticCorpusSpec
from smern_ros.training.iemocap.features.feature_store import FeatureRow, FeatureSet, SampleArrays

GENERATOR = np.random.default_rng(0)


def noise(*shape):
    return GENERATOR.standard_normal(shape).astype(np.float32) * 3 + 5


def utterance(**changed):
    frames = 12
    arrays = {
        'mfcc': noise(20, SPEC.mfcc), 'prosody': noise(len(SPEC.prosody)), 'skeleton': noise(frames, 30),
        'skeleton_unfiltered': noise(frames, 30), 'visible': np.ones((frames, 10), bool), 'mocap': noise(200, 189),
    }
    return SampleArrays(**{**arrays, **changed})


def features_of(*utterances, texts=None):
    texts = texts or ['well then'] * len(utterances)
    rows = [FeatureRow(f'u{i}', 's', 1, 'sad', text) for i, text in enumerate(texts)]
    return FeatureSet.of('made', rows, utterances)


def same(one, other):
    return all(
        torch.equal(getattr(one, f.name), getattr(other, f.name)) if getattr(one, f.name) is not None
        else getattr(other, f.name) is None
        for f in dataclasses.fields(one)
    )


@pytest.fixture(scope='module')
def corpus():
    return synthetic.corpus(SyntheticCorpusSpec(utterances=80, mocap_fraction=1.0))


@pytest.mark.parametrize('model', ['smern', 'mocap'])
def test_nothing_but_the_training_part_is_looked_at(model, corpus):
    train = [row.id for row in corpus.utterances[:40]]
    alone = synthetic.corpus(SyntheticCorpusSpec(utterances=80, mocap_fraction=1.0))
    for name in ('mfcc', 'skeleton', 'mocap'):
        values, offsets = getattr(alone, name), getattr(alone, f'{name}_offsets')
        values[offsets[40]:] = 1e6
    alone.prosody[40:] = 1e6
    rows = tuple(dataclasses.replace(r, text='zebra') if i >= 40 else r for i, r in enumerate(alone.utterances))
    alone = dataclasses.replace(alone, utterances=rows)
    one, other = (Preparation.of(f, train, model) for f in (corpus, alone))
    assert one.inputs.normalisation == other.inputs.normalisation
    assert one.inputs.vocabulary.words == other.inputs.vocabulary.words
    assert np.array_equal(one.mocap_mean, other.mocap_mean) and np.array_equal(one.mocap_std, other.mocap_std)


def test_the_training_part_is_normal(corpus):
    ids = [row.id for row in corpus.utterances]
    for model, names in (('smern', ('mfcc', 'prosody', 'skeleton')), ('mocap', ('mocap',))):
        tensors = samples(corpus, ids, Preparation.of(corpus, ids, model), model).tensors
        for name in names:
            values = torch.cat([getattr(t, name).reshape(-1, getattr(t, name).shape[-1]) for t in tensors])
            assert values.mean(dim=0).abs().max() < 0.02
            assert (values.std(dim=0) - 1).abs().max() < 0.05


def test_what_is_not_visible_changes_no_normalisation():
    visible = np.ones((12, 10), bool)
    visible[3:, 4] = False
    moved = noise(12, 30)
    absurd = moved.copy()
    absurd[3:, 12:15] = 1e9
    found = [
        Preparation.of(features_of(utterance(skeleton=x, visible=visible)), ['u0'], 'smacn').inputs.normalisation
        for x in (moved, absurd)
    ]
    assert found[0] == found[1]


def test_the_filter_can_be_left_out():
    features = features_of(utterance(), utterance())
    on, off = (Preparation.of(features, ['u0'], 'smacn', filtered=f) for f in (True, False))
    assert on.inputs.normalisation != off.inputs.normalisation
    assert not same(*(samples(features, ['u1'], p, 'smacn').tensors[0] for p in (on, off)))


def test_long_utterances_are_cut_and_lost_markers_are_zero():
    long = MAX_SKELETON_FRAMES + 9
    mocap = noise(200, 189)
    mocap[:, 7] = np.nan
    features = features_of(utterance(
        mfcc=noise(800, SPEC.mfcc), skeleton=noise(long, 30), skeleton_unfiltered=noise(long, 30),
        visible=np.ones((long, 10), bool), mocap=mocap,
    ))
    whole = samples(features, ['u0'], Preparation.of(features, ['u0'], 'smern'), 'smern').tensors[0]
    assert len(whole.mfcc) == SPEC.max_audio_frames
    assert len(whole.skeleton) == len(whole.visible) == MAX_SKELETON_FRAMES
    captured = samples(features, ['u0'], Preparation.of(features, ['u0'], 'mocap'), 'mocap').tensors[0].mocap
    assert captured.isfinite().all() and (captured[:, 7] == 0).all()


def test_words_that_were_never_learnt_are_unknown_and_silence_is_one_unknown_word():
    features = features_of(*[utterance()] * 3, texts=['well well then', 'zebra well', '...'])
    preparation = Preparation.of(features, ['u0'], 'tre')
    assert preparation.inputs.vocabulary.words[3:] == ('well', 'then')
    rows = [t.words.tolist() for t in samples(features, ['u0', 'u1', 'u2'], preparation, 'tre').tensors]
    assert rows == [[3, 3, 4], [1, 3], [1]]


def test_who_lacks_something_is_left_out_of_what_needs_it_alone():
    nobody = {'skeleton': None, 'skeleton_unfiltered': None, 'visible': None}
    features = features_of(
        utterance(), utterance(mfcc=None, prosody=None), utterance(**nobody),
        utterance(visible=np.zeros((12, 10), bool)), utterance(mocap=None),
    )
    found = {model: sorted(usable(features, model)) for model in ('are', 'tre', 'smacn', 'smern', 'mocap')}
    assert found == {
        'are': ['u0', 'u2', 'u3', 'u4'], 'tre': ['u0', 'u1', 'u2', 'u3', 'u4'], 'smacn': ['u0', 'u1', 'u4'],
        'smern': ['u0', 'u4'], 'mocap': ['u0', 'u1', 'u2', 'u3'],
    }


@pytest.mark.parametrize('model', SOURCES)
def test_what_is_stored_prepares_the_same(model, corpus, tmp_path):
    ids = [row.id for row in corpus.utterances]
    preparation = Preparation.of(corpus, ids[:50], model, filtered=False)
    preparation.write(tmp_path / 'inputs.json')
    loaded = Preparation.read(tmp_path / 'inputs.json')
    pairs = zip(*(samples(corpus, ids[50:], p, model).tensors for p in (preparation, loaded)), strict=True)
    assert all(same(one, other) for one, other in pairs)


def test_a_network_that_takes_no_features_is_refused():
    with pytest.raises(ValueError, match='smern_ga_whole'):
        network_samples.fields('smern_ga')
