# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Place, size and heading of a person say nothing of emotion: the network does not see them."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.skeleton.features import SHOULDER_WIDTH, model_input
from smern_ros.spec import Joint
from smern_ros.values import SkeletonWindow

BODY = np.array([  # metres from the thorax, x right, y down, z away: a person who faces the camera
    [0.00, 0.25, 0.00], [0.00, 0.00, 0.00], [0.00, -0.20, -0.12], [0.00, -0.22, 0.00],
    [0.17, 0.00, 0.00], [0.25, 0.25, -0.05], [0.15, 0.30, -0.30],
    [-0.17, 0.00, 0.00], [-0.25, 0.25, 0.05], [-0.30, 0.45, -0.10],
])


def window(positions: np.ndarray, visible: np.ndarray | None = None) -> SkeletonWindow:
    if visible is None:
        visible = np.ones(positions.shape[:2], bool)
    return SkeletonWindow(
        person_id='a', start_ns=0, end_ns=10**9, visible=visible, extent=0.2,
        positions=np.where(visible[..., None], positions, 0).astype(np.float32),
    )


def moves(frames: int = 20, seed: int = 0) -> np.ndarray:
    return BODY + np.random.default_rng(seed).normal(scale=0.03, size=(frames, 10, 3))


def turned(positions: np.ndarray, radians: float) -> np.ndarray:
    c, s = np.cos(radians), np.sin(radians)
    return positions @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T


def some_hidden(frames: int, seed: int) -> np.ndarray:
    """At random, but thorax and both shoulders visible somewhere."""
    visible = np.random.default_rng(seed).random((frames, 10)) < 0.7
    visible[frames // 2, [Joint.THORAX, Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER]] = True
    return visible


def test_a_person_who_faces_the_camera_is_only_scaled():
    x, visible = model_input(window(np.tile(BODY, (5, 1, 1))))
    assert x.shape == (5, 30) and x.dtype == np.float32 and visible.all()
    np.testing.assert_allclose(x[0].reshape(10, 3), BODY / 0.34, atol=1e-5)


@given(st.floats(0.3, 3), st.integers(0, 100))
def test_a_child_and_a_giant_look_the_same(scale, seed):
    visible = some_hidden(20, seed)
    np.testing.assert_allclose(
        model_input(window(moves(seed=seed) * scale, visible))[0], model_input(window(moves(seed=seed), visible))[0],
        atol=2e-4,
    )


@given(st.tuples(*[st.floats(-5, 5)] * 3), st.integers(0, 100))
def test_where_the_person_stands_does_not_matter(place, seed):
    visible = some_hidden(20, seed)
    np.testing.assert_allclose(
        model_input(window(moves(seed=seed) + place, visible))[0], model_input(window(moves(seed=seed), visible))[0],
        atol=2e-4,
    )


@given(st.floats(-np.pi, np.pi), st.integers(0, 100))
def test_where_the_person_faces_does_not_matter(radians, seed):
    visible = some_hidden(20, seed)
    np.testing.assert_allclose(
        model_input(window(turned(moves(seed=seed), radians), visible))[0],
        model_input(window(moves(seed=seed), visible))[0], atol=2e-4,
    )


def test_walking_about_while_gesturing_does_not_matter():
    walk = np.linspace(0, 3, 20)[:, None, None] * [1, 0, 0.5]
    np.testing.assert_allclose(model_input(window(moves() + walk))[0], model_input(window(moves()))[0], atol=1e-4)


def test_the_mean_shoulder_line_points_to_the_right_of_the_image_and_has_no_depth():
    x, _ = model_input(window(turned(moves(), 2.5)))
    line = (x.reshape(-1, 10, 3)[:, Joint.LEFT_SHOULDER] - x.reshape(-1, 10, 3)[:, Joint.RIGHT_SHOULDER]).mean(0)
    assert line[0] > 0.9 and abs(line[2]) < 1e-5


@pytest.mark.parametrize('change', [
    pytest.param(lambda p: p * [-1, 1, 1], id='mirrored'),
    pytest.param(lambda p: p[::-1], id='backwards'),
    pytest.param(lambda p: p * [1, 1.5, 1], id='stretched'),
    pytest.param(lambda p: p[..., [1, 0, 2]], id='lying'),
    pytest.param(lambda p: p + np.where(np.arange(10)[:, None] == Joint.LEFT_WRIST, 0.2, 0), id='hand raised'),
])
def test_all_else_does_matter(change):
    assert np.abs(model_input(window(change(moves())))[0] - model_input(window(moves()))[0]).max() > 0.1


def test_a_joint_that_is_not_visible_is_zero_and_changes_no_other():
    visible = np.ones((20, 10), bool)
    visible[5:9, Joint.LEFT_WRIST] = False
    x, seen = model_input(window(moves(), visible))
    np.testing.assert_array_equal(seen, visible)
    whole, _ = model_input(window(moves()))
    wrist = np.zeros((20, 10), bool)
    wrist[5:9, Joint.LEFT_WRIST] = True
    assert (x.reshape(20, 10, 3)[wrist] == 0).all()
    np.testing.assert_array_equal(x.reshape(20, 10, 3)[~wrist], whole.reshape(20, 10, 3)[~wrist])


@pytest.mark.parametrize('hidden', [[Joint.LEFT_SHOULDER], [Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.THORAX]])
def test_without_shoulders_a_usual_body_is_assumed_and_nothing_is_turned(hidden):
    visible = np.ones((20, 10), bool)
    visible[:, hidden] = False
    x, _ = model_input(window(np.tile(BODY, (20, 1, 1)), visible))
    np.testing.assert_allclose(x.reshape(20, 10, 3)[0, Joint.RIGHT_WRIST], BODY[-1] / SHOULDER_WIDTH, atol=1e-5)


def test_shoulders_in_one_point_never_blow_up():
    x, _ = model_input(window(np.zeros((20, 10, 3))))
    assert not x.any()
    together = moves()
    together[:, Joint.LEFT_SHOULDER] = together[:, Joint.RIGHT_SHOULDER]
    assert np.abs(model_input(window(together))[0]).max() < 5


def test_one_wrong_frame_does_not_change_the_size():
    broken = np.tile(BODY, (20, 1, 1))
    broken[3, Joint.LEFT_SHOULDER] = [9, 0, 0]
    x, _ = model_input(window(broken))
    assert x.reshape(20, 10, 3)[0, Joint.HEAD, 1] == pytest.approx(-0.22 / 0.34, rel=1e-3)


def test_a_window_of_other_joints_is_refused():
    with pytest.raises(ValueError, match=r'\(T, 10, 3\).*got \(5, 17, 3\)'):
        model_input(window(np.zeros((5, 17, 3))))
