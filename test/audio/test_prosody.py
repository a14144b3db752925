# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Prosody says how something was said, in stated units, for any signal there is."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.voice import voice

from smern_ros.audio.prosody import functionals, prosody
from smern_ros.spec import PROSODY

RATE = 16_000


def named(samples):
    return dict(zip(PROSODY, prosody(samples).tolist(), strict=True))


def test_a_steady_voice_at_220_hz_is_36_semitones_above_27_5_hz():
    values = named(voice(220, seconds=1))
    for name in ('f0_mean', 'f0_p10', 'f0_p90', 'f0_envelope_mean'):
        assert values[name] == pytest.approx(36, abs=0.05)
    assert values['f0_std'] < 0.2
    assert values['hnr_mean'] > 20


def test_a_voice_that_rises_an_octave_a_second_rises_12_semitones_a_second():
    values = named(voice(np.geomspace(110, 220, RATE), seconds=1))
    assert values['f0_slope'] == pytest.approx(12, abs=0.3)
    assert values['f0_range'] == pytest.approx(0.8 * 12, abs=0.3)


def test_f0_is_held_through_a_stretch_without_voice():
    pause = np.zeros(RATE // 2, np.float32)
    values = named(np.concatenate([voice(110), pause, voice(220)]))
    assert values['f0_mean'] == pytest.approx(30, abs=0.3)           # half of the voiced frames are low
    assert values['f0_envelope_mean'] == pytest.approx(28, abs=0.3)  # and two thirds of the time


def test_nine_decibel_more_are_twice_as_loud_and_nothing_else(speech):
    quiet, loud = named(speech[0] * np.float32(10 ** (-9 / 20))), named(speech[0])
    for name in PROSODY:
        factor = 10**0.3 if name.startswith('loudness') and 'centroid' not in name else 1
        assert quiet[name] * factor == pytest.approx(loud[name], rel=2e-3, abs=2e-3), name


def test_loudness_ahead_of_the_middle_has_its_centroid_there():
    loud, faint = np.full(RATE // 2, 0.5, np.float32) * voice(200), 0.01 * voice(200)
    assert named(np.concatenate([loud, faint]))['loudness_centroid'] < 0.4
    assert named(np.concatenate([faint, loud]))['loudness_centroid'] > 0.6


def test_silence_is_all_zero_but_for_centroids_in_the_middle():
    values = named(np.zeros(RATE, np.float32))
    held = ('f0_envelope_centroid', 'voicing_centroid', 'loudness_centroid')
    assert {name: value for name, value in values.items() if value} == dict.fromkeys(held, 0.5)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4000), st.sampled_from([0.0, 1e-9, 1e-4, 1.0]), st.integers(0, 1000))
def test_any_signal_has_finite_prosody_and_the_same_again(length, gain, seed):
    samples = np.clip(gain * np.random.default_rng(seed).normal(0, 1, length), -1, 1).astype(np.float32)
    values = prosody(samples)
    assert values.shape == (35,)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    np.testing.assert_array_equal(values, prosody(samples))


def test_the_functionals_are_what_they_are_called():
    times = np.linspace(0, 1, 101)
    mean, std, slope, centroid, p10, p90, spread = functionals((times, 3 * times), duration=1.0)
    assert mean == pytest.approx(1.5)
    assert std == pytest.approx(3 / np.sqrt(12), rel=0.02)
    assert slope == pytest.approx(3)
    assert centroid == pytest.approx(2 / 3, rel=0.01)
    assert (p10, p90, spread) == pytest.approx((0.3, 2.7, 2.4))
