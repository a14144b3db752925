# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""F0 is that of the voice: known tones, glides, octaves, noise and silence."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.voice import voice

from smern_ros.audio import pitch

RATE = 16_000


def track(samples):
    return pitch.track(samples, sample_rate=RATE, shift=160)


@settings(deadline=None, max_examples=30)
@given(st.floats(70, 600))
def test_a_steady_voice_has_its_f0_and_no_octave_of_it(f0):
    found = track(voice(f0))
    inner = slice(4, -4)
    assert found.voiced[inner].all()
    np.testing.assert_allclose(found.f0[inner], f0, rtol=0.01)
    assert (found.strength[inner] > 0.95).all()


def test_a_glide_is_followed():
    f0 = np.geomspace(100, 300, RATE)
    found = track(voice(f0, seconds=1))
    assert found.voiced[4:-4].all()
    np.testing.assert_allclose(found.f0[4:-4], f0[::160][4:-3], rtol=0.02)


def test_gain_changes_nothing(speech):
    for gain in (0.01, 0.5):
        np.testing.assert_allclose(track(speech[0] * np.float32(gain)).f0, track(speech[0]).f0, rtol=1e-3)


def test_ten_milliseconds_more_before_it_move_the_track_by_one_frame(speech):
    later = track(np.concatenate([np.zeros(160, np.float32), speech[1]]))
    np.testing.assert_allclose(later.f0[1:], track(speech[1]).f0, rtol=1e-6)


@pytest.mark.parametrize('seed', range(3))
def test_noise_and_silence_have_no_voice(seed):
    noise = np.random.default_rng(seed).normal(0, 0.1, RATE).astype(np.float32)
    assert not track(noise).voiced.any()
    silence = track(np.zeros(RATE, np.float32))
    assert not silence.voiced.any()
    assert (silence.strength == 0).all()


def test_a_clipped_voice_keeps_its_f0():
    clipped = np.clip(voice(180) * 20, -1, 1)
    np.testing.assert_allclose(track(clipped).f0[4:-4], 180, rtol=0.01)


def test_a_man_speaks_lower_than_a_woman(speech):
    man, woman = np.median(track(speech[2]).f0[track(speech[2]).voiced]), np.median(
        track(speech[1]).f0[track(speech[1]).voiced]
    )
    assert 80 < man < 180 < woman < 400
