# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Interface and factory of the pose estimators."""
from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from smern_ros.skeleton.joints import Gates
from smern_ros.values import Skeleton

BACKENDS = ('mediapipe', 'mmpose')


class PoseEstimator(Protocol):
    """Estimates the skeletons in the frames of one camera. Keeps state between frames. Not thread-safe."""

    def estimate(self, image_bgr: np.ndarray, stamp_ns: int) -> list[Skeleton]:
        """Estimate the skeletons of all people, the nearest first.

        Positions are in metres from the thorax, with the axes of the camera's optical frame (REP-103). Ids are stable
        from frame to frame; a stamp that jumps back or another image size restarts tracking with new ids.

        :param image_bgr: (H, W, 3) uint8.
        :raises ValueError: if the image has another shape or type.
        """
        ...

    def adjust(self, *, gates: Gates, track_timeout: float) -> None:
        """Other limits, from the next image on; from any thread. `gates.min_score` below that of the start finds nobody
        more: the network itself looks no further."""
        ...

    def close(self) -> None:
        """Frees the model. May be called twice."""
        ...


class MissingLibrary(ImportError):
    """A package of the backend is not installed; the message names it."""


def create(backend: str, **options: Any) -> PoseEstimator:
    """
    :param backend: 'mediapipe' (see `pose_mediapipe.MediaPipePose`) or 'mmpose' (see `pose_mmpose.MMPose`).
    :param options: of that class.
    :raises ValueError: if there is no such backend or an option is wrong.
    :raises MissingLibrary: if its software is not installed.
    """
    if backend == 'mediapipe':
        from smern_ros.skeleton.pose_mediapipe import MediaPipePose
        return MediaPipePose(**options)
    if backend == 'mmpose':
        from smern_ros.skeleton.pose_mmpose import MMPose
        return MMPose(**options)
    raise ValueError(f'unknown pose backend {backend!r}; expected one of {", ".join(BACKENDS)}')


def check_image(image_bgr: np.ndarray) -> None:
    """:raises ValueError: unless the image is (H, W, 3) uint8 and not empty."""
    if image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.dtype != np.uint8 or image_bgr.size == 0:
        raise ValueError(f'expected a BGR image (H, W, 3) uint8, got {image_bgr.shape} {image_bgr.dtype}')
