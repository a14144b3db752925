# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Garbage on every topic of every node, over DDS, to its real process: it lives, does not grow, and answers rightly."""
import array

import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Bool
from support import film, fusion, speech
from support.fuzz import survives

from smern_ros import assets, msg
from smern_ros.audio.features import extract
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.ros import qos, topics
from smern_ros.ros.image_messages import to_compressed, to_image
from smern_ros.ros.messages import (
    features_from_message,
    features_to_message,
    header,
    skeletons_from_message,
    skeletons_to_message,
    stamp_of,
    to_time,
    transcript_to_message,
    utterance_from_message,
    utterance_to_message,
    window_to_message,
    windows_from_message,
)
from smern_ros.skeleton import pose
from smern_ros.skeleton.window import cut
from smern_ros.spec import SPEC
from smern_ros.values import SECOND, Skeleton, UtteranceInputs

pytestmark = [pytest.mark.faults, pytest.mark.ros, pytest.mark.weights, pytest.mark.slow]

AFTER = 2_000 * SECOND
"""Where the right input begins."""


@pytest.fixture(scope='module')
def spoken():
    try:
        return speech.sentence('0930').samples
    except assets.MissingAsset as error:
        pytest.skip(str(error))


# --- right messages -----------------------------------------------------------------------------------------------

def image(stamp_ns, encoding='bgr8', height=48, width=64):
    channels = 1 if encoding == 'mono8' else 3
    pixels = array.array('B', [stamp_ns % 251]) * (height * width * channels)
    return Image(header=header(stamp_ns, 'camera'), encoding=encoding, height=height, width=width,
                 step=width * channels, data=pixels)


def jpeg(stamp_ns):
    noise = np.random.default_rng(stamp_ns % 100).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return to_compressed(noise, header(stamp_ns, 'camera'))


def person(stamp_ns, person_id='p1'):
    wave = 0.2 * np.sin(stamp_ns / SECOND + np.arange(30).reshape(10, 3))
    return Skeleton(stamp_ns, person_id, wave.astype(np.float32), np.ones(10, np.float32), 0.9, 0.2,
                    np.full((10, 2), 5, np.float32))


def people(stamp_ns):
    return skeletons_to_message([person(stamp_ns), person(stamp_ns, 'p2')], header(stamp_ns, 'camera'))


def chunks(samples):
    """Makers of consecutive pieces of sound: in their order they are speech."""
    pieces = [(np.clip(samples[k:k + 533], -1, 1) * 32767).astype('<i2') for k in range(0, len(samples) - 533, 533)]
    count = iter(range(10**9))

    def chunk(stamp_ns, channels=1):
        data = np.repeat(pieces[next(count) % len(pieces)], channels)
        return msg.AudioChunk(header=header(stamp_ns, 'microphone'), sample_rate=SPEC.sample_rate, channels=channels,
                              encoding=msg.AudioChunk.S16LE, data=array.array('B', data.tobytes()))

    return [chunk, lambda stamp_ns: chunk(stamp_ns, 2)]


def activity(stamp_ns, is_speaking=True):
    return msg.VoiceActivity(header=header(stamp_ns, 'mic'), is_speaking=is_speaking)


def utterances(samples):
    def say(stamp_ns, state):
        spoken = speech.utterance(samples[:8000], f'u{stamp_ns % 7}', stamp_ns)
        return utterance_to_message(spoken, state, spoken.end_ns, 'microphone')

    return [lambda stamp_ns, state=state: say(stamp_ns, state) for state in (
        msg.Utterance.TENTATIVE, msg.Utterance.ENDED, msg.Utterance.RESUMED)]


def window(stamp_ns, utterance_id=''):
    end_ns = stamp_ns + SECOND
    return window_to_message(utterance_id, stamp_ns, end_ns, [fusion.body(start=stamp_ns, end=end_ns)], 'camera')


def id_of(stamp_ns):
    return f'u{stamp_ns % 7}'


def evidence(samples):
    """Of all that fusion listens to."""
    def span(stamp_ns):
        return {'utterance_id': id_of(stamp_ns), 'start': stamp_ns, 'end': stamp_ns + SECOND // 2}

    return {
        msg.Utterance: utterances(samples),
        msg.AudioFeatures: [lambda stamp_ns: features_to_message(fusion.audio(**span(stamp_ns)), 'microphone')],
        msg.Transcript: [lambda stamp_ns: transcript_to_message(fusion.text(**span(stamp_ns)), 'mic', is_final=True)],
        msg.SkeletonArray: [people, lambda stamp_ns: msg.SkeletonArray(header=header(0, ''))],
        msg.SkeletonWindow: [window, lambda stamp_ns: window(stamp_ns, id_of(stamp_ns))],
        msg.VoiceActivity: [activity],
    }


# --- the nodes ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_pose_estimation(probe, start_node, shared_data, messages, transport):
    pictures = film.pictures(shared_data, 5)
    node = start_node('pose_estimation', {'transport': transport, 'drop_frames': False})
    right = {Image: [image, lambda s: image(s, 'rgb8'), lambda s: image(s, 'mono8'), lambda s: image(s, height=1)],
             CompressedImage: [jpeg]}
    topic, kind, make = ((topics.IMAGE, Image, to_image) if transport == 'raw' else
                         (topics.IMAGE_COMPRESSED, CompressedImage, to_compressed))
    # On a busy machine the first network, and one after a clock that jumped, may be made in the second half alone.
    survives(probe, node, 'pose_estimation', {topic}, right, messages, filling=400 * 2**20)

    camera = probe.publisher(kind, topic, qos.LOSSLESS_IMAGES)
    heard = probe.collect(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    probe.wait_for_listener(camera)
    probe.wait_for_speaker(topics.SKELETON_RAW)
    stamps = [AFTER + k * SECOND // 30 for k in range(len(pictures))]
    for picture, stamp_ns in zip(pictures, stamps, strict=True):
        camera.publish(make(picture, header(stamp_ns, 'camera')))
    probe.wait_for(lambda: {stamp_of(m.header) for m in heard} >= set(stamps), 'skeletons of what was right')
    estimator = pose.create('mediapipe')
    try:
        for message in heard[-len(stamps):]:
            k = stamps.index(stamp_of(message.header))
            seen, (wanted,) = skeletons_from_message(message), estimator.estimate(pictures[k], stamps[k])
            assert len(seen) == 1
            tolerance = 0.0 if transport == 'raw' else 0.05  # m; a JPEG is another picture
            np.testing.assert_allclose(seen[0].positions, wanted.positions, rtol=0, atol=tolerance)
    finally:
        estimator.close()


def test_skeleton_filter(probe, start_node, spoken, messages):
    node = start_node('skeleton_filter')
    right = {msg.SkeletonArray: [people], msg.Utterance: utterances(spoken)}
    survives(probe, node, 'skeleton_filter', {topics.SKELETON_RAW, topics.PEOPLE, topics.UTTERANCE}, right, messages)

    camera = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    voice = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    windows = probe.collect(msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE)
    probe.wait_for_listener(camera, voice)
    probe.wait_for_speaker(topics.SKELETON_WINDOW)
    stamps = [AFTER + k * SECOND // 30 for k in range(61)]
    for stamp_ns in stamps:
        camera.publish(people(stamp_ns))
    spoken_then = speech.utterance(spoken[:16000], 'right', stamps[20])
    voice.publish(utterance_to_message(spoken_then, msg.Utterance.ENDED, spoken_then.end_ns, 'microphone'))
    (found,) = probe.wait_for(lambda: [w for w in windows if w.utterance_id == 'right'], 'the window of what was right')
    wanted = cut([person(s, p) for s in stamps for p in ('p1', 'p2')], spoken_then.start_ns, spoken_then.end_ns)
    for live, offline in zip(windows_from_message(found), wanted, strict=True):
        np.testing.assert_allclose(live.positions, offline.positions, atol=1e-6)


@pytest.mark.parametrize('voice_activity', ['own', 'topic'])
def test_audio_features(probe, start_node, spoken, messages, voice_activity):
    node = start_node('audio_features', {'voice_activity': voice_activity})
    right = {msg.AudioChunk: chunks(spoken), msg.VoiceActivity: [activity]}
    inputs = {topics.AUDIO, topics.ROBOT_SPEAKING, *([topics.DETECTED] if voice_activity == 'topic' else [])}
    fuzzer = survives(probe, node, 'audio_features', inputs, right, messages)

    microphone = probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    robot = probe.publisher(Bool, topics.ROBOT_SPEAKING, qos.EVIDENCE)
    detector = probe.publisher(msg.VoiceActivity, topics.DETECTED, qos.EVIDENCE)
    said = probe.collect(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    features = probe.collect(msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE)
    probe.wait_for_listener(microphone, robot)
    probe.wait_for_speaker(topics.UTTERANCE, topics.AUDIO_FEATURES)
    robot.publish(Bool(data=False))
    begins = probe.node.get_clock().now().nanoseconds + 10 * SECOND  # well after the robot's last word
    silence = np.zeros(SPEC.sample_rate, np.float32)
    sound = np.concatenate([silence, spoken, silence])

    def tell():
        detector.publish(activity(begins, False))  # whatever garbage began
        detector.publish(activity(begins + SECOND))
        detector.publish(activity(begins + SECOND + len(spoken) * SECOND // SPEC.sample_rate, False))

    def hear(first):
        microphone.publish(msg.AudioChunk(
            header=header(begins + first * SECOND // SPEC.sample_rate, 'microphone'), sample_rate=SPEC.sample_rate,
            channels=1, encoding=msg.AudioChunk.F32LE, data=array.array('B', sound[first:first + 1600].tobytes())))

    hear(0)  # if it is before what garbage was heard last, all that was told is forgotten
    fuzzer.catch_up()
    if voice_activity == 'topic':  # it is told before the sound comes that it is of
        probe.wait_for_listener(detector)
        probe.wait_for(fuzzer.is_quiet, 'that to be taken')
        probe.wait_for(lambda: tell() or not fuzzer.is_quiet(), 'the detector to be heard')
        fuzzer.catch_up()
    for first in range(1600, len(sound), 1600):
        hear(first)

    def ended():
        return [u for u in said if u.state == msg.Utterance.ENDED and u.start.sec * SECOND >= begins - SECOND]

    utterance = utterance_from_message(probe.wait_for(ended, 'the utterance that was right', 60.0)[-1])
    first = (utterance.start_ns - begins) * SPEC.sample_rate // SECOND
    np.testing.assert_array_equal(utterance.samples, sound[first:first + len(utterance.samples)])
    probe.wait_for(lambda: any(f.utterance_id == utterance.id and f.end == to_time(utterance.end_ns) for f in features),
                   'its features', 60.0)
    live = features_from_message(next(f for f in reversed(features) if f.utterance_id == utterance.id))
    np.testing.assert_allclose(live.mfcc, extract(utterance).mfcc, atol=1e-4)


def test_asr(probe, start_node, spoken, messages):
    node = start_node('asr')
    survives(probe, node, 'asr', {topics.UTTERANCE}, {msg.Utterance: utterances(spoken)}, messages)

    voice = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    heard = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
    probe.wait_for_listener(voice)
    probe.wait_for_speaker(topics.TRANSCRIPT)
    right = speech.utterance(spoken, 'right', AFTER)
    voice.publish(utterance_to_message(right, msg.Utterance.ENDED, right.end_ns, 'microphone'))
    (transcript,) = probe.wait_for(lambda: [t for t in heard if t.utterance_id == 'right'], 'the words', 60.0)
    assert transcript.is_final and transcript.text == 'He might even have been made amiable himself.'


def test_fusion(probe, start_node, spoken, messages):
    node = start_node('fusion')
    wanted = {topics.UTTERANCE, topics.AUDIO_FEATURES, topics.TRANSCRIPT, topics.SKELETON_WINDOW, topics.IS_SPEAKING,
              topics.SPEAKER, topics.PEOPLE}
    fuzzer = survives(probe, node, 'fusion', wanted, evidence(spoken), messages)

    publishers = [probe.publisher(kind, topic, qos.EVIDENCE) for kind, topic in (
        (msg.AudioFeatures, topics.AUDIO_FEATURES), (msg.Transcript, topics.TRANSCRIPT),
        (msg.SkeletonWindow, topics.SKELETON_WINDOW), (msg.Utterance, topics.UTTERANCE))]
    states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    probe.wait_for_listener(*publishers)
    probe.wait_for_speaker(topics.EMOTION_STATE)
    span = {'start': AFTER, 'end': AFTER + 2 * SECOND}
    voice, words = fusion.audio('right', **span), fusion.text(utterance_id='right', **span)
    body = fusion.body('never met', **span)
    far = AFTER + 10**6 * SECOND
    ahead, tentative, ended = (
        msg.Utterance(header=header(start, 'mic'), id=name, state=state, start=to_time(start),
                      end=to_time(start + 2 * SECOND), last_voiced=to_time(start + 2 * SECOND),
                      sample_rate=SPEC.sample_rate)
        for name, start, state in (('ahead', far, msg.Utterance.ENDED), ('right', AFTER, msg.Utterance.TENTATIVE),
                                   ('right', AFTER, msg.Utterance.ENDED))
    )
    for announced in (ahead, tentative):  # as in the graph, before evidence: what a clock that jumps back finds is void
        publishers[-1].publish(announced)
        fuzzer.catch_up()
    for publisher, message in zip(publishers, (
        features_to_message(voice, 'mic'), transcript_to_message(words, 'mic', is_final=True),
        window_to_message('right', *span.values(), [body], 'camera'), ended,
    ), strict=True):
        publisher.publish(message)
    state = probe.wait_for(lambda: next((s for s in states if s.is_final and s.utterance_id == 'right'), None),
                           f'the state of what was right; it said {node.output[-2000:]}', 60.0)
    wanted = EmotionPredictor.load().predict(UtteranceInputs('right', *span.values(), voice, words, body))
    np.testing.assert_allclose(state.probabilities, wanted.probabilities, atol=1e-5)
