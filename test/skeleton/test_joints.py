# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Other skeletons become our ten joints: midpoints, sides, confidences and gates."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from smern_ros.skeleton.joints import FROM_H36M, FROM_MEDIAPIPE, DetectedBody, Gates, coco_to_h36m, mapped
from smern_ros.spec import JOINTS, Joint

METRES = st.floats(-3, 3, width=32)
LANDMARKS = arrays(np.float32, (33, 3), elements=METRES)
VISIBILITIES = arrays(np.float32, 33, elements=st.floats(0, 1, width=32))

MEDIAPIPE_LEFT_RIGHT = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15, 18, 17, 20, 19, 22, 21, 24, 23,
                        26, 25, 28, 27, 30, 29, 32, 31]
LEFT_RIGHT = [JOINTS.index(n.replace('left', '*').replace('right', 'left').replace('*', 'right')) for n in JOINTS]


def a_body(**changes) -> DetectedBody:
    """Somebody facing the camera, 0.4 m between the shoulders, 100 pixels a metre in an image of 640."""
    positions = np.array([
        [0, .25, 0], [0, 0, 0], [0, -.2, -.15], [0, -.25, 0],
        [.2, 0, 0], [.3, .25, 0], [.3, .5, 0], [-.2, 0, 0], [-.3, .25, 0], [-.3, .5, 0],
    ])
    fields = {'positions': positions, 'image_positions': 320 + 100 * positions[:, :2],
              'confidences': np.ones(10, np.float32), 'score': 1.0, 'image_width': 640} | changes
    return DetectedBody(**fields)


def turned(positions: np.ndarray, degrees: float) -> np.ndarray:
    """About the vertical axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return positions @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T


@given(LANDMARKS, VISIBILITIES)
def test_every_joint_is_where_its_landmarks_are(landmarks, visibility):
    joints, confidences = mapped(FROM_MEDIAPIPE, landmarks, visibility)

    shoulders, hips = landmarks[[11, 12]].mean(0), landmarks[[23, 24]].mean(0)
    assert joints[Joint.THORAX] == pytest.approx(shoulders, abs=1e-5)
    assert joints[Joint.SPINE] == pytest.approx((shoulders + hips) / 2, abs=1e-5)
    assert joints[Joint.NOSE] == pytest.approx(landmarks[0])
    assert joints[Joint.HEAD] == pytest.approx(landmarks[[7, 8]].mean(0), abs=1e-5)
    assert joints[Joint.LEFT_SHOULDER:] == pytest.approx(landmarks[[11, 13, 15, 12, 14, 16]])
    assert confidences[Joint.SPINE] == min(visibility[[11, 12, 23, 24]])
    assert confidences[Joint.HEAD] == min(visibility[[7, 8]])
    assert confidences[Joint.RIGHT_WRIST] == visibility[16]


@given(LANDMARKS, VISIBILITIES)
def test_a_mirror_swaps_left_and_right_and_nothing_else(landmarks, visibility):
    mirror = np.array([-1, 1, 1], np.float32)
    joints, confidences = mapped(FROM_MEDIAPIPE, landmarks, visibility)
    seen, sure = mapped(FROM_MEDIAPIPE, (landmarks * mirror)[MEDIAPIPE_LEFT_RIGHT], visibility[MEDIAPIPE_LEFT_RIGHT])
    np.testing.assert_allclose(seen[LEFT_RIGHT] * mirror, joints, atol=1e-5)
    np.testing.assert_array_equal(sure[LEFT_RIGHT], confidences)


def test_ten_joints_of_h36m_are_its_7_to_16():
    joints, _ = mapped(FROM_H36M, np.arange(51).reshape(17, 3), np.ones(17))
    np.testing.assert_array_equal(joints, np.arange(51).reshape(17, 3)[7:])


def test_coco_keeps_sides_and_surest_joints_on_its_way_through_h36m():
    coco = {'nose': 0, 'left_shoulder': 5, 'right_shoulder': 6, 'left_elbow': 7, 'right_elbow': 8,
            'left_wrist': 9, 'right_wrist': 10}
    points = np.random.default_rng(0).normal(size=(17, 2)).astype(np.float32)
    confidences = np.linspace(.1, .9, 17, dtype=np.float32)
    ours, sure = mapped(FROM_H36M, *coco_to_h36m(points, confidences))
    for name, index in coco.items():
        np.testing.assert_array_equal(ours[JOINTS.index(name)], points[index])
        assert sure[JOINTS.index(name)] == confidences[index]
    np.testing.assert_allclose(ours[Joint.THORAX], points[[5, 6]].mean(0), rtol=1e-6)
    np.testing.assert_allclose(ours[Joint.HEAD], points[[1, 2]].mean(0), rtol=1e-6)


def test_a_wrong_number_of_joints_is_named():
    with pytest.raises(ValueError, match=r'points must be \(33, D\).*got \(17, 3\)'):
        mapped(FROM_MEDIAPIPE, np.zeros((17, 3)), np.zeros(17))


@given(arrays(np.float32, 10, elements=st.floats(0, 1, width=32)), st.floats(0, 1),
       st.tuples(METRES, METRES, METRES))
def test_joints_hardly_seen_have_no_position_but_keep_their_confidence(confidences, min_visibility, moved):
    body = a_body(confidences=confidences, positions=a_body().positions + np.array(moved))
    skeleton = body.skeleton(7, 'p1', Gates(min_visibility=min_visibility))
    seen = confidences >= min_visibility
    np.testing.assert_array_equal(np.isfinite(skeleton.positions), np.repeat(seen[:, None], 3, 1))
    np.testing.assert_array_equal(np.isfinite(skeleton.image_positions), np.repeat(seen[:, None], 2, 1))
    np.testing.assert_array_equal(skeleton.confidences, confidences)
    np.testing.assert_allclose(skeleton.positions[seen], a_body().positions[seen], atol=1e-5)  # from the thorax
    assert (skeleton.stamp_ns, skeleton.person_id) == (7, 'p1')


def test_extent_is_the_shoulder_width_in_the_image():
    assert a_body().extent == pytest.approx(.4 * 100 / 640)


@given(st.floats(-80, 80))
def test_turning_sideways_does_not_make_somebody_look_far_away(degrees):
    positions = turned(a_body().positions, degrees)
    body = a_body(positions=positions, image_positions=320 + 100 * positions[:, :2])
    assert body.extent == pytest.approx(a_body().extent, rel=1e-5)


@given(st.floats(.1, 10))
def test_twice_as_large_in_the_image_is_twice_as_near(scale):
    body = a_body(image_positions=100 + scale * a_body().image_positions)
    assert body.extent == pytest.approx(scale * a_body().extent, rel=1e-5)


def test_gates_keep_out_the_unlikely_and_the_far():
    assert a_body().passes(Gates())
    assert not a_body(score=.4).passes(Gates())
    assert not a_body().passes(Gates(min_extent=.07))
    assert not a_body(score=float('nan')).passes(Gates())
    assert not a_body(image_positions=np.zeros((10, 2))).passes(Gates())


def test_a_gate_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match='min_score is 50'):
        Gates(min_score=50)
