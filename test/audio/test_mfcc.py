# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""MFCC are those of speechbrain, of which the audio node needs nothing."""
import sys

import numpy as np
import pytest
import torch

from smern_ros.audio.mfcc import mfcc
from smern_ros.utils import import_shims


@pytest.fixture(scope='module')
def speechbrain():
    """speechbrain's own extractor with the same settings."""
    import_shims.torchaudio()
    from speechbrain.lobes.features import MFCC
    from speechbrain.utils.importutils import LazyModule

    # Stand-ins of speechbrain's for what may not be installed fail when somebody asks them for a file name: hypothesis.
    for name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
        del sys.modules[name]

    extractor = MFCC(
        context=False, sample_rate=16000, n_fft=400, n_mels=26, n_mfcc=13, win_length=25.0, hop_length=10.0
    ).eval()

    def extract(samples):
        with torch.inference_mode():
            return extractor(torch.from_numpy(samples)[None])[0].numpy()

    return extract


@pytest.mark.parametrize('length', [None, 1, 100, 399, 400, 401, 16000])
def test_they_are_those_of_speechbrain(speech, speechbrain, length):
    for samples in speech:
        part = np.array(samples[:length], np.float32)
        np.testing.assert_allclose(mfcc(part), speechbrain(part), atol=2.5e-4)


def test_silence_is_as_in_speechbrain(speechbrain):
    silence = np.zeros(4000, np.float32)
    np.testing.assert_allclose(mfcc(silence), speechbrain(silence), atol=2.5e-4)


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
