# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Garbage for the optional nodes at the graph's edges, as for those within it (test_fuzzing.py)."""
import array
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, String
from support import film, interfaces
from support.fuzz import survives
from support.lifecycle import Manager

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import header, skeletons_to_message, stamp_of
from smern_ros.spec import LABELS
from smern_ros.values import SECOND, Skeleton

pytestmark = [pytest.mark.faults, pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]

AFTER = 2_000 * SECOND
RATE = 16_000
VOICE, PERSON = 'humans/voices/v1', 'humans/persons/a1'


def person(stamp_ns, name):
    return Skeleton(stamp_ns, name, np.zeros((10, 3), np.float32), np.ones(10, np.float32), 0.9, 0.2,
                    np.full((10, 2), 100, np.float32))


def people(stamp_ns):
    return skeletons_to_message([person(stamp_ns, 'p1'), person(stamp_ns, 'p2')], header(stamp_ns, 'camera'))


def state(stamp_ns, name='p1'):
    return msg.EmotionState(header=header(stamp_ns, 'camera'), person_id=name, labels=list(LABELS), label='happy',
                            confidence=0.625, probabilities=[0.625, 0.125, 0.125, 0.125], is_final=True)


def test_media_source_whose_answers_are_garbage_plays_its_film(probe, start_node, tmp_path, messages):
    count = 12
    clip = film.write(tmp_path / 'film.mkv', [np.full((48, 64, 3), 20 * k, np.uint8) for k in range(count)], rate=10)
    node = start_node('media_source', {
        'media': str(clip), 'lossless': True, 'rate': 0.0, 'patience': 0.1, 'wait_timeout': 0.0,
    })
    images = probe.collect(Image, topics.IMAGE, qos.LOSSLESS_IMAGES)
    right = {
        msg.SkeletonArray: [people],
        msg.VoiceActivity: [lambda s: msg.VoiceActivity(header=header(s, 'mic'), is_speaking=True)],
        msg.Utterance: [lambda s: msg.Utterance(header=header(s, 'mic'), id='u1', state=msg.Utterance.ENDED)],
        msg.EmotionState: [state],
    }
    answers = {topics.SKELETON_RAW, topics.IS_SPEAKING, topics.UTTERANCE, topics.EMOTION_STATE}
    survives(probe, node, 'media_source', answers, right, messages, wrong=0.0)
    images.clear()
    manager = Manager(probe, 'media_source')
    manager.deactivate()
    manager.activate()
    probe.wait_for(lambda: len(images) == count, 'the whole film', 60.0)
    assert [round(image.data[0] / 20) for image in images] == list(range(count))


@pytest.mark.parametrize('kind', ['AudioData', 'AudioDataStamped'])
def test_audio_bridge(probe, start_node, give_interfaces, messages, kind):
    give_interfaces(interfaces.ROS_DRIVERS, here=True)
    from audio_common_msgs.msg import AudioData, AudioDataStamped, AudioInfo

    samples = (1000 * np.sin(np.arange(1024) / 10)).astype('<i2')

    def sound(stamp_ns):
        bare = AudioData(data=array.array('B', samples.tobytes()))
        return bare if kind == 'AudioData' else AudioDataStamped(header=header(stamp_ns, 'array'), audio=bare)

    def info(_):
        return AudioInfo(channels=1, sample_rate=RATE, sample_format='S16LE', coding_format='wave')

    node = start_node('audio_bridge', {'audio_type': kind})
    driven = {'audio/audio', 'audio/audio_info'}
    # Fast CDR reads beyond the end of some torn messages with texts in them, and no node can keep it from that
    # (docs/reliability.md).
    survives(probe, node, 'audio_bridge', driven, {type(sound(AFTER)): [sound], AudioInfo: [info]}, messages,
             lossy={'audio/audio'}, intact={AudioInfo})
    driver = probe.publisher(type(sound(AFTER)), '/audio/audio', qos.AUDIO)
    description = probe.publisher(AudioInfo, '/audio/audio_info', qos.EVIDENCE)
    heard = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    probe.wait_for_listener(driver, description)

    def passed_on():
        description.publish(info(AFTER))
        driver.publish(sound(AFTER))
        return [c for c in heard if c.data.tobytes() == samples.tobytes() and (c.sample_rate, c.channels) == (RATE, 1)
                and (stamp_of(c.header) == AFTER or kind == 'AudioData')]

    probe.wait_for(passed_on, 'sound that was right', 60.0)


def test_audio_bridge_with_the_other_package_of_that_name(messages):
    program = Path(__file__).with_name('fuzz_audio_stamped.py')
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', f'--messages={messages}', str(program)],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize('manager', ['own', 'tracked'])
def test_ros4hri_bridge(probe, start_node, give_interfaces, messages, manager):
    give_interfaces(interfaces.ROS_DRIVERS, interfaces.ROS4HRI, here=True)
    from audio_common_msgs.msg import AudioData
    from hri_msgs.msg import Expression, IdsList, LiveSpeech

    inputs = {topics.SKELETON_RAW, topics.PEOPLE, topics.EMOTION_STATE, topics.UTTERANCE,
              topics.IS_SPEAKING, 'humans/voices/tracked',
              *(f'{VOICE}/{line}' for line in ('audio', 'is_speaking', 'speech'))}
    parameters = {'persons': manager, 'take_audio': True, 'take_is_speaking': True, 'take_speech': True}
    if manager == 'own':
        parameters |= {'image_width': 640, 'image_height': 480}
    else:  # whoever manages persons says who is whose, and pictures tell their size
        inputs |= {'humans/persons/tracked', topics.IMAGE, topics.IMAGE_COMPRESSED,
                   *(f'{PERSON}/{part}_id' for part in ('face', 'body', 'voice'))}
    node = start_node('ros4hri_bridge', parameters)
    voices = probe.publisher(IdsList, '/humans/voices/tracked', qos.LATCHED)
    persons = probe.publisher(IdsList, '/humans/persons/tracked', qos.LATCHED)
    voices.publish(IdsList(ids=['v1']))
    persons.publish(IdsList(ids=['a1']))
    right = {
        msg.SkeletonArray: [people],
        msg.EmotionState: [state],
        msg.Utterance: [lambda s: msg.Utterance(header=header(s, 'mic'), id='u1', state=msg.Utterance.ENDED)],
        IdsList: [lambda s: IdsList(header=header(s, ''), ids=['v1', 'a1'])],
        AudioData: [lambda _: AudioData(data=array.array('B', bytes(1024)))],
        LiveSpeech: [lambda s: LiveSpeech(header=header(s, ''), final='I am here')],
        Bool: [lambda _: Bool(data=True)],
        String: [lambda _: String(data='p1')],
    }
    # Voices and persons come and go with the garbage in their lists, and with them their topics, and one picture is
    # enough: less than all is taken.
    lossy = {f'{VOICE}/audio', topics.IMAGE, topics.IMAGE_COMPRESSED} & inputs
    survives(probe, node, 'ros4hri_bridge', inputs, right, messages, lossy=lossy, taken=0.3)
    skeletons = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    states = probe.publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    body = probe.publisher(String, '/humans/persons/right/body_id', qos.LATCHED)
    felt = probe.collect(Expression, '/humans/persons/right/expression', qos.STREAM)
    probe.wait_for_listener(skeletons, states)

    def told():
        persons.publish(IdsList(ids=['right']))
        body.publish(String(data='right'))
        skeletons.publish(skeletons_to_message([person(AFTER, 'right')], header(AFTER, 'camera')))
        states.publish(state(AFTER, 'right'))
        return felt

    expression = probe.wait_for(told, 'the expression of somebody right', 60.0)[-1]
    assert (expression.expression, expression.confidence) == (Expression.HAPPY, 0.625)
