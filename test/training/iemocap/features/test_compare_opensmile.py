# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the comparison with openSMILE calls agreement."""
import numpy as np
import pytest

from smern_ros.training.iemocap.features.compare_opensmile import Tracks, compare, extract


def tracks(f0, seed=0):
    f0 = np.asarray(f0, float)
    return Tracks(mfcc=np.random.default_rng(seed).normal(size=(len(f0), 39)), f0=f0)


def test_a_track_agrees_with_itself():
    same = compare(tracks([0, 100, 110, 120]), tracks([0, 100, 110, 120]))
    np.testing.assert_allclose(same.correlations, 1)
    assert (same.frames, same.voicing, same.gross_error, same.fine_error) == (4, 1, 0, 0)
    assert same.f0_correlation == pytest.approx(1)


def test_an_octave_is_a_gross_error_and_is_counted_where_both_are_voiced():
    found = compare(tracks([0, 100, 220, 120]), tracks([90, 100, 110, 120]))
    assert found.voicing == 0.75
    assert found.gross_error == pytest.approx(1 / 3)


def test_other_mfcc_do_not_correlate():
    assert np.abs(compare(tracks([100] * 999 + [101]), tracks([100] * 999 + [101], seed=1)).correlations).max() < 0.2


def test_our_frames_are_opensmile_s_frames(shared_data):
    pytest.importorskip('opensmile', reason='the optional extra opensmile is not installed')
    files = sorted((shared_data / 'emodb4' / 'wav').glob('03a01*.wav'))
    agreement = compare(*extract(files))
    assert agreement.correlations.min() > 0.9
    assert agreement.gross_error < 0.05
