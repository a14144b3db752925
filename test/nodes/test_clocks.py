# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Stamps far from now are told: the camera and this computer do not have the same time."""
import time

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402

from smern_ros import msg  # noqa: E402
from smern_ros.ros import qos, topics  # noqa: E402
from smern_ros.ros.messages import header  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402


@pytest.mark.parametrize(('ahead', 'warning'), [
    (5.0, '5.0 s ahead of the local clock'), (-0.05, ''),
    (-1.7e9, 's behind the local clock; let its driver use the system clock'),
])
def test_a_camera_on_another_clock_is_told_and_one_in_step_is_not(probe, start_node, ahead, warning):
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    skeletons = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    node = start_node('skeleton_filter')
    probe.wait_for_listener(skeletons)

    def told():
        skeletons.publish(msg.SkeletonArray(header=header(time.time_ns() + round(ahead * SECOND), 'camera')))
        statuses = [status for message in health for status in message.status]
        ages = [s for s in statuses if any(value.key == f'least age {topics.SKELETON_RAW} [s]' for value in s.values)]
        return [s for s in ages if s.level == DiagnosticStatus.WARN] if warning else ages[8:]

    last = probe.wait_for(told, 'the warning, or eight seconds without', 60.0)[-1]
    assert warning in last.message if warning else (last.level, last.message) == (DiagnosticStatus.OK, 'active')
    probe.wait_for(lambda: not warning or node.said('the local clock'), 'the log to say it, too')
    (age,) = (float(v.value) for v in last.values if v.key.startswith('least age'))
    assert age == pytest.approx(-ahead, abs=2.0)
