# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What of an actor's movement is kept: as the robot passes it on, or nearer to the paper."""
import numpy as np
import pytest

from smern_ros.skeleton.features import model_input
from smern_ros.skeleton.lowpass import causal, delay_frames, zero_phase
from smern_ros.spec import Joint
from smern_ros.training.iemocap.corpus_reader.names import Side
from smern_ros.training.iemocap.features.actors import Actors
from smern_ros.training.iemocap.features.feature_store import SkeletonChoice
from smern_ros.values import SECOND

FRAMES = 90
END = round((FRAMES - 1) * SECOND / 30)
LEFT = list(Side).index(Side.LEFT)


@pytest.fixture(scope='module')
def actors():
    """One person who leans and wanders, seen from the side, at 30 frames a second; on the right nobody."""
    generator = np.random.default_rng(0)
    body = generator.normal(0, 0.3, (10, 3)) + np.cumsum(generator.normal(0, 0.02, (FRAMES, 10, 3)), axis=0)
    positions = np.full((2, FRAMES, 10, 3), np.nan, np.float32)
    origins, extents = np.full((2, FRAMES, 3), np.nan, np.float32), np.full((2, FRAMES), np.nan, np.float32)
    positions[LEFT] = body - body[:, [Joint.THORAX]]
    positions[LEFT, :, Joint.LEFT_WRIST] = np.nan
    origins[LEFT] = -body[:, Joint.THORAX]
    extents[LEFT] = 0.3
    stamps = np.array([round(k * SECOND / 30) for k in range(FRAMES)])
    return Actors(stamps, positions, origins, extents, ''), body


def of(actors, **choice):
    return actors[0].movement(Side.LEFT, 0, END, SkeletonChoice(**choice))


def test_unless_told_otherwise_the_network_gets_what_the_robot_passes_on(actors):
    filtered, unfiltered, visible = of(actors)
    window = actors[0].window(Side.LEFT, 0, END)
    np.testing.assert_allclose(filtered, model_input(window)[0], atol=1e-6)
    assert np.array_equal(visible, window.visible) and not np.allclose(filtered, unfiltered, atol=0.01)


@pytest.mark.parametrize(('name', 'lowpass'), [('zero-phase', zero_phase), ('causal', causal)])
def test_raw_skeletons_are_where_the_estimator_saw_them_filtered_and_not(actors, name, lowpass):
    filtered, unfiltered, visible = of(actors, raw=True, filter=name)
    _, body = actors
    wanted = body.copy()
    wanted[:, Joint.LEFT_WRIST] = 0
    assert not visible[:, Joint.LEFT_WRIST].any() and visible.sum() == 9 * FRAMES
    np.testing.assert_allclose(unfiltered.reshape(FRAMES, 10, 3), wanted, atol=1e-5)
    np.testing.assert_allclose(filtered.reshape(FRAMES, 10, 3), lowpass(wanted), atol=1e-5)
    assert np.abs(filtered.reshape(FRAMES, 10, 3)[:, Joint.THORAX]).max() > 0.05, 'the thorax stays where it was'


def test_the_causal_filter_is_late_and_the_other_is_not(actors):
    both, late, visible = of(actors)[0], of(actors, filter='causal')[0], of(actors)[2]
    x = slice(3 * Joint.RIGHT_WRIST, 3 * Joint.RIGHT_WRIST + 1)
    lags = range(30)
    error = [np.abs(late[lag : FRAMES, x] - both[: FRAMES - lag, x])[20:].mean() for lag in lags]
    assert abs(int(np.argmin(error)) - delay_frames()) < 4 and visible[:, Joint.RIGHT_WRIST].all()


def test_what_was_seen_comes_back_from_disk(actors, tmp_path):
    actors[0].save(tmp_path / 'poses.npz')
    again = Actors.load(tmp_path / 'poses.npz')
    for name in ('stamps_ns', 'positions', 'origins', 'extents'):
        assert np.array_equal(getattr(again, name), getattr(actors[0], name), equal_nan=True)


@pytest.mark.parametrize('wrong', [{'raw': 'yes'}, {'raw': None}, {'filter': 'none'}, {'filter': 8}])
def test_another_choice_is_refused(wrong):
    with pytest.raises(ValueError, match='wanted raw true or false and a filter of zero-phase, causal'):
        SkeletonChoice(**wrong)
