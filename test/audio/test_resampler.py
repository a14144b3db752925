# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The resampler keeps the voice, its time and nothing above the new Nyquist frequency."""
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.audio.resampler import Resampler

RATES = [8000, 11025, 22050, 32000, 44100, 48000, 96000, 192000]


def at_once(samples, rate, to_rate=16000):
    resampler = Resampler(rate, to_rate)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def in_chunks(samples, rate, cuts):
    resampler = Resampler(rate, 16000)
    return np.concatenate([*(resampler.push(part) for part in np.split(samples, sorted(cuts))), resampler.flush()])


def sine(frequency, rate, seconds=1.0):
    return np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([*RATES, 16000, 22051]), st.lists(st.integers(0, 3000), max_size=8), st.integers(0, 3000))
def test_how_the_sound_is_cut_into_chunks_changes_nothing(rate, cuts, length):
    samples = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    np.testing.assert_allclose(in_chunks(samples, rate, cuts), at_once(samples, rate), atol=1e-6)


@pytest.mark.parametrize('rate', [*RATES, 22051, 191_999])
def test_speech_is_as_another_resampler_has_it(speech, rate):
    spoken = soxr.resample(speech[0], 16000, rate)
    ours, reference = at_once(spoken, rate), soxr.resample(spoken, rate, 16000)
    assert abs(len(ours) - len(reference)) <= 1
    common = min(len(ours), len(reference))
    difference = ours[:common] - reference[:common]
    # They roll off differently in the last eighth of the band, in which a telephone's rate has much of the voice.
    assert np.mean(difference**2) < np.mean(reference**2) * (10**-3.2 if rate < 16000 else 10**-4.5)


@pytest.mark.parametrize('rate', [r for r in RATES if r > 16000])
def test_the_band_below_7_khz_is_kept_and_above_8_8_khz_nothing_folds_back(rate):
    inner = slice(1000, -1000)
    for frequency in (60, 1000, 7000):
        kept = at_once(sine(frequency, rate), rate)
        np.testing.assert_allclose(kept[inner], sine(frequency, 16000)[inner], atol=5e-3)
    for frequency in (8800, rate / 2 - 500):
        assert np.abs(at_once(sine(frequency, rate), rate)[inner]).max() < 1e-4


@pytest.mark.parametrize('rate', RATES)
def test_it_holds_back_at_most_6_ms_of_sound_and_less_than_soxr(rate):
    chunks = [np.zeros(rate // 50, np.float32)] * 50  # of 20 ms
    ours, soxr_s = Resampler(rate, 16000), soxr.ResampleStream(rate, 16000, 1, dtype='float32')

    def held_back(push):
        """Most milliseconds that were put in and did not come out."""
        given_out = np.cumsum([len(push(chunk)) for chunk in chunks])
        return 1000 * max(len(chunks[0]) * (i + 1) / rate - n / 16000 for i, n in enumerate(given_out))

    assert held_back(ours.push) <= 6.1 < 30 < held_back(soxr_s.resample_chunk)


def test_a_rate_no_microphone_has_is_refused():
    with pytest.raises(ValueError, match='0 Hz'):
        Resampler(0, 16000)
