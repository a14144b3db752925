# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Our values in the terms of ROS4HRI's messages."""
from __future__ import annotations

from enum import IntEnum

import numpy as np

from smern_ros.spec import Joint
from smern_ros.values import Skeleton

EXPRESSIONS = {'happy': 'happy', 'sad': 'sad', 'angry': 'angry', 'neutral': 'neutral'}
"""By our label, the word for it among the constants of hri_msgs/Expression."""


class OpenPosePoint(IntEnum):
    """The points of hri_msgs/Skeleton2D in their order, which is OpenPose's of COCO."""

    NOSE = 0
    NECK = 1
    RIGHT_SHOULDER = 2
    RIGHT_ELBOW = 3
    RIGHT_WRIST = 4
    LEFT_SHOULDER = 5
    LEFT_ELBOW = 6
    LEFT_WRIST = 7
    RIGHT_HIP = 8
    RIGHT_KNEE = 9
    RIGHT_ANKLE = 10
    LEFT_HIP = 11
    LEFT_KNEE = 12
    LEFT_ANKLE = 13
    LEFT_EYE = 14
    RIGHT_EYE = 15
    LEFT_EAR = 16
    RIGHT_EAR = 17


JOINTS = {
    OpenPosePoint.NOSE: Joint.NOSE,
    OpenPosePoint.NECK: Joint.THORAX,  # both are the midpoint of the shoulders
    OpenPosePoint.RIGHT_SHOULDER: Joint.RIGHT_SHOULDER,
    OpenPosePoint.RIGHT_ELBOW: Joint.RIGHT_ELBOW,
    OpenPosePoint.RIGHT_WRIST: Joint.RIGHT_WRIST,
    OpenPosePoint.LEFT_SHOULDER: Joint.LEFT_SHOULDER,
    OpenPosePoint.LEFT_ELBOW: Joint.LEFT_ELBOW,
    OpenPosePoint.LEFT_WRIST: Joint.LEFT_WRIST,
}
"""Which of our joints a point is. Our spine and head have no counterpart; hips, legs, eyes and ears we do not know."""


def expression(label: str) -> str:
    """:raises ValueError: for a label that ROS4HRI has no word for here."""
    try:
        return EXPRESSIONS[label]
    except KeyError:
        raise ValueError(
            f'label {label!r} has no ROS4HRI expression; expected one of {", ".join(EXPRESSIONS)}'
        ) from None


def points(skeleton: Skeleton, width: int, height: int) -> np.ndarray:
    """The 18 points of a body in the picture.

    :param width: of the image in pixels, as `height`.
    :return: (18, 3) float32: x and y as fractions of width and height, and the confidence; all three are 0 where a
        point is unknown, hidden or outside the picture.
    """
    found = np.zeros((len(OpenPosePoint), 3), np.float32)
    for point, joint in JOINTS.items():
        x, y = skeleton.image_positions[joint] / (width, height)
        if 0 <= x <= 1 and 0 <= y <= 1:  # NaN is not
            found[point] = x, y, np.clip(np.nan_to_num(skeleton.confidences[joint]), 0, 1)
    return found
