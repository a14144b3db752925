"""Stamps of the future are told: the computer with the camera and this one do not have the same time."""
import time

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402

from smern_ros import msg  # noqa: E402
from smern_ros.nodes import qos, topics  # noqa: E402
from smern_ros.nodes.messages import header  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402


@pytest.mark.parametrize('ahead', [5.0, -0.05])
def test_a_camera_whose_clock_is_ahead_is_told_and_one_in_step_is_not(probe, start_node, ahead):
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    skeletons = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    start_node('skeleton_filter')
    probe.wait_for_listener(skeletons)

    def told():
        skeletons.publish(msg.SkeletonArray(header=header(time.time_ns() + round(ahead * SECOND), 'camera')))
        statuses = [status for message in health for status in message.status]
        return [s for s in statuses if any(value.key == f'least age {topics.SKELETON_RAW} [s]' for value in s.values)]

    first = probe.wait_for(told, 'the age of what was heard', 60.0)[0]
    assert ('ahead of the clock' in first.message) == (ahead > 0)
    assert ahead < 0 or first.level == DiagnosticStatus.WARN
    (age,) = (float(v.value) for v in first.values if v.key.startswith('least age'))
    assert age == pytest.approx(-ahead, abs=2.0)
