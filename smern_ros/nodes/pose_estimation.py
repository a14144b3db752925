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
        self._assumed: set[str] = set()  # ambiguous encodings that were logged
        self.health.set_info('model', ' '.join(filter(None, (self.value('backend'), self._model()))))
        self._skipper = IdleFrameSkipper(self.value('idle_rate'))
        self._newest_ns = 0
        self._skipped = 0  # frames since the last submitted one
        self._lossless = not self.value('drop_frames')
        self._presence = PresenceTracker()
        self._frame_id = ''  # the camera's
        self._image_received_at = time.monotonic()  # s, steady clock; the newest image
        self._skeletons = self.add_publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
        self._people = self.add_publisher(msg.SkeletonArray, topics.PEOPLE, qos.STATE)
        self._worker = self.worker('estimator', capacity=self.value('queue'))
        profile = qos.LOSSLESS_IMAGES if self._lossless else qos.IMAGES
        if self.value('transport') == 'compressed':
            self.add_subscription(CompressedImage, topics.IMAGE_COMPRESSED, self._on_image, profile)
        else:
            self.add_subscription(Image, topics.IMAGE, self._on_image, profile)
        self.add_timer(0.5, self._check_images)

    def start(self) -> None:
        self.call_later(0.0, self._publish_nobody)

    def stop(self) -> None:
        self._publish_nobody()

    def reconfigure(self) -> None:
        self._worker.capacity = self.value('queue')
        self._skipper = IdleFrameSkipper(self.value('idle_rate'))
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
        """File or asset of the pose model, for the diagnostics."""
        if self.value('backend') == 'mediapipe':
            return self.value('model') or ASSET
        files = (self.value('mmpose.pose_weights'), self.value('mmpose.lifter_weights'))
        return ' + '.join(Path(file).name for file in files if file) or 'random weights'

    def _on_image(self, message: Image | CompressedImage) -> None:
        received_at = self._image_received_at = time.monotonic()
        # A job that outlives this configuration must not use the estimator of the next one.
        estimator, skipper = self._estimator, self._skipper
        if estimator is None:
            return
        if not self._lossless and self._worker.idle and self._is_idle_frame(stamp_of(message.header)):
            return
        dropped = self._worker.submit(
            lambda: self._estimate(estimator, skipper, message, received_at), wait=self._lossless
        )
        self.health.dropped(dropped)

    def _is_idle_frame(self, stamp_ns: int) -> bool:
        """Whether to skip the frame: nobody is in view. Every `QUIET_PERIOD`-th one is submitted all the same."""
        if stamp_ns <= self._newest_ns or self._skipped + 1 == QUIET_PERIOD or self._skipper.should_process(stamp_ns):
            self._skipped = 0
            return False
        self._newest_ns = stamp_ns
        self._skipped += 1
        return True

    def _estimate(
        self, estimator: Lease, skipper: IdleFrameSkipper, message: Image | CompressedImage, received_at: float
    ) -> None:
        """On the worker's thread: publishes one message for each image, also without any skeleton."""
        stamp_ns = stamp_of(message.header)
        if stamp_ns == self._newest_ns:
            raise ValueError(f'two images have the same stamp {stamp_ns / SECOND:.3f} s; dropping the second')
        image = self._read(message) if skipper.should_process(stamp_ns) else None  # decoding costs, too
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
            skipper.record_processed(stamp_ns, anybody=bool(skeletons))
        self._skeletons.publish(skeletons_to_message(skeletons, message.header))
        self.health.record_latency(time.monotonic() - received_at)
        self.health.set_info('people', len(skeletons))
        self._frame_id = message.header.frame_id
        present = self._presence.update(stamp_ns, skeletons, track_timeout=self.value('track_timeout'))
        if present is not None:
            self._publish_people(present, message.header)

    def _read(self, message: Image | CompressedImage) -> np.ndarray:
        assumed = None if isinstance(message, CompressedImage) else image_encodings.assumed(message.encoding)
        if assumed is not None and message.encoding not in self._assumed:
            self._assumed.add(message.encoding)
            self.get_logger().warning(f'image encoding {message.encoding} is ambiguous; assuming {assumed}')
        return to_bgr(message, other=self._other_images)

    # --- people -----------------------------------------------------------------------------------------------

    def _check_images(self) -> None:
        """Publish an empty list of people after no image was received for `track_timeout` and `BLIND_AFTER`."""
        silent_for = time.monotonic() - self._image_received_at
        if self._presence.anybody and silent_for > self.value('track_timeout') + BLIND_AFTER:
            self._worker.submit(self._publish_nobody)

    def _publish_nobody(self) -> None:
        """Publish an empty list of people; with stamp 0 before the first image. Ids do not outlive a restart."""
        self._presence.forget()
        now_ns = self.get_clock().now().nanoseconds if self._newest_ns else 0
        self._publish_people([], header(now_ns, self._frame_id))

    def _publish_people(self, present: list[Skeleton], stamp: Header) -> None:
        message = skeletons_to_message(present, stamp)
        for one, skeleton in zip(message.skeletons, present, strict=True):  # hidden people keep their last stamp
            one.header = header(skeleton.stamp_ns, stamp.frame_id)
        self._people.publish(message)


def main(args: list[str] | None = None) -> int:
    return run(PoseEstimationNode, args)


if __name__ == '__main__':
    sys.exit(main())
