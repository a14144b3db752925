"""MFCC are those of the textbook: checked against a computation step by step."""
import numpy as np
import pytest
from scipy.fft import dct

from smern_ros.audio.mfcc import mfcc


def textbook(samples):
    """13 MFCC by numpy and scipy alone."""
    padded = np.pad(samples.astype(float), 200)
    frames = np.stack([padded[k : k + 400] for k in range(0, len(samples) + 1, 160)])
    power = np.abs(np.fft.rfft(frames * np.hamming(401)[:400])) ** 2
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    slopes = (np.fft.rfftfreq(400, 1 / 16000)[:, None] - hertz[1:-1]) / np.diff(hertz)[:-1]
    bands = np.clip(np.minimum(1 + slopes, 1 - slopes), 0, None)
    decibel = 10 * np.log10(np.maximum(power @ bands, 1e-10))
    return dct(np.maximum(decibel, decibel.max() - 80), norm='ortho')[:, :13]


def test_the_first_13_are_the_cepstrum_of_the_mel_spectrum(speech):
    ours = mfcc(speech[0])[:, :13]
    # speechbrain's triangles are symmetrical around their centres: near, but not the same.
    reference = textbook(speech[0])
    assert ours.shape == reference.shape
    for i in range(13):
        assert np.corrcoef(ours[:, i], reference[:, i])[0, 1] > 0.97, f'coefficient {i}'


def test_the_others_are_first_and_second_differences(speech):
    base, first, second = np.split(mfcc(speech[1]), 3, axis=1)
    for values, slope in ((base, first), (first, second)):
        padded = np.pad(values, ((2, 2), (0, 0)), mode='edge')
        expected = (padded[3:-1] - padded[1:-3] + 2 * (padded[4:] - padded[:-4])) / 10
        np.testing.assert_allclose(slope, expected, atol=1e-3)


def test_there_is_one_frame_each_10_ms(speech):
    assert mfcc(speech[0]).shape == (len(speech[0]) // 160 + 1, 39)
    assert mfcc(speech[0]).dtype == np.float32


def test_gain_changes_the_first_coefficient_alone(speech):
    quiet, loud = mfcc(speech[0] / 2), mfcc(speech[0])
    np.testing.assert_allclose(quiet[:, 1:], loud[:, 1:], atol=1e-2)
    np.testing.assert_allclose(quiet[:, 0] - loud[:, 0], -20 * np.log10(2) * np.sqrt(26), atol=1e-2)


@pytest.mark.parametrize('length', [1, 100, 399, 400, 401])
def test_less_than_a_frame_has_finite_features_too(length):
    features = mfcc(np.full(length, 0.5, np.float32))
    assert features.shape == (length // 160 + 1, 39)
    assert np.isfinite(features).all()
