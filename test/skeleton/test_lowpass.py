# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The low-pass filter of paper section III-A.2, whole and as a stream."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from smern_ros.skeleton.lowpass import CausalLowPass, causal, delay_frames, sections, zero_phase
from smern_ros.spec import SPEC

RATE = SPEC.skeleton_rate
CUTOFF = SPEC.filter_cutoff * RATE / 2  # Hz


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, 10, 3))


def stream(x: np.ndarray) -> np.ndarray:
    causal = CausalLowPass(x.shape[1:])
    return np.stack([causal.push(frame) for frame in x])


def test_half_the_power_is_left_at_the_cutoff_and_next_to_nothing_an_octave_above():
    _, response = signal.freqz_sos(sections(), worN=[CUTOFF, 2 * CUTOFF], fs=RATE)
    assert abs(response[0]) == pytest.approx(np.sqrt(0.5), abs=1e-6)
    assert abs(response[1]) < 10 ** (-48 / 20)  # order 8: 8 x 6 dB an octave


def test_forwards_and_backwards_a_quarter_of_the_power_is_left_at_the_cutoff_and_it_falls_twice_as_steeply():
    """Order 16 in effect, as `zero_phase` is applied: -6 dB at the cut-off, 96 dB an octave."""
    impulse = np.zeros(1201)
    impulse[600] = 1
    heard = zero_phase(impulse)
    np.testing.assert_allclose(heard, heard[::-1], atol=1e-9)  # no phase
    times = (np.arange(1201) - 600) / RATE
    kept = [abs(np.sum(heard * np.exp(-2j * np.pi * hertz * times))) for hertz in (0.01, CUTOFF, 2 * CUTOFF)]
    assert kept[0] == pytest.approx(1, abs=1e-4) and 20 * np.log10(kept[1]) == pytest.approx(-6.02, abs=0.01)
    assert 20 * np.log10(kept[2]) < -96


@pytest.mark.parametrize('frames', [1, 2, 30, 200])
def test_whole_signals_forwards_alone_are_as_the_stream_has_them(frames):
    x = noise(frames)
    np.testing.assert_allclose(causal(x), stream(x), atol=1e-12)
    np.testing.assert_allclose(causal(x[:, 0, 0]), stream(x)[:, 0, 0], atol=1e-12)


@pytest.mark.parametrize('frequency, kept', [(0.3, 1.0), (6.0, 0.0)])
def test_slow_movement_stays_in_place_and_jitter_goes(frequency, kept):
    x = np.sin(2 * np.pi * frequency * np.arange(300) / RATE)[:, None]
    assert np.abs(zero_phase(x) - kept * x)[60:-60].max() < 0.01


@pytest.mark.parametrize('frames', [1, 2, 3, 27, 28, 29, 300])
def test_a_body_at_rest_stays_at_rest_however_short_the_window(frames):
    x = np.tile(np.linspace(-1, 1, 30).reshape(10, 3), (frames, 1, 1))
    np.testing.assert_allclose(zero_phase(x), x, atol=1e-9)


@pytest.mark.parametrize('frames', [2, 5, 20, 60])
def test_a_short_window_of_noise_never_leaves_its_own_range_far(frames):
    x = noise(frames)
    assert np.isfinite(zero_phase(x)).all()
    assert np.abs(zero_phase(x)).max() < 3 * np.abs(x).max()


def test_one_frame_is_returned_as_it_is():
    x = noise(1)
    np.testing.assert_allclose(zero_phase(x), x, atol=1e-12)


def test_the_whole_filter_takes_no_side_in_time():
    x = noise(200)
    there, back = zero_phase(x), zero_phase(x[::-1])[::-1]
    np.testing.assert_allclose(there[40:-40], back[40:-40], atol=2e-2)


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_value_that_is_no_number_is_refused_before_it_spreads(bad):
    x = noise(50)
    x[20, 3, 1] = bad
    for lowpass in (zero_phase, causal):
        with pytest.raises(ValueError, match='finite'):
            lowpass(x)
        with pytest.raises(ValueError, match='at least one frame'):
            lowpass(np.zeros((0, 10, 3)))


def test_the_delay_is_the_lag_of_a_steady_movement():
    x = np.tile(0.01 * np.arange(400.0)[:, None, None], (1, 10, 3))
    lag = (x - stream(x))[-1, 0, 0] / 0.01
    assert lag == pytest.approx(delay_frames(), abs=1e-6)
    assert 16 < delay_frames() < 17


@given(st.integers(1, 79), st.integers(0, 1000))
def test_the_causal_filter_never_sees_the_future(now, seed):
    x = noise(80, seed)
    changed = x.copy()
    changed[now:] += 5
    np.testing.assert_array_equal(stream(x)[:now], stream(changed)[:now])


@given(st.integers(1, 120), st.integers(0, 1000))
def test_the_stream_gives_what_the_batch_gives(frames, seed):
    x = noise(frames, seed)
    rest = signal.sosfilt_zi(sections())[:, :, None, None] * x[0]
    batch, _ = signal.sosfilt(sections(), x, axis=0, zi=rest)
    np.testing.assert_allclose(stream(x), batch, atol=1e-9)


def test_a_joint_that_was_lost_starts_anew_and_disturbs_no_other():
    x = noise(90)
    hidden = x.copy()
    hidden[40:50, 2] = np.nan
    y, whole = stream(hidden), stream(x)
    assert np.isnan(y[40:50, 2]).all()
    np.testing.assert_array_equal(np.delete(y, 2, axis=1), np.delete(whole, 2, axis=1))
    np.testing.assert_allclose(y[50:, 2], stream(x[50:])[:, 2], atol=1e-9)


def test_reset_forgets():
    x = noise(60)
    causal = CausalLowPass((10, 3))
    for frame in x[:30]:
        causal.push(frame)
    causal.reset()
    np.testing.assert_array_equal(causal.push(x[30]), stream(x[30:])[0])


def test_a_frame_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r'\(10, 3\), got \(9, 3\)'):
        CausalLowPass((10, 3)).push(np.zeros((9, 3)))
