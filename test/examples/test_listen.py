# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The shortest listener prints what is felt."""
from pathlib import Path

import pytest

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.spec import LABELS

pytestmark = pytest.mark.ros

SCRIPT = Path(__file__).parents[2] / 'examples/listen.py'


def test_it_prints_a_line_for_each_state(probe, start_node):
    states = probe.publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    node = start_node(SCRIPT)
    probe.wait_for_listener(states)
    state = {'labels': list(LABELS), 'probabilities': [0.7, 0.1, 0.1, 0.1], 'modalities': ['audio', 'text']}
    states.publish(msg.EmotionState(person_id='p1', utterance_id='u1', is_final=True, **state))
    states.publish(msg.EmotionState(**state))
    felt = 'happy 0.70, sad 0.10, angry 0.10, neutral 0.10'
    probe.wait_for(lambda: node.said(f'p1: {felt} (final, by audio, text)')
                   and node.said(f'somebody: {felt} (movement, by audio, text)'), 'both', 60.0)
    assert node.stop() == 0
