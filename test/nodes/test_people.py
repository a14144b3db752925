# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two real people before the camera: each has a skeleton and states of their own, and it is said when one leaves."""
import pytest
from sensor_msgs.msg import Image
from support import crowd
from support.crowd import Actor, standing, walking
from support.personal import personal_checkpoint

from smern_ros import assets, msg
from smern_ros.ros import qos, topics
from smern_ros.ros.image_messages import to_image
from smern_ros.ros.messages import header, is_tracker_reset, stamp_of
from smern_ros.values import SECOND

pytestmark = [pytest.mark.ros, pytest.mark.weights]

START = 1_000 * SECOND
IN_FLIGHT = 4


@pytest.fixture
def film(shared_data):
    try:
        assets.path('pose-landmarker-full')
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    actors = Actor('walk', standing(230)), Actor('again', walking(700, 500, since=1.2))
    images = crowd.film(shared_data, 3.2, *actors)
    return [to_image(image, header(START + k * SECOND // crowd.RATE, 'camera')) for k, image in enumerate(images)]


def test_each_has_skeletons_and_states_and_one_who_leaves_is_told(probe, start_node, film, tmp_path):
    start_node('pose_estimation', {'drop_frames': False, 'track_timeout': 1.0})
    start_node('skeleton_filter', {'gesture_window': 0.5, 'gesture_period': 0.2})
    start_node('fusion', {'checkpoint': str(personal_checkpoint(tmp_path))})  # signers move unlike what was learnt
    images = probe.publisher(Image, topics.IMAGE, qos.LOSSLESS_IMAGES)
    raw = probe.collect(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    people = probe.collect(msg.SkeletonArray, topics.PEOPLE, qos.STATE)
    states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    windows = probe.collect(msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE)
    probe.wait_for_listener(images)
    probe.wait_for_speaker(topics.SKELETON_RAW, topics.PEOPLE, topics.SKELETON_WINDOW, topics.EMOTION_STATE)
    probe.wait_for(lambda: [m.skeletons for m in people] == [[]], 'word that nobody is here')
    assert is_tracker_reset(people[0])
    for sent, image in enumerate(film, start=1):
        images.publish(image)
        probe.wait_for(lambda n=sent: n - len(raw) < IN_FLIGHT, 'skeletons', timeout=60.0)
    probe.wait_for(lambda: len(raw) == len(film), 'a message for every frame')

    assert {s.person_id for m in raw for s in m.skeletons} == {'p1', 'p2'}
    here = [{s.person_id for s in m.skeletons} for m in people]
    assert here == [set(), {'p1', 'p2'}, {'p1'}] and not any(map(is_tracker_reset, people[1:]))
    left = (stamp_of(people[-1].header) - START) / SECOND
    assert 2.2 < left < 3.2
    # The images stop: nobody can be said to be here, and whoever comes late is told so.
    probe.wait_for(lambda: not people[-1].skeletons, 'word that nobody is seen', timeout=60.0)
    assert not is_tracker_reset(people[-1])
    late = probe.collect(msg.SkeletonArray, topics.PEOPLE, qos.STATE)
    probe.wait_for(lambda: late and not late[-1].skeletons, 'the last word for a late comer')

    last = max((stamp_of(w.header) for w in windows if len(w.tracks) == 2), default=0)
    probe.wait_for(lambda: {s.person_id for s in states if stamp_of(s.header) == last} == {'p1', 'p2'},
                   'a state for each')
    assert all(list(s.modalities) == ['skeleton'] and not s.is_final for s in states)
