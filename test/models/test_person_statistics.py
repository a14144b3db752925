# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Statistics of a person: laws of the moments, and normalisation by them."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smern_ros.models.inputs import InputEncoder, Normalisation
from smern_ros.models.person_statistics import (
    SMALLEST_SHARE,
    Moments,
    PersonStatistics,
    PriorWeights,
)
from smern_ros.spec import SPEC
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.values import SECOND, AudioFeatures, SkeletonWindow

WEIGHTS = PriorWeights(mfcc=800.0, prosody=4.0, skeleton=300.0)
numbers = st.floats(-1e3, 1e3)
parts = st.lists(st.integers(0, 12), min_size=1, max_size=5).flatmap(
    lambda counts: st.tuples(*(hnp.arrays(np.float64, (count, 3), elements=numbers) for count in counts))
)


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count, mean and squared deviations as numpy has them of all at once."""
    mean = values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
    return np.full(values.shape[1], len(values)), mean, ((values - mean) ** 2).sum(axis=0)


def assert_equal(found: Moments, wanted) -> None:
    for value, number in zip((found.count, found.mean, found.deviations), wanted, strict=True):
        np.testing.assert_allclose(value, number, rtol=1e-9, atol=1e-6)


@given(parts, st.randoms(use_true_random=False))
def test_in_whatever_order_and_pieces_it_comes_it_is_what_numpy_finds_in_all_at_once(pieces, random):
    everything = moments(np.concatenate(pieces))
    shuffled = list(pieces)
    random.shuffle(shuffled)
    one_by_one = Moments.none(3)
    for piece in shuffled:
        one_by_one = Moments.joined([one_by_one, Moments.of(piece)])
    assert_equal(one_by_one, everything)
    assert_equal(Moments.joined(Moments.of(piece) for piece in pieces), everything)


@given(hnp.arrays(np.float64, (9, 3), elements=numbers), hnp.arrays(bool, (9, 3)))
def test_what_is_hidden_counts_for_nothing(values, seen):
    found = Moments.of(np.where(seen, values, np.nan), seen)
    shown = np.ma.masked_array(values, ~seen)
    mean = np.ma.filled(shown.mean(axis=0), 0.0)
    assert_equal(found, (seen.sum(axis=0), mean, np.ma.filled(((shown - mean) ** 2).sum(axis=0), 0.0)))


def test_a_million_frames_far_from_zero_lose_no_precision():
    generator = np.random.default_rng(0)
    known = Moments.none(1)
    for _ in range(100):
        known = Moments.joined([known, Moments.of(1e6 + generator.normal(size=(10_000, 1)))])
    assert known.deviations[0] / known.count[0] == pytest.approx(1.0, abs=0.01)


PRIOR = np.array([1.0, -2.0, 0.5]), np.array([0.3, 2.0, 1.0])


def test_of_somebody_unknown_the_prior_is_left_bit_by_bit():
    for weight in (1e-3, 4.0, 1e9):
        mean, std = Moments.none(3).shrunk_to(*PRIOR, weight)
        np.testing.assert_array_equal(mean, PRIOR[0])
        np.testing.assert_array_equal(std, PRIOR[1])


@given(hnp.arrays(np.float64, (20, 3), elements=numbers), st.integers(1, 30))
def test_the_prior_counts_as_that_many_observations_of_its_own(values, weight):
    """Half of them lie one deviation above the prior's mean and half below: they have its mean and deviation."""
    before = PRIOR[0] + PRIOR[1] * np.repeat([[1.0], [-1.0]], weight, axis=0)
    mean, std = Moments.of(values).shrunk_to(*PRIOR, 2.0 * weight)
    together = np.concatenate([before, values])
    np.testing.assert_allclose(mean, together.mean(axis=0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(std, np.maximum(together.std(axis=0), SMALLEST_SHARE * PRIOR[1]), rtol=1e-6)


def test_the_more_is_known_of_somebody_the_more_it_is_they_who_count():
    generator = np.random.default_rng(0)
    own_mean, own_std = np.array([5.0, 0.0, -3.0]), np.array([1.0, 1.0, 0.5])
    apart = []
    for count in (0, 10, 100, 1_000, 100_000):
        mean, std = Moments.of(generator.normal(own_mean, own_std, (count, 3))).shrunk_to(*PRIOR, 50.0)
        apart.append(np.abs(mean - own_mean).sum())
    assert apart == sorted(apart, reverse=True)
    np.testing.assert_allclose(mean, own_mean, atol=0.02)
    np.testing.assert_allclose(std, own_std, atol=0.02)


def test_what_does_not_vary_at_all_is_not_magnified_without_bound():
    _, std = Moments.of(np.tile(PRIOR[0], (1_000_000, 1))).shrunk_to(*PRIOR, 1.0)
    np.testing.assert_allclose(std, SMALLEST_SHARE * PRIOR[1])


@pytest.mark.parametrize('value', [0, -1.0, float('nan'), float('inf'), 'many'])
def test_a_weight_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match='weight of prosody'):
        PriorWeights(prosody=value)


@pytest.mark.parametrize(('name', 'values', 'seen', 'why'), [
    ('face', np.zeros((2, 3)), None, 'mfcc, prosody, speech, skeleton'),
    ('mfcc', np.zeros((2, 38)), None, r'expected any x 39'),
    ('prosody', np.zeros(35), None, r'expected any x 35'),
    ('skeleton', np.zeros((2, 30)), np.ones((2, 10), bool), r'marked by \(2, 10\)'),
    ('mfcc', np.full((2, 39), np.nan), None, 'not finite'),
])
def test_what_is_no_feature_is_refused(name, values, seen, why):
    with pytest.raises(ValueError, match=why):
        PersonStatistics().add(name, values, seen)


# --- normalising ----------------------------------------------------------------------------------------------------

def encoder(weights=WEIGHTS) -> InputEncoder:
    return InputEncoder(Normalisation.identity(), Vocabulary([]), person_prior=weights)


def speech(seed=0, pitch=1.0, frames=200, voiced=True) -> AudioFeatures:
    generator = np.random.default_rng(seed)
    prosody = generator.normal(pitch, 1.0, len(SPEC.prosody)).astype(np.float32)
    prosody[0] *= voiced
    mfcc = generator.normal(pitch, 1.0, (frames, SPEC.mfcc)).astype(np.float32)
    return AudioFeatures('u', 0, 2 * SECOND, mfcc, prosody)


def movement(seed=0, frames=90, hidden=()) -> SkeletonWindow:
    generator = np.random.default_rng(seed)
    positions = generator.normal(0, 0.2, (frames, 10, 3)).astype(np.float32)
    visible = np.ones((frames, 10), bool)
    visible[:, list(hidden)] = False
    return SkeletonWindow('p', 0, 3 * SECOND, positions * visible[..., None], visible, 0.3)


def test_without_weights_a_person_changes_nothing():
    plain = encoder(PriorWeights())
    known = encoder().person_statistics(speech(1, pitch=3.0), movement(1))
    for with_person, without in zip(plain.audio(speech(), known), plain.audio(speech()), strict=True):
        np.testing.assert_array_equal(with_person, without)
    np.testing.assert_array_equal(plain.skeleton(movement(), known)[0], plain.skeleton(movement())[0])
    assert not plain.person_statistics(speech(), movement()).mfcc.count.any()


def test_a_weight_beyond_measure_is_the_normalisation_of_the_training_data():
    stubborn = encoder(PriorWeights(1e30, 1e30, 1e30))
    known = encoder().person_statistics(speech(1, pitch=3.0), movement(1))
    plain = encoder(PriorWeights())
    for found, wanted in zip(stubborn.audio(speech(), known), plain.audio(speech()), strict=True):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(stubborn.skeleton(movement(), known)[0], plain.skeleton(movement())[0])


def test_two_voices_that_differ_by_pitch_alone_become_alike_as_they_are_known():
    inputs = encoder()

    def apart(utterances: int) -> float:
        low, high = (
            inputs.audio(speech(0, p), PersonStatistics.joined(
                inputs.person_statistics(speech(seed, p)) for seed in range(1, utterances + 1)))[1]
            for p in (-1.0, 1.0)
        )
        return float((high - low).abs().mean())

    nothing, some, much = apart(0), apart(4), apart(100)
    assert nothing > some > much
    assert much < 0.5


def test_the_utterance_at_hand_counts_in_its_own_normalisation():
    mean, std = encoder().person_statistics(speech()).prosody.shrunk_to(np.zeros(35), np.ones(35), WEIGHTS.prosody)
    expected = np.clip((speech().prosody - mean) / std, -6, 6)
    np.testing.assert_allclose(encoder().audio(speech())[1], expected, rtol=1e-5)


def test_speech_without_voice_and_hidden_joints_tell_nothing():
    told = encoder().person_statistics(speech(voiced=False), movement(hidden=[9]))
    assert not told.mfcc.count.any() and not told.prosody.count.any()
    np.testing.assert_array_equal(told.skeleton.count, [90] * 27 + [0] * 3)


def test_a_hidden_joint_stays_zero_whoever_it_is():
    known = encoder().person_statistics(None, movement(1))
    x, visible = encoder().skeleton(movement(hidden=[9]), known)
    assert not x[:, 27:].any() and not visible[:, 9].any()
    assert x[:, :3].any()
