# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pose by mmpose: 2D keypoints (RTMPose), lifted into space by a network that sees a stretch of them.

Lifters of Human3.6M answer in metres from the pelvis with the axes of the camera: x right, y down, z away from it.
They see their sequence with the current frame in the middle; what has not happened yet is the current frame repeated,
so a skeleton belongs to its own frame and waits for no later one.
"""
from __future__ import annotations

from collections import deque

import numpy as np

from smern_ros.skeleton.clothing import torso_colours
from smern_ros.skeleton.joints import FROM_H36M, DetectedBody, Gates, coco_to_h36m, mapped
from smern_ros.skeleton.mmpose_models import Detector, Lifter, PoseModel
from smern_ros.skeleton.pose import check_image
from smern_ros.skeleton.tracking import TRACK_TIMEOUT, PersonTracker, distinct
from smern_ros.spec import Joint
from smern_ros.values import SECOND, Skeleton

POSE_CONFIG = 'body_2d_keypoint/rtmpose/coco/rtmpose-m_8xb256-420e_coco-256x192.py'
LIFTER_CONFIG = 'body_3d_keypoint/video_pose_lift/h36m/video-pose-lift_tcn-27frm-supv_8xb128-160e_h36m.py'
_TELLING = [Joint.NOSE, Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER]


class MMPose:
    """A `PoseEstimator`.

    :param pose_config: of a top-down COCO-17 model, a file or a path within mmpose's configs; '': RTMPose-m.
    :param lifter_config: of a `video-pose-lift` model, likewise; '': the one that sees 27 frames.
    :param detector_config: of an mmdet model that finds people; '': the whole image is one person's box.
    :param pose_weights: checkpoint; so are `lifter_weights` and `detector_weights`.
    :param allow_random_weights: run where a checkpoint is missing; what comes out means nothing.
    :param num_poses: people to keep of those that the detector finds.
    :param gates: what is too uncertain or too small to be used.
    :param track_timeout: s that somebody may be hidden and keep the id.
    :raises ValueError: if a config or checkpoint is missing or is of another kind.
    :raises MissingLibrary: if mmpose is not installed.
    """

    def __init__(
        self,
        *,
        pose_config: str = '',
        pose_weights: str = '',
        lifter_config: str = '',
        lifter_weights: str = '',
        detector_config: str = '',
        detector_weights: str = '',
        allow_random_weights: bool = False,
        num_poses: int = 2,
        gates: Gates | None = None,
        track_timeout: float = TRACK_TIMEOUT,
    ) -> None:
        random = allow_random_weights
        self._pose = PoseModel(pose_config or POSE_CONFIG, pose_weights, random=random)
        self._lifter = Lifter(lifter_config or LIFTER_CONFIG, lifter_weights, random=random)
        self._detector = Detector(detector_config, detector_weights, random=random) if detector_config else None
        self._num_poses = num_poses
        self._gates = gates or Gates()
        self._tracker = PersonTracker(track_timeout=track_timeout)
        self._histories: dict[str, deque[tuple[int, np.ndarray]]] = {}  # id: (stamp, (17, 2) pixels), oldest first
        self._last: tuple[int, tuple[int, ...]] | None = None           # stamp and shape of the last image

    def estimate(self, image_bgr: np.ndarray, stamp_ns: int) -> list[Skeleton]:
        """See `PoseEstimator.estimate`."""
        check_image(image_bgr)
        if self._last is not None and (stamp_ns < self._last[0] or image_bgr.shape != self._last[1]):
            self._tracker.forget()
            self._histories.clear()
        self._last = stamp_ns, image_bgr.shape
        found = self._people(image_bgr)
        people = [found[k] for k in distinct(
            np.array([p.centre for p in found]), np.array([p.size for p in found]), np.array([p.score for p in found])
        )]
        ids = self._tracker.identify(
            stamp_ns, np.array([p.centre for p in people]), np.array([p.size for p in people]),
            np.array([torso_colours(image_bgr, p.image_positions) for p in people]),
        )
        self._histories = {
            person_id: history for person_id, history in self._histories.items()
            if stamp_ns - history[-1][0] <= self._tracker.track_timeout * SECOND
        }
        bodies = [(self._lifted(p, person_id, stamp_ns, image_bgr), person_id)
                  for p, person_id in zip(people, ids, strict=True)]
        bodies.sort(key=lambda pair: -pair[0].extent)
        return [b.skeleton(stamp_ns, person_id, self._gates) for b, person_id in bodies if b.passes(self._gates)]

    def adjust(self, *, gates: Gates, track_timeout: float) -> None:
        """See `PoseEstimator.adjust`."""
        self._gates, self._tracker.track_timeout = gates, track_timeout

    def close(self) -> None:
        self._histories.clear()

    def _people(self, image_bgr: np.ndarray) -> list[_Person]:
        """Everybody whose box, nose and shoulders are sure enough."""
        height, width = image_bgr.shape[:2]
        if self._detector is None:
            boxes, sure = np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32)
        else:
            boxes, sure = self._detector.boxes(image_bgr, most=self._num_poses, min_score=self._gates.min_score)
        if not len(boxes):
            return []
        keypoints, confidences = self._pose.keypoints(image_bgr, boxes)
        people = []
        for points, confidence, box_score in zip(keypoints, confidences, sure, strict=True):
            person = _Person(*coco_to_h36m(points, confidence), box_score=float(box_score))
            if person.score >= self._gates.min_score:
                people.append(person)
        return people

    def _lifted(self, person: _Person, person_id: str, stamp_ns: int, image_bgr: np.ndarray) -> DetectedBody:
        history = self._histories.setdefault(person_id, deque(maxlen=self._lifter.past))
        history.append((stamp_ns, person.joints))
        height, width = image_bgr.shape[:2]
        in_space = self._lifter.lift(np.stack([joints for _, joints in history]), width, height)
        positions, confidences = mapped(FROM_H36M, in_space, person.confidences)
        return DetectedBody(positions, person.image_positions, confidences, person.score, width)


class _Person:
    """Somebody in the image.

    :param joints: (17, 2) pixels, Human3.6M. :param confidences: (17,) 0..1.
    """

    def __init__(self, joints: np.ndarray, confidences: np.ndarray, *, box_score: float) -> None:
        self.joints, self.confidences = joints, confidences
        self.image_positions, ours = mapped(FROM_H36M, joints, confidences)     # (10, 2), (10,)
        self.score = min(box_score, float(ours[_TELLING].mean()))
        self.centre = self.image_positions[Joint.THORAX]
        across = self.image_positions[Joint.LEFT_SHOULDER] - self.image_positions[Joint.RIGHT_SHOULDER]
        up = self.image_positions[Joint.NOSE] - self.centre
        self.size = float(max(np.linalg.norm(across), np.linalg.norm(up)))      # seen from the side, shoulders are near
