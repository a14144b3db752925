# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Features come back from disk as they were put there, or not at all."""
import dataclasses
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smern_ros.spec import LABELS
from smern_ros.training.iemocap.features import feature_store
from smern_ros.training.iemocap.features.feature_store import (
    FeatureError,
    FeatureRow,
    FeatureSet,
    SampleArrays,
    SkeletonChoice,
)


def some(frames, generator, *, sound=True, body=True, mocap=True, extra=False):
    def noise(*shape):
        return generator.normal(size=shape).astype(np.float32)

    return SampleArrays(
        mfcc=noise(frames, 39) if sound else None,
        prosody=noise(35) if sound else None,
        skeleton=noise(frames, 30) if body else None,
        skeleton_unfiltered=noise(frames, 30) if body else None,
        visible=generator.random((frames, 10)) < 0.5 if body else None,
        mocap=noise(200, 189) if mocap else None,
        speech=noise(768) if extra else None,
        word_vectors=noise(frames % 4 + 1, 1152).astype(np.float16) if extra else None,
    )


def features(samples, prefix='u'):
    rows = [FeatureRow(f'{prefix}{i}', f'Ses01{"FM"[i % 2]}', 1, LABELS[i % 4], 'Où? ]:') for i in range(len(samples))]
    return FeatureSet.of('iemocap', rows, samples, {f'{prefix}-gone': 'no actor in view'})


def same(one, other):
    for name in vars(one):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None), name
        assert a is None or (a.dtype == b.dtype and np.array_equal(a, b)), name


PRESENT = st.tuples(st.integers(1, 40), st.booleans(), st.booleans(), st.booleans(), st.booleans())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(present=st.lists(PRESENT, max_size=6), cut=st.integers(0, 6), mapped=st.booleans())
def test_whatever_is_missing_every_utterance_comes_back_as_it_was(present, cut, mapped, tmp_path):
    generator = np.random.default_rng(0)
    samples = [some(n, generator, sound=a, body=b, mocap=c, extra=d) for n, a, b, c, d in present]
    parts = [features(samples[:cut], 'a'), features(samples[cut:], 'b')]
    feature_store.save(iter(parts), tmp_path)
    loaded = FeatureSet.load(tmp_path, memory_mapped=mapped)
    assert loaded.utterances == parts[0].utterances + parts[1].utterances
    assert loaded.left_out == {'a-gone': 'no actor in view', 'b-gone': 'no actor in view'}
    for i, sample in enumerate(samples):
        same(loaded.sample_arrays(i), sample)


def test_without_the_extra_the_folder_is_as_it_was_before_there_was_one(tmp_path):
    generator = np.random.default_rng(1)
    features([some(5, generator, extra=True)]).save(tmp_path)
    assert {name for name in feature_store.EXTRA if (tmp_path / f'{name}.npy').exists()} == set(feature_store.EXTRA)
    features([some(5, generator)]).save(tmp_path)
    assert not any((tmp_path / f'{name}.npy').exists() for name in feature_store.EXTRA)
    assert 'extra' not in json.loads((tmp_path / 'index.json').read_text())
    loaded = FeatureSet.load(tmp_path)
    assert not loaded.has_extra and loaded.sample_arrays(0).speech is None


def test_how_skeletons_were_made_is_kept_and_those_of_before_are_the_robots(tmp_path):
    raw = dataclasses.replace(features([some(5, np.random.default_rng(1))]), skeletons=SkeletonChoice(True, 'causal'))
    raw.save(tmp_path)
    assert FeatureSet.load(tmp_path).skeletons == SkeletonChoice(True, 'causal')
    assert raw.skeletons.differs == 'raw positions and a causal filter' and not SkeletonChoice().differs
    index = json.loads((tmp_path / 'index.json').read_text())
    del index['skeletons']
    (tmp_path / 'index.json').write_text(json.dumps(index | {'format': 1}))
    assert FeatureSet.load(tmp_path).skeletons == SkeletonChoice()


@pytest.fixture
def saved(tmp_path):
    features([some(5, np.random.default_rng(1))] * 3).save(tmp_path)
    FeatureSet.load(tmp_path)
    return tmp_path


def test_what_was_cut_short_while_it_was_written_is_not_taken_for_whole(saved):
    def parts():
        yield features([some(5, np.random.default_rng(2))])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feature_store.save(parts(), saved)
    with pytest.raises(FeatureError, match='holds no features'):
        FeatureSet.load(saved)


@pytest.mark.parametrize('name', ['mfcc', 'mfcc_offsets', 'visible', 'mocap'])
def test_an_array_that_is_cut_off_is_named(saved, name):
    path = saved / f'{name}.npy'
    path.write_bytes(path.read_bytes()[:-8])
    for mapped in (False, True):
        with pytest.raises(FeatureError, match=rf'{name}\.npy cannot be read'):
            FeatureSet.load(saved, memory_mapped=mapped)


def test_no_python_object_is_ever_loaded(saved):
    np.save(saved / 'mfcc.npy', np.array([{'a': 1}], object), allow_pickle=True)
    with pytest.raises(FeatureError, match=r'mfcc\.npy cannot be read'):
        FeatureSet.load(saved)


@pytest.mark.parametrize(('array', 'wrong'), [
    (np.zeros((15, 38), np.float32), r'mfcc is float32 \(15, 38\); wanted float32 any x 39'),
    (np.zeros((15, 39)), 'mfcc is float64'),
    (np.zeros((14, 39), np.float32), 'mfcc_offsets do not part the 14 rows'),
])
def test_arrays_that_do_not_fit_are_told(saved, array, wrong):
    np.save(saved / 'mfcc.npy', array)
    with pytest.raises(FeatureError, match=wrong):
        FeatureSet.load(saved)


def changed(**fields):
    return lambda index: index | fields


@pytest.mark.parametrize(('change', 'wrong'), [
    (changed(format=3), 'format 3'),
    (changed(skeletons={'raw': 1, 'filter': 'causal'}), 'wanted raw true or false'),
    (changed(skeletons={'smooth': True}), 'no index of features'),
    (changed(skeletons=[]), 'no index of features'),
    (lambda index: {k: v for k, v in index.items() if k != 'skeletons'}, 'no index of features'),
    (changed(utterances=[]), 'rows for 0 utterances'),
    (changed(utterances='abc'), 'no index of features'),
    (changed(left_out=[]), 'no index of features'),
    (lambda index: index | {'utterances': [index['utterances'][0]] * 3}, 'only 1 ids'),
    (lambda index: index | {'utterances': [u | {'label': 'bored'} for u in index['utterances']]}, "label 'bored'"),
    (lambda index: index | {'utterances': [u | {'session': '1'} for u in index['utterances']]}, 'wrong types'),
    (lambda index: index | {'spec': index['spec'] | {'filter_order': 4}}, 'filter_order: 4 instead of 8'),
    (lambda index: {k: v for k, v in index.items() if k != 'spec'}, 'no index of features'),
    (lambda index: [index], 'format None'),
])
def test_an_index_that_makes_no_sense_is_told(saved, change, wrong):
    path = saved / 'index.json'
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(FeatureError, match=wrong):
        FeatureSet.load(saved)


def test_any_other_folder_holds_no_features(tmp_path):
    with pytest.raises(FeatureError, match='smern features'):
        FeatureSet.load(tmp_path / 'nowhere')


def test_a_skeleton_needs_its_visibility():
    with pytest.raises(FeatureError, match='lacks visible'):
        FeatureSet.of('x', [FeatureRow('a', 's', 1, 'sad', '')], [SampleArrays(
            skeleton=np.zeros((3, 30), np.float32), skeleton_unfiltered=np.zeros((3, 30), np.float32)
        )])
