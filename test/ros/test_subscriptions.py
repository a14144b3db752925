# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What may be lost is heard reliably where it is published so, best effort where not; and loss is told."""
import re
import textwrap
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Empty

from smern_ros.ros import qos, topics
from smern_ros.ros.subscriptions import WINDOW, ArrivalCounter

pytestmark = pytest.mark.ros

SUPPORT = Path(__file__).parents[1] / 'support'
RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
EYE = textwrap.dedent("""
    import sys
    from sensor_msgs.msg import Image
    from std_msgs.msg import Empty
    from smern_ros.ros import qos, topics
    from smern_ros.ros.main import run
    from smern_ros.ros.node import SmernNode

    class Eye(SmernNode):
        NAME = 'eye'

        def load(self):
            self.seen = 0
            self.add_subscription(Image, topics.IMAGE, self.take, qos.IMAGES)

        def take(self, message):
            self.seen += 1
            print(f'image {self.seen} at {message.header.stamp.sec}', flush=True)

    sys.exit(run(Eye))
""")


@pytest.fixture
def eye(tmp_path, start_node):
    script = tmp_path / 'eye.py'
    script.write_text(EYE)
    return start_node(script)


def reliability(probe, topic=topics.IMAGE):
    """Of each subscription of the topic."""
    return [info.qos_profile.reliability for info in probe.node.get_subscriptions_info_by_topic(f'/{topic}')]


def wait_for_reliability(probe, wanted):
    probe.wait_for(lambda: reliability(probe) == [wanted], f'a subscription that is {wanted}', 30.0)


def test_every_image_of_a_reliable_driver_without_our_profile_arrives(eye, probe, start_node, monkeypatch):
    for variable in ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'):
        monkeypatch.delenv(variable, raising=False)
    start_node(SUPPORT / 'camera.py', {'images': 24, 'rate': 24.0, 'reliable': True})
    wait_for_reliability(probe, ReliabilityPolicy.RELIABLE)
    ready = probe.publisher(Empty, 'ready', qos.STATE)
    ready.publish(Empty())
    probe.wait_for(lambda: eye.said('image 24 at 24'), f'24 images; it said {eye.output}', 60.0)


def test_publishers_that_come_and_go_are_followed(eye, probe):
    wait_for_reliability(probe, ReliabilityPolicy.BEST_EFFORT)
    one = probe.publisher(Image, topics.IMAGE, RELIABLE)
    wait_for_reliability(probe, ReliabilityPolicy.RELIABLE)
    other = probe.publisher(Image, topics.IMAGE, qos.IMAGES)
    wait_for_reliability(probe, ReliabilityPolicy.BEST_EFFORT)
    probe.wait_for(lambda: other.publish(Image()) or eye.said('image 1 '), 'an image of the best-effort one')
    probe.node.destroy_publisher(other)
    wait_for_reliability(probe, ReliabilityPolicy.RELIABLE)
    probe.node.destroy_publisher(one)
    wait_for_reliability(probe, ReliabilityPolicy.BEST_EFFORT)


def test_subscriptions_may_be_made_anew_any_number_of_times(probe):
    """rclpy's events executor crashes when subscriptions with callbacks of events end: these have none."""
    from rclpy.lifecycle import LifecycleNode

    from smern_ros.ros import executor
    from smern_ros.ros.lifecycle import ManagedNode
    from smern_ros.ros.subscriptions import subscribe

    class Node(ManagedNode):
        NAME = 'restless'

    node = Node(context=probe.context)
    assert isinstance(node, LifecycleNode)
    runner = executor.create(probe.context)
    runner.add_node(node)
    publishers = [probe.publisher(Image, topics.IMAGE, profile) for profile in (RELIABLE, qos.IMAGES)]
    heard = []
    try:
        for _ in range(200):
            end = subscribe(node, Image, topics.IMAGE, heard.append, qos.IMAGES)
            for publisher in publishers:
                publisher.publish(Image())
            for _ in range(4):
                runner.spin_once(timeout_sec=0.002)
            end()
        end = subscribe(node, Image, topics.IMAGE, heard.append, qos.IMAGES)
        heard.clear()
        listen = lambda: publishers[1].publish(Image()) or runner.spin_once(timeout_sec=0.05) or heard  # noqa: E731
        probe.wait_for(listen, 'an image')
        end()
    finally:
        runner.shutdown(timeout_sec=1.0)
        node.destroy_node()


def test_a_driver_that_is_silent_and_best_effort_is_told(eye, probe):
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    probe.publisher(Image, topics.IMAGE, qos.IMAGES)
    told = r'/image_raw is published best effort, and no message has arrived yet'
    probe.wait_for(
        lambda: any(re.search(told, status.message) for array in health for status in array.status), told, 60.0
    )
    probe.wait_for(lambda: eye.said('published best effort, and no message has arrived'), 'the log to say it, too')


def feed(arrivals, numbers, looks=1):
    """The same numbers after one another, with a look after each second."""
    result = None
    for number in numbers:
        arrivals.record(b'camera', number)
    for _ in range(looks):
        result = arrivals.recent_loss()
    return result


def test_one_image_of_each_second_is_far_fewer_than_were_sent():
    arrivals = ArrivalCounter()
    for second in range(WINDOW):
        few = feed(arrivals, [24 * second])
    assert few == (WINDOW, 24 * (WINDOW - 1) + 1)
    for second in range(WINDOW, 2 * WINDOW):
        few = feed(arrivals, range(24 * second, 24 * second + 24))
    assert few is None  # now all arrive


@pytest.mark.parametrize('numbers', [
    [[k] for k in range(60)],                                                       # a slow camera, or a throttled one
    [[] if k % 7 else [k // 7] for k in range(60)],                                 # a slower one
    [[k] if k < 20 else [] if k < 50 else [k - 30] for k in range(60)],             # a replay that pauses
    [range(10 * k, 10 * k + 9) for k in range(60)],                                 # one of ten is lost
    [range(3 * k, 3 * k + 3) if k < 30 else range(3 * (k - 30), 3 * (k - 30) + 3) for k in range(60)],  # begins anew
])
def test_these_are_no_loss(numbers):
    arrivals = ArrivalCounter()
    assert [feed(arrivals, second) for second in numbers] == [None] * len(numbers)


def test_each_publisher_counts_for_itself():
    arrivals = ArrivalCounter()
    for second in range(20):
        arrivals.record(b'one', second)
        arrivals.record(b'other', 1000 + second)
        assert arrivals.recent_loss() is None
