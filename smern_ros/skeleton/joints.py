# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mapping of the joints of pose estimators to the ten joints of the spec.

A mapping is a matrix of weights: each row is one of our joints as the mean of some source joints, with the lowest of
their confidences. "Left" is the person's own left.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from smern_ros.spec import Joint
from smern_ros.values import Skeleton


@dataclass(frozen=True, kw_only=True)
class Gates:
    """Minimum confidences and size of people and joints that are used."""

    min_visibility: float = 0.5  # 0..1, of a joint
    min_score: float = 0.5       # 0..1, of a person
    min_extent: float = 0.06     # shoulder width / image width; 0.06 is a grown-up at 6 m in a 60 degree camera

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f'{name} is {value}; expected 0 to 1')


_TORSO_AND_HEAD = [
    Joint.SPINE, Joint.THORAX, Joint.NOSE, Joint.HEAD, Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER,
]


def _mapping(rows: Mapping[int, Sequence[int]], *, columns: int) -> np.ndarray:
    """(rows, columns) float32; a source named twice weighs twice."""
    matrix = np.zeros((len(rows), columns), np.float32)
    for row, sources in rows.items():
        for source in sources:
            matrix[row, source] += 1 / len(sources)
    return matrix


FROM_MEDIAPIPE = _mapping({
    Joint.SPINE: (11, 12, 23, 24),   # midpoint of thorax and mid-hips
    Joint.THORAX: (11, 12),          # midpoint of the shoulders
    Joint.NOSE: (0,),
    Joint.HEAD: (7, 8),              # midpoint of the ears
    Joint.LEFT_SHOULDER: (11,), Joint.LEFT_ELBOW: (13,), Joint.LEFT_WRIST: (15,),
    Joint.RIGHT_SHOULDER: (12,), Joint.RIGHT_ELBOW: (14,), Joint.RIGHT_WRIST: (16,),
}, columns=33)
"""(10, 33) our joints from MediaPipe's pose landmarks."""

FROM_H36M = _mapping({joint: (7 + joint,) for joint in Joint}, columns=17)
"""(10, 17) our joints are Human3.6M's 7 to 16 in the same order, left arm before right."""

H36M_FROM_COCO = _mapping({
    0: (11, 12),                     # pelvis: midpoint of the hips
    1: (12,), 2: (14,), 3: (16,),    # right hip, knee, ankle
    4: (11,), 5: (13,), 6: (15,),    # left hip, knee, ankle
    7: (5, 6, 11, 12),               # spine: midpoint of thorax and pelvis
    8: (5, 6),                       # thorax: midpoint of the shoulders
    9: (0,),                         # neck base: the nose
    10: (1, 2),                      # head: midpoint of the eyes
    11: (5,), 12: (7,), 13: (9,),    # left shoulder, elbow, wrist
    14: (6,), 15: (8,), 16: (10,),   # right shoulder, elbow, wrist
}, columns=17)
"""(17, 17) Human3.6M joints from COCO keypoints, as mmpose's `convert_keypoint_definition` makes a lifter's input."""


def mapped(mapping: np.ndarray, points: np.ndarray, confidences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints as means of other joints.

    :param mapping: (M, N) one of the matrices of this module.
    :param points: (N, D) in any unit and frame.
    :param confidences: (N,) 0..1.
    :return: (M, D) float32 in the same unit and frame, and (M,) float32, the least confidence among each row's sources.
    :raises ValueError: if the number of points or confidences is not the mapping's.
    """
    points, confidences = np.asarray(points, np.float32), np.asarray(confidences, np.float32)
    sources = mapping.shape[1]
    if points.ndim != 2 or len(points) != sources or confidences.shape != (sources,):
        raise ValueError(
            f'this skeleton has {sources} joints: points must be ({sources}, D) and confidences ({sources},), '
            f'got {points.shape} and {confidences.shape}'
        )
    return mapping @ points, np.where(mapping > 0, confidences, np.inf).min(axis=1).astype(np.float32)


def coco_to_h36m(points: np.ndarray, confidences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """COCO-17 keypoints as the Human3.6M-17 joints that `video-pose-lift` was trained on; see `mapped`."""
    return mapped(H36M_FROM_COCO, points, confidences)


@dataclass(frozen=True, eq=False)
class DetectedBody:
    """One person of a pose estimator, before gates and tracking."""

    positions: np.ndarray        # (10, 3) metres, any origin, optical axes: x right, y down, z away from the camera
    image_positions: np.ndarray  # (10, 2) pixels
    confidences: np.ndarray      # (10,) 0..1
    score: float                 # 0..1, that this is a person
    image_width: int             # pixels

    @cached_property
    def extent(self) -> float:
        """The shoulder width that the person would show if turned to the camera, as a fraction of the image width.

        Image and space are compared over torso and head (the scale of a weak perspective), so that somebody seen
        from the side does not look far away.
        """
        space = self.positions[_TORSO_AND_HEAD, :2]
        image = self.image_positions[_TORSO_AND_HEAD]
        spread = float(np.linalg.norm(space - space.mean(axis=0)))
        if spread < 1e-6:
            return 0.0
        pixels_per_metre = float(np.linalg.norm(image - image.mean(axis=0))) / spread
        shoulders = self.positions[Joint.LEFT_SHOULDER] - self.positions[Joint.RIGHT_SHOULDER]
        return pixels_per_metre * float(np.linalg.norm(shoulders)) / self.image_width

    def passes(self, gates: Gates) -> bool:
        """Whether score and extent are above the limits."""
        return self.score >= gates.min_score and self.extent >= gates.min_extent

    def skeleton(self, stamp_ns: int, person_id: str, gates: Gates) -> Skeleton:
        """Thorax at the origin; joints that were hardly seen have NaN positions, their confidence as measured."""
        hidden = ~(self.confidences >= gates.min_visibility)  # a NaN confidence hides, too
        positions = (self.positions - self.positions[Joint.THORAX]).astype(np.float32)
        image_positions = self.image_positions.astype(np.float32)
        positions[hidden] = np.nan
        image_positions[hidden] = np.nan
        return Skeleton(
            stamp_ns=stamp_ns, person_id=person_id, positions=positions,
            confidences=self.confidences.astype(np.float32), score=float(self.score), extent=self.extent,
            image_positions=image_positions, origin=-self.positions[Joint.THORAX].astype(np.float32),
        )
