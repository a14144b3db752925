# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motion capture of any length becomes 200 frames, whatever was lost on the way."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.training.iemocap.corpus_reader.motion_capture import MocapRecording
from smern_ros.training.iemocap.features.unit import mocap_features
from smern_ros.values import SECOND


def recording(values, rate=120, start_ns=0):
    times = start_ns + np.arange(len(values)) * SECOND // rate
    return MocapRecording(times, np.broadcast_to(values[:, None], (len(values), 189)).astype(np.float32).copy(), 0)


@settings(max_examples=30, deadline=None)
@given(frames=st.integers(3, 2400), rate=st.sampled_from([12, 60, 120]), offset=st.integers(0, 10**12))
def test_a_marker_that_moves_evenly_does_so_in_200_frames(frames, rate, offset):
    captured = recording(np.linspace(-50, 50, frames), rate, offset)
    found = mocap_features(captured, offset, offset + frames * SECOND // rate)
    assert found.shape == (200, 189) and found.dtype == np.float32
    even = -50 + 100 * ((np.arange(200) + 0.5) / 200 * frames - 0.5) / (frames - 1)
    assert np.abs(found[:, 0] - even).max() <= 100 / (frames - 1) + 100 / 200  # a frame and a part
    assert (np.diff(found[:, 0]) >= -1e-4).all()


def test_a_part_is_the_mean_of_its_frames():
    values = np.random.default_rng(0).normal(size=1200)
    found = mocap_features(recording(values), 0, 10 * SECOND)
    assert found[:, 7] == pytest.approx(values.reshape(200, 6).mean(axis=1), abs=1e-5)


def test_a_marker_lost_for_a_while_is_interpolated_and_one_never_seen_is_not_invented():
    captured = recording(np.linspace(0, 1, 1200))
    captured.values[300:600, 3] = np.nan
    captured.values[:, 4] = np.nan
    found = mocap_features(captured, 0, 10 * SECOND)
    assert found[:, 3] == pytest.approx(found[:, 0], abs=1e-4)
    assert np.isnan(found[:, 4]).all() and np.isfinite(np.delete(found, 4, axis=1)).all()


def test_only_the_utterances_own_time_counts():
    values = np.zeros(1200)
    values[600:] = 1
    assert (mocap_features(recording(values), 0, 4 * SECOND) == 0).all()
    assert (mocap_features(recording(values), 6 * SECOND, 9 * SECOND) == 1).all()
    assert mocap_features(recording(values), 11 * SECOND, 12 * SECOND) is None
