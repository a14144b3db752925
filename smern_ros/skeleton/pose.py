"""Images to skeletons: what every pose estimator offers, and how to make one by name."""
from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from smern_ros.skeleton.joints import Gates
from smern_ros.values import Skeleton

BACKENDS = ('mediapipe', 'mmpose')


class PoseEstimator(Protocol):
    """Finds everybody in the frames of one camera. Keeps state between frames; use it from one thread at a time."""

    def estimate(self, image_bgr: np.ndarray, stamp_ns: int) -> list[Skeleton]:
        """Everybody in the image, the nearest first; nobody is an empty list.

        Joint positions have the axes of the camera's optical frame. Ids are stable from frame to frame. A stamp
        before the last one is a clock that jumped back, another image size is another camera: tracking starts anew,
        with new ids.

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
    """A backend's software is not on this machine; the message names the package to install."""


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
