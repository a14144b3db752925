# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A listener process: counts the images of `camera.py` and ends with the last one, or at a deadline.

Best effort loses what is sent before both ends know each other, so it says when it knows the camera.
"""
import json
import sys
import time

import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Empty

from smern_ros.ros import qos, topics
from smern_ros.ros.image_messages import to_bgr
from smern_ros.ros.messages import stamp_of
from smern_ros.values import SECOND


def main() -> int:
    rclpy.init()
    node = Node('image_counter')
    wanted = node.declare_parameter('images', 150).value
    deadline = time.monotonic() + node.declare_parameter('seconds', 60.0).value
    compressed = node.declare_parameter('compressed', False).value
    whole: list[int] = []

    def count(message: Image | CompressedImage) -> None:
        number = stamp_of(message.header) // SECOND - 1
        pixels = to_bgr(message)
        if compressed or (pixels == number % 256).all():
            whole.append(number)

    kind, topic = (CompressedImage, topics.IMAGE_COMPRESSED) if compressed else (Image, topics.IMAGE)
    images = node.create_subscription(kind, topic, count, qos.IMAGES)
    ready = node.create_publisher(Empty, 'ready', qos.STATE)
    while not images.get_publisher_count() and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.1)
    ready.publish(Empty())
    while (not whole or whole[-1] < wanted - 1) and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps({'whole': whole}), flush=True)
    rclpy.shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
