"""Garbage for the optional nodes at the graph's edges, as for those within it (test_fuzzing.py)."""
import array

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Bool
from support import film, interfaces
from support.fuzz import survives
from support.lifecycle import Manager

from smern_ros import msg
from smern_ros.nodes import qos, topics
from smern_ros.nodes.messages import header, skeletons_to_message, stamp_of
from smern_ros.spec import LABELS
from smern_ros.values import SECOND, Skeleton

pytestmark = [pytest.mark.faults, pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]

AFTER = 2_000 * SECOND
RATE = 16_000
VOICE = 'humans/voices/v1'


@pytest.fixture(scope='module')
def audio_common():
    """The messages of ros-drivers, compiled, and importable here."""
    package = interfaces.Interfaces(interfaces.ROS_DRIVERS)
    package.load()
    return package


@pytest.fixture(scope='module')
def ros4hri():
    package = interfaces.Interfaces(interfaces.ROS4HRI)
    package.load()
    return package


@pytest.fixture
def found(monkeypatch):
    """Such packages are found by the nodes that are started, too."""
    def find(*packages):
        for name, value in (item for package in packages for item in package.environment.items()):
            monkeypatch.setenv(name, value)

    return find


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


def test_audio_bridge(probe, start_node, audio_common, found, messages):
    from audio_common_msgs.msg import AudioDataStamped, AudioInfo

    found(audio_common)
    samples = (1000 * np.sin(np.arange(1024) / 10)).astype('<i2')

    def sound(stamp_ns):
        message = AudioDataStamped(header=header(stamp_ns, 'array'))
        message.audio.data = array.array('B', samples.tobytes())
        return message

    def info(_):
        return AudioInfo(channels=1, sample_rate=RATE, sample_format='S16LE', coding_format='wave')

    node = start_node('audio_bridge', {'audio_type': 'AudioDataStamped'})
    driven = {'audio/audio', 'audio/audio_info'}
    survives(probe, node, 'audio_bridge', driven, {AudioDataStamped: [sound], AudioInfo: [info]}, messages,
             lossy={'audio/audio'})
    driver = probe.publisher(AudioDataStamped, '/audio/audio', qos.AUDIO)
    description = probe.publisher(AudioInfo, '/audio/audio_info', qos.EVIDENCE)
    heard = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    probe.wait_for_listener(driver, description)

    def passed_on():
        description.publish(info(AFTER))
        driver.publish(sound(AFTER))
        return [c for c in heard if stamp_of(c.header) == AFTER and (c.sample_rate, c.channels) == (RATE, 1)]

    chunk = probe.wait_for(passed_on, 'sound that was right', 60.0)[-1]
    np.testing.assert_array_equal(np.frombuffer(chunk.data, '<i2'), samples)


def test_ros4hri_bridge(probe, start_node, audio_common, ros4hri, found, messages):
    from audio_common_msgs.msg import AudioData
    from hri_msgs.msg import Expression, IdsList, LiveSpeech

    found(audio_common, ros4hri)
    node = start_node('ros4hri_bridge', {
        'image_width': 640, 'image_height': 480, 'take_audio': True, 'take_is_speaking': True, 'take_speech': True,
    })
    voices = probe.publisher(IdsList, '/humans/voices/tracked', qos.LATCHED)
    voices.publish(IdsList(ids=['v1']))
    right = {
        msg.SkeletonArray: [people],
        msg.EmotionState: [state],
        msg.Utterance: [lambda s: msg.Utterance(header=header(s, 'mic'), id='u1', state=msg.Utterance.ENDED)],
        IdsList: [lambda s: IdsList(header=header(s, ''), ids=['v1'])],
        AudioData: [lambda _: AudioData(data=array.array('B', bytes(1024)))],
        LiveSpeech: [lambda s: LiveSpeech(header=header(s, ''), final='I am here')],
        Bool: [lambda _: Bool(data=True)],
    }
    inputs = {topics.SKELETON_RAW, topics.PEOPLE, topics.EMOTION_STATE, topics.UTTERANCE, 'humans/voices/tracked',
              *(f'{VOICE}/{line}' for line in ('audio', 'is_speaking', 'speech'))}
    # Voices come and go with the garbage in their list, and with them their topics: less than all is taken.
    survives(probe, node, 'ros4hri_bridge', inputs, right, messages, lossy={f'{VOICE}/audio'}, taken=0.3)
    skeletons = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    states = probe.publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    felt = probe.collect(Expression, '/humans/persons/right/expression', qos.STREAM)
    probe.wait_for_listener(skeletons, states)

    def told():
        skeletons.publish(skeletons_to_message([person(AFTER, 'right')], header(AFTER, 'camera')))
        states.publish(state(AFTER, 'right'))
        return felt

    expression = probe.wait_for(told, 'the expression of somebody right', 60.0)[-1]
    assert (expression.expression, expression.confidence) == (Expression.HAPPY, 0.625)
