# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""pose_estimation: camera images to the joints of everybody in them."""
from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smern_ros import msg
from smern_ros.assets import AssetError
from smern_ros.media import image_encodings
from smern_ros.ros import bridged_images, qos, topics
from smern_ros.ros.image_messages import to_bgr
from smern_ros.ros.main import run
from smern_ros.ros.messages import header, skeletons_to_message, stamp_of
from smern_ros.ros.node import ConfigurationError, SmernNode
from smern_ros.ros.parameters import Parameter
from smern_ros.skeleton import pose
from smern_ros.skeleton.idle_frames import IDLE_RATE, IdleFrameSkipper
from smern_ros.skeleton.joints import Gates
from smern_ros.skeleton.pose_mediapipe import ASSET
from smern_ros.skeleton.tracking import TRACK_TIMEOUT, PresenceTracker
from smern_ros.utils import malloc
from smern_ros.values import SECOND, Skeleton

FRACTION = (0.0, 1.0)
QUIET_PERIOD = 3
"""While nobody is in view one of so many frames is answered: whoever waits for answers has more frames under way."""
BLIND_AFTER = 2.0
"""s without an image, beyond an occlusion, after which nobody is said to be here: the camera is gone."""


class Lease:
    """An estimator that is freed by who uses it last, so never under a running estimation."""

    def __init__(self, estimator: pose.PoseEstimator) -> None:
        self._estimator = estimator
        self._lock = threading.Lock()
        self._in_use = self._over = False

    def estimate(self, image: np.ndarray, stamp_ns: int) -> list[Skeleton] | None:
        """As the estimator's, from one thread at a time. :return: None if the lease is over."""
        with self._lock:
            if self._over:
                return None
            self._in_use = True
        try:
            skeletons = self._estimator.estimate(image, stamp_ns)
        finally:
            with self._lock:
                self._in_use, over = False, self._over
            if over:
                self._estimator.close()
        return None if over else skeletons

    def adjust(self, **limits: Any) -> None:
        """As the estimator's."""
        self._estimator.adjust(**limits)

    def end(self) -> None:
        """From any thread."""
        with self._lock:
            free, self._over = not (self._in_use or self._over), True
        if free:
            self._estimator.close()


class PoseEstimationNode(SmernNode):
    NAME = 'pose_estimation'
    PARAMETERS = (
        Parameter('backend', 'mediapipe', 'pose estimator', choices=pose.BACKENDS),
        Parameter('model', '', 'mediapipe: PoseLandmarker .task file; empty: the asset', path=True),
        Parameter('num_poses', 2, 'maximum number of people', (1, 20)),
        Parameter('min_visibility', 0.5, 'minimum confidence of a joint', FRACTION, live=True),
        Parameter('min_score', 0.5, 'minimum confidence of a person', FRACTION),
        Parameter(
            'min_extent', 0.06, 'minimum shoulder width / image width of a person', FRACTION, live=True
        ),
        Parameter(
            'track_timeout',
            TRACK_TIMEOUT,
            's for which a person_id is kept after its last detection',
            (0.0, 60.0),
            live=True,
        ),
        Parameter(
            'idle_rate',
            IDLE_RATE,
            'frame rate in Hz while nobody is in view; 0: all frames',
            (0.0, 240.0),
            live=True,
        ),
        Parameter('transport', 'raw', f'{topics.IMAGE} or {topics.IMAGE_COMPRESSED}', choices=('raw', 'compressed')),
        Parameter('cv_bridge', False, 'use cv_bridge for other image encodings'),
        Parameter('queue', 5, 'queue size in frames', (1, 100), live=True),
        Parameter(
            'drop_frames',
            True,
            'if the queue is full, drop the oldest frame; false: block the publisher, which must be reliable',
        ),
        Parameter('mmpose.pose_config', '', 'mmpose: config of the 2D pose model; empty: RTMPose-m', path=True),
        Parameter('mmpose.pose_weights', '', 'mmpose: checkpoint', path=True),
        Parameter(
            'mmpose.lifter_config', '', 'mmpose: config of the lifter; empty: video-pose-lift, 27 frames', path=True
        ),
        Parameter('mmpose.lifter_weights', '', 'mmpose: checkpoint', path=True),
        Parameter(
            'mmpose.detector_config',
            '',
            'mmpose: mmdet config of the person detector; empty: the image shows one person',
            path=True,
        ),
        Parameter('mmpose.detector_weights', '', 'mmpose: checkpoint', path=True),
        Parameter('mmpose.allow_random_weights', False, 'mmpose: run without checkpoints, for tests only'),
    )

    _estimator: Lease | None = None

    def load(self) -> None:
        malloc.keep_freed(malloc.IMAGES)
        try:
            self._estimator = Lease(pose.create(self.value('backend'), **self._options()))
        except (AssetError, pose.MissingLibrary) as error:
            raise ConfigurationError(str(error)) from error
        self._other_images = bridged_images.create() if self.value('cv_bridge') else None
        self._assumed: set[str] = set()  # encodings of which it was said what they are taken for
        self.health.set_info('model', ' '.join(filter(None, (self.value('backend'), self._model()))))
        self._watch = IdleFrameSkipper(self.value('idle_rate'))
        self._newest_ns = 0
        self._untold = 0  # frames since the last that was answered
        self._lossless = not self.value('drop_frames')
        self._presence = PresenceTracker()
        self._frame_id = ''  # the camera's
        self._came_at = time.monotonic()  # the newest image
        self._skeletons = self.output(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
        self._people = self.output(msg.SkeletonArray, topics.PEOPLE, qos.STATE)
        self._worker = self.worker('estimator', capacity=self.value('queue'))
        profile = qos.LOSSLESS_IMAGES if self._lossless else qos.IMAGES
        if self.value('transport') == 'compressed':
            self.listen(CompressedImage, topics.IMAGE_COMPRESSED, self._take_image, profile)
        else:
            self.listen(Image, topics.IMAGE, self._take_image, profile)
        self.every(0.5, self._notice_blindness)

    def start(self) -> None:
        self.after(0.0, self._tell_that_nobody_is_here)

    def stop(self) -> None:
        self._tell_that_nobody_is_here()

    def reconfigure(self) -> None:
        self._worker.capacity = self.value('queue')
        self._watch = IdleFrameSkipper(self.value('idle_rate'))
        if self._estimator is not None:
            self._estimator.adjust(gates=self._gates(), track_timeout=self.value('track_timeout'))

    def unload(self) -> None:
        if self._estimator is not None:
            self._estimator.end()
            self._estimator = None

    def _options(self) -> dict:
        options = {
            'num_poses': self.value('num_poses'),
            'track_timeout': self.value('track_timeout'),
            'gates': self._gates(),
        }
        if self.value('backend') == 'mediapipe':
            return options | {'model': self.value('model') or None}
        names = [p.name for p in self.PARAMETERS if p.name.startswith('mmpose.')]
        return options | {name.removeprefix('mmpose.'): self.value(name) for name in names}

    def _gates(self) -> Gates:
        return Gates(**{gate: self.value(gate) for gate in ('min_visibility', 'min_score', 'min_extent')})

    def _model(self) -> str:
        """What the skeletons come of: the file, or the asset that the manifest pins."""
        if self.value('backend') == 'mediapipe':
            return self.value('model') or ASSET
        files = (self.value('mmpose.pose_weights'), self.value('mmpose.lifter_weights'))
        return ' + '.join(Path(file).name for file in files if file) or 'random weights'

    def _take_image(self, message: Image | CompressedImage) -> None:
        came = self._came_at = time.monotonic()
        # A job that outlives this configuration shall not touch what is the next one's.
        estimator, watch = self._estimator, self._watch
        if estimator is None:
            return
        if not self._lossless and self._worker.idle and self._is_uninteresting(stamp_of(message.header)):
            return
        dropped = self._worker.submit(lambda: self._estimate(estimator, watch, message, came), wait=self._lossless)
        self.health.dropped(dropped)

    def _is_uninteresting(self, stamp_ns: int) -> bool:
        """While nobody is in view, and the worker is idle, so that this is known. Some are answered all the same."""
        if stamp_ns <= self._newest_ns or self._untold + 1 == QUIET_PERIOD or self._watch.wants(stamp_ns):
            self._untold = 0
            return False
        self._newest_ns = stamp_ns
        self._untold += 1
        return True

    def _estimate(
        self, estimator: Lease, watch: IdleFrameSkipper, message: Image | CompressedImage, came: float
    ) -> None:
        """On the worker's thread: one image, one message, with nobody in it too. Whoever waits for each gets it."""
        stamp_ns = stamp_of(message.header)
        if stamp_ns == self._newest_ns:
            raise ValueError(f'two images have the same stamp {stamp_ns / SECOND:.3f} s; dropping the second')
        image = self._read(message) if watch.wants(stamp_ns) else None  # decoding costs, too
        if stamp_ns < self._newest_ns:
            back = (self._newest_ns - stamp_ns) / SECOND
            self.log_error('clock', f'camera stamps jumped back by {back:.1f} s; resetting the tracker')
        self._newest_ns = stamp_ns
        skeletons: Sequence[Skeleton] = []
        if image is not None:
            found = estimator.estimate(image, stamp_ns)
            if found is None:
                return
            skeletons = found
            watch.looked(stamp_ns, anybody=bool(skeletons))
        self._skeletons.publish(skeletons_to_message(skeletons, message.header))
        self.health.record_latency(time.monotonic() - came)
        self.health.set_info('people', len(skeletons))
        self._frame_id = message.header.frame_id
        here = self._presence.see(stamp_ns, skeletons, track_timeout=self.value('track_timeout'))
        if here is not None:
            self._tell_who_is_here(here, message.header)

    def _read(self, message: Image | CompressedImage) -> np.ndarray:
        assumed = None if isinstance(message, CompressedImage) else image_encodings.assumed(message.encoding)
        if assumed is not None and message.encoding not in self._assumed:
            self._assumed.add(message.encoding)
            self.get_logger().warning(f'image encoding {message.encoding} is ambiguous; assuming {assumed}')
        return to_bgr(message, other=self._other_images)

    # --- who is here ------------------------------------------------------------------------------------------

    def _notice_blindness(self) -> None:
        """Nobody can be said to be here when no image has come for longer than somebody may be out of sight."""
        if self._presence.anybody and time.monotonic() - self._came_at > self.value('track_timeout') + BLIND_AFTER:
            self._worker.submit(self._tell_that_nobody_is_here)

    def _tell_that_nobody_is_here(self) -> None:
        """Without a time if no camera was looked through yet: whoever was here before a restart has another id now."""
        self._presence.forget()
        now_ns = self.get_clock().now().nanoseconds if self._newest_ns else 0
        self._tell_who_is_here([], header(now_ns, self._frame_id))

    def _tell_who_is_here(self, here: list[Skeleton], noticed: Header) -> None:
        message = skeletons_to_message(here, noticed)
        for one, skeleton in zip(message.skeletons, here, strict=True):  # who is out of sight was seen before
            one.header = header(skeleton.stamp_ns, noticed.frame_id)
        self._people.publish(message)


def main(args: list[str] | None = None) -> int:
    return run(PoseEstimationNode, args)


if __name__ == '__main__':
    sys.exit(main())
