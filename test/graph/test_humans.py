# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Voices that others tell apart and understand (REP-155), through our nodes: whoever spoke is who feels so."""
import array

import numpy as np
import pytest
from std_msgs.msg import Bool, String
from support import interfaces, speech
from support.body import STANDING

from smern_ros import assets, msg
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import header, skeletons_to_message
from smern_ros.spec import AUDIO, SKELETON, SPEC, TEXT
from smern_ros.values import SECOND, Skeleton

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]  # the first may compile messages

STEP = 0.1  # s of sound in a chunk
FRAMES = 3  # of the camera, meanwhile


def body(person_id, stamp_ns, extent):
    """Somebody who moves slowly."""
    wave = STANDING + 0.05 * np.sin(3.0 * stamp_ns / SECOND + len(person_id) + np.arange(30).reshape(10, 3))
    return Skeleton(stamp_ns, person_id, wave.astype(np.float32), np.ones(10, np.float32), 0.9, extent,
                    np.full((10, 2), 100, np.float32))


def test_who_is_said_to_speak_has_the_feeling_of_the_voice_the_words_and_the_body(probe, start_node, give_interfaces):
    try:
        spoken = speech.sentence('0930')
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    give_interfaces(interfaces.ROS4HRI, interfaces.ROS_DRIVERS, here=True)
    from audio_common_msgs.msg import AudioData, AudioDataStamped
    from hri_msgs.msg import Expression, IdsList, LiveSpeech

    start_node('fusion', {'speaker': 'external', 'text_timeout': 20.0, 'skeleton_timeout': 5.0})
    start_node('skeleton_filter')
    start_node('audio_features', {'voice_activity': 'topic'})
    start_node('ros4hri_bridge', {
        'image_width': 640, 'image_height': 480, 'audio_type': 'AudioDataStamped',
        'take_audio': True, 'take_is_speaking': True, 'take_speech': True, 'leave_after': 30.0,
    })
    skeletons = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    voices = probe.publisher(IdsList, '/humans/voices/tracked', qos.LATCHED)
    whose = probe.publisher(String, '/humans/persons/far/voice_id', qos.LATCHED)
    sound = probe.publisher(AudioDataStamped, '/humans/voices/v1/audio', qos.AUDIO)
    speaks = probe.publisher(Bool, '/humans/voices/v1/is_speaking', qos.STREAM)
    said = probe.publisher(LiveSpeech, '/humans/voices/v1/speech', qos.EVIDENCE)
    names = probe.collect(String, topics.SPEAKER, qos.LATCHED)
    ended = probe.collect(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    felt = {p: probe.collect(Expression, f'/humans/persons/{p}/expression', qos.STREAM) for p in ('near', 'far')}
    voices.publish(IdsList(ids=['v1']))
    whose.publish(String(data='v1'))

    def now() -> int:
        return probe.node.get_clock().now().nanoseconds

    def show(stamp_ns: int) -> None:
        people = [body('near', stamp_ns, 0.3), body('far', stamp_ns, 0.1)]
        skeletons.publish(skeletons_to_message(people, header(stamp_ns, 'camera')))

    def everybody_is_known() -> bool:
        show(now())
        heard = all(probe.node.count_subscribers(publisher.topic_name) for publisher in (sound, speaks, said))
        return heard and probe.node.count_publishers('/humans/persons/far/expression') > 0

    probe.wait_for(everybody_is_known, 'a line for each', 60.0)
    probe.wait_for_listener(sound, speaks, said, skeletons)
    probe.wait_for_speaker(topics.UTTERANCE, topics.EMOTION_STATE, topics.SPEAKER)

    size = int(STEP * SPEC.sample_rate)
    quiet = np.zeros(10 * size, np.float32)
    recording = np.concatenate([quiet, spoken.samples, quiet, quiet])
    begins, last = len(quiet), len(quiet) + len(spoken.samples)
    start_ns = now()
    for first in range(0, len(recording) - size, size):  # in real time, as whoever tells of speech has no stamp
        if begins <= first < begins + size or last <= first < last + size:
            speaks.publish(Bool(data=first < last))
        stamp_ns = start_ns + first * SECOND // SPEC.sample_rate
        chunk = (np.clip(recording[first:first + size], -1, 1) * 32767).astype('<i2')
        sound.publish(AudioDataStamped(
            header=header(stamp_ns, ''), audio=AudioData(data=array.array('B', chunk.tobytes()))))
        for frame in range(FRAMES):
            show(stamp_ns + frame * round(STEP * SECOND) // FRAMES)
        probe.settle(max(0.0, (stamp_ns + round(STEP * SECOND) - now()) / SECOND))
    assert names[-1].data == 'far'
    middle_ns = start_ns + (begins + last) // 2 * SECOND // SPEC.sample_rate
    said.publish(LiveSpeech(header=header(middle_ns, ''), final=spoken.text, confidence=0.9))

    final = probe.wait_for(lambda: next((s for s in states if s.is_final), None), f'a final state of {ended}', 60.0)
    assert final.person_id == 'far' and list(final.modalities) == [AUDIO, TEXT, SKELETON]
    stamp = final.header.stamp
    probe.wait_for(lambda: [e for e in felt['far'] if e.header.stamp == stamp], 'the expression of the one who spoke')
    assert not [e for e in felt['near'] if e.header.stamp == stamp]
