"""pose_estimation: camera images to the joints of everybody in them."""
from __future__ import annotations

import sys
import threading
import time

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from smern_ros import msg
from smern_ros.assets import AssetError
from smern_ros.nodes import qos, topics
from smern_ros.nodes.base import ConfigurationError, SmernNode, run
from smern_ros.nodes.image_messages import to_bgr
from smern_ros.nodes.messages import skeletons_to_message, stamp_of
from smern_ros.nodes.parameters import Parameter
from smern_ros.skeleton import pose
from smern_ros.skeleton.joints import Gates
from smern_ros.skeleton.watch import IDLE_RATE, Watch
from smern_ros.values import SECOND, Skeleton

FRACTION = (0.0, 1.0)


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
        Parameter('model', '', 'mediapipe: PoseLandmarker .task file; empty: the fetched asset'),
        Parameter('num_poses', 2, 'people to look for', (1, 20)),
        Parameter('min_visibility', 0.5, 'confidence below which a joint has no position', FRACTION),
        Parameter('min_score', 0.5, 'confidence below which something is not a person', FRACTION),
        Parameter('min_extent', 0.06, 'shoulder width / image width below which a person is too far', FRACTION),
        Parameter('occlusion', 1.0, 's that somebody may be out of sight and keep the person_id', (0.0, 60.0)),
        Parameter('idle_rate', IDLE_RATE, 'frames a second that are looked at while nobody is in view, 0: all; '
                                          'the others are answered with nobody', (0.0, 240.0)),
        Parameter('transport', 'raw', f'{topics.IMAGE} or {topics.IMAGE_COMPRESSED}', choices=('raw', 'compressed')),
        Parameter('queue', 5, 'frames that may wait for the estimator', (1, 100)),
        Parameter('drop_frames', True, 'when the queue is full: true drops the oldest frame; false holds up '
                                       'the publisher, which must be reliable and wait for skeletons'),
        Parameter('mmpose.pose_config', '', 'mmpose: config of the 2D pose model; empty: RTMPose-m'),
        Parameter('mmpose.pose_weights', '', 'mmpose: its checkpoint'),
        Parameter('mmpose.lifter_config', '', 'mmpose: config of the lifter; empty: video-pose-lift, 27 frames'),
        Parameter('mmpose.lifter_weights', '', 'mmpose: its checkpoint'),
        Parameter('mmpose.detector_config', '', 'mmpose: mmdet config to find people; empty: the image is one person'),
        Parameter('mmpose.detector_weights', '', 'mmpose: its checkpoint'),
        Parameter('mmpose.allow_random_weights', False, 'mmpose: run without checkpoints; skeletons are nonsense'),
    )

    _estimator: Lease | None = None

    def load(self) -> None:
        try:
            self._estimator = Lease(pose.create(self.value('backend'), **self._options()))
        except (AssetError, pose.MissingLibrary) as error:
            raise ConfigurationError(str(error)) from error
        self.health.fact('backend', self.value('backend'))
        self._watch = Watch(self.value('idle_rate'))
        self._newest_ns = 0
        self._lossless = not self.value('drop_frames')
        self._skeletons = self.output(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
        self._worker = self.worker('estimator', capacity=self.value('queue'))
        profile = qos.LOSSLESS_IMAGES if self._lossless else qos.IMAGES
        if self.value('transport') == 'compressed':
            self.listen(CompressedImage, topics.IMAGE_COMPRESSED, self._take_image, profile)
        else:
            self.listen(Image, topics.IMAGE, self._take_image, profile)

    def unload(self) -> None:
        if self._estimator is not None:
            self._estimator.end()
            self._estimator = None

    def _options(self) -> dict:
        options = {
            'num_poses': self.value('num_poses'),
            'occlusion': self.value('occlusion'),
            'gates': Gates(**{gate: self.value(gate) for gate in ('min_visibility', 'min_score', 'min_extent')}),
        }
        if self.value('backend') == 'mediapipe':
            return options | {'model': self.value('model') or None}
        names = [p.name for p in self.PARAMETERS if p.name.startswith('mmpose.')]
        return options | {name.removeprefix('mmpose.'): self.value(name) for name in names}

    def _take_image(self, message: Image | CompressedImage) -> None:
        came = time.monotonic()
        # A job that outlives this configuration shall not touch what is the next one's.
        estimator, watch = self._estimator, self._watch
        dropped = self._worker.submit(lambda: self._estimate(estimator, watch, message, came), wait=self._lossless)
        self.health.dropped(dropped)

    def _estimate(self, estimator: Lease, watch: Watch, message: Image | CompressedImage, came: float) -> None:
        """On the worker's thread: one image, one message, with nobody in it too."""
        stamp_ns = stamp_of(message.header)
        if stamp_ns == self._newest_ns:
            raise ValueError(f'two images in a row have the stamp {stamp_ns / SECOND:.3f} s; the second is left out')
        image = to_bgr(message) if watch.wants(stamp_ns) else None  # decoding costs, too
        if stamp_ns < self._newest_ns:
            back = (self._newest_ns - stamp_ns) / SECOND
            self.complain('clock', f'camera stamps jumped back by {back:.1f} s; everybody is tracked anew')
        self._newest_ns = stamp_ns
        skeletons: list[Skeleton] | None = []
        if image is not None:
            skeletons = estimator.estimate(image, stamp_ns)
            if skeletons is None:
                return
            watch.looked(stamp_ns, anybody=bool(skeletons))
        self._skeletons.publish(skeletons_to_message(skeletons, message.header))
        self.health.took(time.monotonic() - came)
        self.health.fact('people', len(skeletons))


def main(args: list[str] | None = None) -> int:
    return run(PoseEstimationNode, args)


if __name__ == '__main__':
    sys.exit(main())
