# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the graph publishes is written line by line, and the recorder knows when the last state has come."""
import json
import math
import os

import numpy as np
import pytest

from smern_ros.demo.recording import StateRecord
from smern_ros.spec import LABELS
from smern_ros.values import SECOND

pytestmark = pytest.mark.ros
START, END = 1_000 * SECOND, 1_002 * SECOND


@pytest.fixture
def graph(probe):
    """A publisher for each topic of the graph."""
    from sensor_msgs.msg import Image
    from std_msgs.msg import Bool

    from smern_ros import msg
    from smern_ros.ros import qos, topics

    return {topic: probe.publisher(message_type, topic, profile) for message_type, topic, profile in (
        (msg.EmotionState, topics.EMOTION_STATE, qos.STATE), (msg.Utterance, topics.UTTERANCE, qos.EVIDENCE),
        (msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE), (msg.VoiceActivity, topics.IS_SPEAKING, qos.STREAM),
        (msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM), (Image, topics.IMAGE, qos.LOSSLESS_IMAGES),
        (Bool, topics.MEDIA_FINISHED, qos.STATE),
    )}


@pytest.fixture
def said():
    """The final words of each utterance."""
    return []


@pytest.fixture
def recorder(probe, graph, said, tmp_path):
    from smern_ros.demo.recorder import DemoRecorder

    recorder = DemoRecorder(
        tmp_path / 'states.jsonl', on_state=lambda state: None, on_words=said.append,
        domain_id=int(os.environ['ROS_DOMAIN_ID']),
    )
    recorder.spin_until(lambda: recorder.has_all_publishers, timeout=20)
    probe.wait_for_listener(*graph.values())
    yield recorder
    recorder.close()


def state(**fields):
    from smern_ros import msg
    from smern_ros.ros.messages import header, to_floats, to_time

    return msg.EmotionState(**{
        'header': header(END, 'camera'), 'person_id': 'p1', 'utterance_id': 'u1', 'window_start': to_time(START),
        'window_end': to_time(END), 'is_final': True, 'labels': list(LABELS),
        'probabilities': to_floats(np.array([0.1, 0.7, 0.15, 0.05])), 'label': 'sad', 'confidence': 0.7,
        'modalities': ['audio', 'text'], 'modality_weights': [0.4, 0.6], 'modality_ages': [0.0, 0.1],
        'modality_probabilities': [0.25] * 8, 'latency': 0.05, 'model': 'open-v3', **fields,
    })


def utterance(message_state):
    from smern_ros.ros.messages import utterance_to_message
    from smern_ros.values import Utterance

    return utterance_to_message(Utterance('u1', START, END, np.zeros(16, np.float32)), message_state, END, 'mic')


def test_each_state_is_a_line_with_every_field_at_once(graph, recorder, tmp_path):
    from smern_ros import msg

    sent = state(latency=math.nan, person_id='„Ä\n"')
    graph['emotion_state'].publish(sent)
    assert recorder.spin_until(lambda: recorder.recording.finals, timeout=10)
    (line,) = (tmp_path / 'states.jsonl').read_text('utf-8').splitlines()
    fields = json.loads(line)
    assert list(fields) == list(msg.EmotionState.get_fields_and_field_types())
    assert fields['probabilities'] == [0.1, 0.7, 0.15, 0.05]  # as short as float32 needs, not 0.10000000149
    assert fields['latency'] is None
    assert fields['person_id'] == sent.person_id
    assert fields['window_end'] == {'sec': 1002, 'nanosec': 0}
    assert StateRecord.from_json(fields).alone == ((0.25,) * 4,) * 2


def test_it_is_settled_only_when_the_ended_utterance_has_its_final_state(graph, recorder):
    from smern_ros import msg

    assert recorder.is_settled
    graph['speech/utterance'].publish(utterance(msg.Utterance.TENTATIVE))
    assert recorder.spin_until(lambda: not recorder.is_settled, timeout=10)
    graph['speech/utterance'].publish(utterance(msg.Utterance.ENDED))
    assert recorder.spin_until(lambda: recorder.recording.utterances, timeout=10)
    assert not recorder.is_settled
    graph['emotion_state'].publish(state(is_final=False))
    graph['emotion_state'].publish(state())
    assert recorder.spin_until(lambda: recorder.is_settled, timeout=10)


def test_a_final_state_that_overtakes_the_end_of_its_utterance_is_not_awaited(graph, recorder):
    from smern_ros import msg

    graph['emotion_state'].publish(state())
    assert recorder.spin_until(lambda: recorder.recording.finals, timeout=10)
    graph['speech/utterance'].publish(utterance(msg.Utterance.ENDED))
    assert recorder.spin_until(lambda: recorder.recording.utterances, timeout=10)
    assert recorder.is_settled


def test_words_are_told_once_when_they_are_final(graph, recorder, said):
    from smern_ros.ros.messages import transcript_to_message
    from smern_ros.values import Transcript

    for text, is_final in (('he was', False), ('he was not', True)):
        words = Transcript('u1', START, END, text)
        graph['speech/transcript'].publish(transcript_to_message(words, 'mic', is_final=is_final))
    assert recorder.spin_until(lambda: said, timeout=10)
    assert [one.text for one in said] == ['he was not']
    assert recorder.recording.transcripts['u1'].text == 'he was not'


def test_a_picture_gets_the_skeleton_of_its_own_stamp(graph, recorder):
    from smern_ros import msg
    from smern_ros.ros.image_messages import to_image
    from smern_ros.ros.messages import header

    for i in range(3):
        stamp = header(START + i * SECOND // 10, 'camera')
        graph['image_raw'].publish(to_image(np.full((60, 80, 3), 50 * i, np.uint8), stamp))
    assert recorder.spin_until(lambda: len(recorder.recording.pictures) == 3, timeout=10)
    points = np.array([(8.0 * i, 30.0) for i in range(10)], np.float32)
    points[9] = math.nan
    stamp = header(START + SECOND // 10, 'camera')
    body = msg.Skeleton(header=stamp, person_id='p1', image_positions=points.reshape(-1))
    graph['skeleton/raw'].publish(msg.SkeletonArray(header=stamp, skeletons=[body]))
    assert recorder.spin_until(lambda: recorder.recording.frames, timeout=10)
    before, shown, after = recorder.recording.pictures
    assert (before.bodies, after.bodies) == (None, None)  # nobody has looked at them yet
    assert shown.bodies[0].points[5] == (0.5, 0.5)
    assert shown.bodies[0].points[9] is None
    assert (shown.width, shown.height) == (80, 60)


def test_the_end_of_the_media_is_heard(graph, recorder):
    from std_msgs.msg import Bool

    assert not recorder.finished
    graph['media/finished'].publish(Bool(data=True))
    assert recorder.spin_until(lambda: recorder.finished, timeout=10)
