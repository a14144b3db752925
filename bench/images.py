# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.images`: what it costs a node to be given a camera's images, and to do nothing with them."""
from __future__ import annotations

import argparse
import array
import multiprocessing
import os
import resource
import time

from bench.summary import machine, row
from smern_ros.deploy import dds

WIDTH, HEIGHT, RATE = 640, 480, 30.0
WARM_UP, COUNT = 30, 300  # images


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    os.environ.update(dds.environment(dds.LOCAL), ROS_DOMAIN_ID=str(dds.free_domain()),
                      ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST')
    print(f'machine  {machine()}\n')
    fresh = multiprocessing.get_context('spawn')
    camera = fresh.Process(target=publish, daemon=True)
    camera.start()
    for keep, name in ((False, 'fresh memory for each image'), (True, 'memory kept for the next image')):
        with fresh.Pool(1) as pool:
            row(name, f'{100 * pool.apply(take, (keep,)):5.1f} % of a core')
    camera.kill()


def publish() -> None:
    import rclpy
    from sensor_msgs.msg import Image

    from smern_ros.ros import qos, topics

    rclpy.init()
    images = rclpy.create_node('camera').create_publisher(Image, topics.IMAGE, qos.IMAGES)
    step = 3 * WIDTH
    image = Image(width=WIDTH, height=HEIGHT, encoding='bgr8', step=step, data=array.array('B', bytes(HEIGHT * step)))
    due = time.monotonic()
    while True:
        images.publish(image)
        due += 1 / RATE
        time.sleep(max(0.0, due - time.monotonic()))


def take(keep: bool) -> float:
    """:return: of a core."""
    import rclpy
    from sensor_msgs.msg import Image

    from smern_ros.ros import executor, qos, topics
    from smern_ros.utils import malloc

    if keep:
        malloc.keep_freed(malloc.IMAGES)
    came = 0

    def count(_: Image) -> None:
        nonlocal came
        came += 1

    rclpy.init()
    node, runner = rclpy.create_node('taker'), executor.create()
    node.create_subscription(Image, topics.IMAGE, count, qos.IMAGES)
    runner.add_node(node)
    while came < WARM_UP:
        runner.spin_once(timeout_sec=1.0)
    began, before = time.monotonic(), _processor()
    while came < WARM_UP + COUNT:
        runner.spin_once(timeout_sec=1.0)
    return (_processor() - before) / (time.monotonic() - began)


def _processor() -> float:
    """s of processor time that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == '__main__':
    main()
