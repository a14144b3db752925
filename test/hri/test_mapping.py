# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Our skeletons and labels in ROS4HRI's terms."""
import numpy as np
import pytest

from smern_ros.hri import mapping
from smern_ros.hri.mapping import OpenPosePoint
from smern_ros.spec import LABELS, Joint
from smern_ros.values import Skeleton

WIDTH, HEIGHT = 640, 480


def skeleton(image_positions=None, confidences=None):
    shown = np.arange(20, dtype=np.float32).reshape(10, 2) * 20 if image_positions is None else image_positions
    sure = np.full(10, 0.8, np.float32) if confidences is None else confidences
    return Skeleton(1, 'p1', np.zeros((10, 3), np.float32), sure, 0.9, 0.2, shown)


def test_each_of_our_labels_has_a_word():
    assert [mapping.expression(label) for label in LABELS] == list(LABELS)


def test_another_label_is_refused_by_name():
    with pytest.raises(ValueError, match="'bored'"):
        mapping.expression('bored')


def test_left_and_right_arm_nose_and_neck_are_where_we_see_them():
    body = skeleton()
    points = mapping.points(body, WIDTH, HEIGHT)
    for point, joint in {
        OpenPosePoint.NOSE: Joint.NOSE, OpenPosePoint.NECK: Joint.THORAX, OpenPosePoint.LEFT_WRIST: Joint.LEFT_WRIST,
        OpenPosePoint.RIGHT_WRIST: Joint.RIGHT_WRIST, OpenPosePoint.LEFT_SHOULDER: Joint.LEFT_SHOULDER,
    }.items():
        np.testing.assert_allclose(points[point, :2] * (WIDTH, HEIGHT), body.image_positions[joint], rtol=1e-6)
        assert points[point, 2] == pytest.approx(0.8)


def test_what_we_do_not_know_has_no_confidence():
    points = mapping.points(skeleton(), WIDTH, HEIGHT)
    unknown = [p for p in OpenPosePoint if p not in mapping.JOINTS]
    assert len(unknown) == 10 and not points[unknown].any()


def test_hidden_joints_and_those_outside_the_picture_have_no_confidence_and_no_place():
    shown = np.full((10, 2), 100, np.float32)
    shown[Joint.LEFT_WRIST] = np.nan
    shown[Joint.RIGHT_WRIST] = 100, HEIGHT + 1
    shown[Joint.LEFT_ELBOW] = -1, 100
    sure = np.ones(10, np.float32)
    sure[Joint.NOSE] = np.nan
    points = mapping.points(skeleton(shown, sure), WIDTH, HEIGHT)
    assert not points[[OpenPosePoint.LEFT_WRIST, OpenPosePoint.RIGHT_WRIST, OpenPosePoint.LEFT_ELBOW]].any()
    assert points[OpenPosePoint.NOSE, 2] == 0
    assert np.isfinite(points).all() and points.min() >= 0 and points.max() <= 1
