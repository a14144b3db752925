# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The example as the process it is: states in, sentences out."""
from pathlib import Path

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from std_msgs.msg import String  # noqa: E402

from smern_ros import msg  # noqa: E402
from smern_ros.ros import qos, topics  # noqa: E402
from smern_ros.ros.messages import header  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402

SCRIPT = Path(__file__).parents[2] / 'examples/dialog_manager.py'


class Room:
    """Somebody who feels, and a robot that may say something."""

    def __init__(self, probe, start_node, **replies):
        self.probe = probe
        self.node = start_node(SCRIPT, {'max_age': 600.0, **replies})
        self.states = probe.publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
        self.heard = probe.collect(String, 'say', qos.EVIDENCE)
        probe.wait_for_listener(self.states)
        probe.wait_for_speaker('say')
        self._now_ns = probe.node.get_clock().now().nanoseconds
        probe.wait_for(self._ignored, f'it to hear; it said {self.node.output}', 60.0)

    def _ignored(self) -> bool:
        """What was felt long ago is not answered, but complained of."""
        self.feel('angry', at=-1000.0)
        return self.node.said('a state is')

    def feel(self, label, confidence=0.9, *, at=0.0, is_final=True):
        """:param at: s after the test began; up to 600 s in the past is news."""
        self.states.publish(msg.EmotionState(
            header=header(self._now_ns + round(at * SECOND), 'camera'), person_id='p1', label=label,
            confidence=confidence, is_final=is_final, modalities=['audio', 'text'],
        ))

    @property
    def said(self):
        return [message.data for message in self.heard]


def test_what_it_says_is_chosen_by_the_feeling_and_said_once(probe, start_node):
    room = Room(probe, start_node, **{'replies.happy': 'Great!', 'replies.sad': 'Oh.'})
    room.feel('happy', 0.3)
    for i in range(10):
        room.feel(('sad', 'angry')[i % 2], at=0.1 * i, is_final=False)
    room.feel('happy', at=2)
    room.feel('happy', at=3)
    room.feel('neutral', at=4)
    for i in range(5):
        room.feel('sad', at=5 + i / 2, is_final=False)
    room.feel('happy', at=12.5)
    probe.wait_for(lambda: len(room.said) >= 3, f'three answers; it said {room.node.output}', 60.0)
    assert room.said == ['Great!', 'Oh.', 'Great!']
    probe.wait_for(lambda: room.node.said('p1 is neutral (0.90, by audio, text): nothing to say'), 'its reason')
    assert room.node.stop() == 0


def test_what_was_felt_long_ago_is_not_answered(probe, start_node):
    room = Room(probe, start_node)
    room.feel('happy')
    probe.wait_for(lambda: room.said, 'an answer', 60.0)
    assert room.said == ['That sounds good! Tell me more.']  # and nothing to the anger of before


def test_a_wrong_setting_stops_it_with_the_reason(start_node):
    node = start_node(SCRIPT, {'min_confidence': 2.0})
    assert node.wait() == 2
    assert 'min_confidence is 2.0; wanted is 0 to 1' in node.output
    node = start_node(SCRIPT, {'quiet': 20})
    assert node.wait() == 2
    assert 'quiet' in node.output and 'Traceback' not in node.output
