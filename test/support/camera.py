# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera process: 640x480 images at a steady rate to whoever listens, as a driver publishes them."""
import contextlib
import sys

import numpy as np
import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Empty, Header

from smern_ros.ros import qos, topics
from smern_ros.ros.image_messages import to_compressed, to_image
from smern_ros.ros.messages import to_time
from smern_ros.values import SECOND


class Camera(Node):
    """Raw image number n has the stamp n + 1 seconds and every pixel n % 256; a compressed one shows noise.

    It waits for a listener to be ready.
    """

    def __init__(self) -> None:
        super().__init__('camera')
        self._left = self.declare_parameter('images', 150).value
        self._number = 0
        self._compressed = self.declare_parameter('compressed', False).value
        kind, topic = (CompressedImage, topics.IMAGE_COMPRESSED) if self._compressed else (Image, topics.IMAGE)
        reliable = self.declare_parameter('reliable', False).value
        self._publisher = self.create_publisher(kind, topic, qos.LOSSLESS_IMAGES if reliable else qos.IMAGES)
        self._noise = np.random.default_rng(0).integers(0, 60, (480, 640, 3), dtype=np.uint8)
        rate = self.declare_parameter('rate', 30.0).value
        self._ready = False
        self.create_subscription(Empty, 'ready', self._begin, qos.STATE)
        self.create_timer(1 / rate, self._shoot, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _begin(self, _: Empty) -> None:
        self._ready = True

    def _shoot(self) -> None:
        if not (self._ready and self._left and self._publisher.get_subscription_count()):
            return
        header = Header(stamp=to_time((self._number + 1) * SECOND))
        if self._compressed:
            self._publisher.publish(to_compressed(self._noise, header))
        else:
            self._publisher.publish(to_image(np.full((480, 640, 3), self._number % 256, np.uint8), header))
        self._number += 1
        self._left -= 1
        if not self._left:
            print('all sent', flush=True)


def main() -> int:
    rclpy.init()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Camera())
    return 0


if __name__ == '__main__':
    sys.exit(main())
