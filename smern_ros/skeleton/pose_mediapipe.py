# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pose by MediaPipe's PoseLandmarker: 33 world landmarks of everybody in the image, on the CPU.

World landmarks are metres from the middle of the hips, x to the right of the image, y down, z away from the camera
(a nose in front of the hips has negative z): the axes of the camera's optical frame (REP-103), taken as they are.
"""
from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from smern_ros.skeleton.clothing import torso_colours
from smern_ros.skeleton.joints import FROM_MEDIAPIPE, DetectedBody, Gates, mapped
from smern_ros.skeleton.pose import MissingLibrary, check_image
from smern_ros.skeleton.tracking import TRACK_TIMEOUT, PersonTracker, distinct
from smern_ros.spec import Joint
from smern_ros.utils.file_size import require_size
from smern_ros.values import Skeleton

ASSET = 'pose-landmarker-full'
LARGEST = 256 << 20
"""Bytes of a .task file."""
_TELLING = [0, 11, 12]
"""Nose and shoulders: seen in everybody who takes part in a talk."""
_WANTED = 'give a PoseLandmarker .task file, or none for the default'
_CHATTER = re.compile(rb'INFO: Created TensorFlow Lite|WARNING: All log messages before absl|[IW]\d{4} ')


class MediaPipePose:
    """A `PoseEstimator`. Nothing is drawn, no GPU is used and nothing is sent anywhere.

    :param model: a PoseLandmarker `.task` file; None: the asset of this package.
    :param num_poses: people to look for. Each costs time, and so does looking for one who is not there.
    :param gates: what is too uncertain or too small to be used.
    :param track_timeout: s that somebody may be hidden and keep the id.
    :raises MissingAsset: if the model is not on this machine; the message says how to fetch it.
    :raises MissingLibrary: if MediaPipe, or a library that it needs, is not installed.
    """

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        num_poses: int = 2,
        gates: Gates | None = None,
        track_timeout: float = TRACK_TIMEOUT,
    ) -> None:
        if num_poses < 1:
            raise ValueError(f'num_poses is {num_poses}; it must be at least 1')
        if model is None:
            from smern_ros import assets
            model = assets.path(ASSET)
        if not Path(model).is_file():
            raise ValueError(f'no pose model at {model}: {_WANTED}')
        require_size(Path(model), LARGEST)
        self._gates = gates or Gates()
        self._tracker = PersonTracker(track_timeout=track_timeout)
        self._image, self._landmarker_class, self._options = _options(Path(model), num_poses, self._gates.min_score)
        self._anybody_yet = False
        self._landmarker: Any = None
        try:
            self._start()
        except RuntimeError as error:
            raise ValueError(f'MediaPipe cannot use the pose model {model} ({error}): {_WANTED}') from error

    def estimate(self, image_bgr: np.ndarray, stamp_ns: int) -> list[Skeleton]:
        """See `PoseEstimator.estimate`."""
        check_image(image_bgr)
        if self._landmarker is None or (
            self._last_ns is not None and (stamp_ns < self._last_ns or image_bgr.shape != self._shape)
        ):
            self._tracker.forget()
            self._start()
        bodies = [b for b in self._bodies(image_bgr, stamp_ns) if b.passes(self._gates)]
        bodies.sort(key=lambda b: -b.extent)
        centres = np.array([b.image_positions[Joint.THORAX] for b in bodies]).reshape(-1, 2)
        sizes = np.array([b.extent * b.image_width for b in bodies])
        kept = distinct(centres, sizes, np.array([b.score for b in bodies]))
        bodies = [bodies[k] for k in kept]
        colours = np.array([torso_colours(image_bgr, b.image_positions) for b in bodies])
        ids = self._tracker.identify(stamp_ns, centres[kept], sizes[kept], colours)
        return [b.skeleton(stamp_ns, person_id, self._gates) for b, person_id in zip(bodies, ids, strict=True)]

    def adjust(self, *, gates: Gates, track_timeout: float) -> None:
        """See `PoseEstimator.adjust`."""
        self._gates, self._tracker.track_timeout = gates, track_timeout

    def close(self) -> None:
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None

    def _start(self) -> None:
        """A new landmarker: it refuses a time stamp that is not after the last one."""
        self.close()
        with _library_errors(), _without_chatter():
            self._landmarker = self._landmarker_class.create_from_options(self._options)
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._shape: tuple[int, ...] = ()
        self._last_ms = -1

    def _bodies(self, image_bgr: np.ndarray, stamp_ns: int) -> list[DetectedBody]:
        import cv2

        if self._first_ns is None:
            self._first_ns = stamp_ns
        # Counted from the first frame, so that the same video at another time of day gives the same numbers.
        self._last_ms = max(self._last_ms + 1, (stamp_ns - self._first_ns) // 1_000_000)
        self._last_ns, self._shape = stamp_ns, image_bgr.shape
        image = self._image(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB))
        with nullcontext() if self._anybody_yet else _without_chatter():  # its last remark is at the first person
            result = self._landmarker.detect_for_video(image, self._last_ms)
        self._anybody_yet = self._anybody_yet or bool(result.pose_landmarks)
        height, width = image_bgr.shape[:2]
        pairs = zip(result.pose_landmarks, result.pose_world_landmarks, strict=True)
        return [_body(landmarks, world, width, height) for landmarks, world in pairs]


def _body(landmarks: list, world: list, width: int, height: int) -> DetectedBody:
    visibility = np.array([p.visibility for p in landmarks], np.float32)                            # (33,)
    presence = np.array([p.presence for p in landmarks], np.float32)                                # (33,)
    positions, confidences = mapped(FROM_MEDIAPIPE, np.array([(p.x, p.y, p.z) for p in world]), visibility)
    pixels, _ = mapped(FROM_MEDIAPIPE, np.array([(p.x * width, p.y * height) for p in landmarks]), visibility)
    score = float(np.minimum(visibility, presence)[_TELLING].mean())
    return DetectedBody(positions, pixels, confidences, score, width)


def _options(model: Path, num_poses: int, min_score: float) -> tuple[Callable, Any, Any]:
    """MediaPipe's image maker, its landmarker class and the options to create one with."""
    with _library_errors():
        import cv2  # noqa: F401  used at the first image, missed now
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model), delegate=BaseOptions.Delegate.CPU),
            running_mode=vision.RunningMode.VIDEO,
            num_poses=num_poses,
            min_pose_detection_confidence=min_score,
            min_pose_presence_confidence=min_score,
        )
        return partial(mediapipe.Image, mediapipe.ImageFormat.SRGB), vision.PoseLandmarker, options


@contextmanager
def _library_errors() -> Iterator[None]:
    """What is not installed, said for the person who can install it. MediaPipe loads its C++ part at first use."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingLibrary(f'the pose backend mediapipe needs the Python package of {error.name!r}: '
                             'pip install mediapipe==0.10.33 opencv-contrib-python==5.0.0.93') from error
    except (ImportError, OSError) as error:
        raise MissingLibrary(f'MediaPipe cannot load a system library ({error}). On Debian or Ubuntu: '
                             'apt install libgl1 libegl1 libgles2 libglib2.0-0') from error


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keeps MediaPipe's notes to its own developers from stderr, whatever else is written there passes.

    They come from C++ before its logging can be set up, so the file descriptor is the only place to stop them.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as said:
            os.dup2(said.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
                said.seek(0)
                for line in said:
                    if not _CHATTER.match(line):
                        os.write(2, line)
    finally:
        os.close(kept)
