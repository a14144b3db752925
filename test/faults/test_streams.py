# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cameras of all kinds, an hour of silence, clocks that jump: through the real nodes."""
import array

import numpy as np
import psutil
import pytest
from sensor_msgs.msg import Image
from support import crowd, fusion, speech
from support.crowd import Actor, standing
from support.probe import wait_until_loaded

from smern_ros import assets, msg
from smern_ros.ros import qos, topics
from smern_ros.ros.image_messages import to_image
from smern_ros.ros.messages import (
    header,
    skeletons_to_message,
    to_ns,
    utterance_from_message,
    utterance_to_message,
    windows_from_message,
)
from smern_ros.skeleton.window import cut
from smern_ros.spec import SPEC, Joint
from smern_ros.values import SECOND, Skeleton, Utterance

pytestmark = [pytest.mark.faults, pytest.mark.ros, pytest.mark.slow]

START = fusion.START
RATE = SPEC.sample_rate
IN_FLIGHT = 4


def moving(stamp_ns) -> Skeleton:
    """Somebody who gestures at some 0.5 Hz, the same at that time whatever the camera."""
    wave = 0.2 * np.sin(3.0 * stamp_ns / SECOND + np.arange(30).reshape(10, 3))
    return Skeleton(stamp_ns, 'p1', wave.astype(np.float32), np.ones(10, np.float32), 0.9, 0.2,
                    np.full((10, 2), 5, np.float32))


def camera(rate, seconds, start_ns, *, loss=0.0, seed=0) -> list[int]:
    """Stamps of a camera of that rate which loses that share of its frames."""
    dice = np.random.default_rng(seed)
    stamps = [start_ns + round(k * SECOND / rate) for k in range(round(rate * seconds) + 1)]
    return [s for s in stamps if dice.random() >= loss]


def test_any_camera_losing_a_third_in_bursts_gives_the_movement_that_there_was(probe, start_node):
    node = start_node('skeleton_filter', {'late_frame_wait': 10.0, 'gesture_period': 0.0})
    raw = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    voice = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    windows = probe.collect(msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE)
    filtered = probe.collect(msg.SkeletonArray, topics.SKELETON_FILTERED, qos.STREAM)
    probe.wait_for_listener(raw, voice)
    probe.wait_for_speaker(topics.SKELETON_WINDOW, topics.SKELETON_FILTERED)
    for k, rate in enumerate((5, 12, 24, 30, 60)):
        start_ns = START + 60 * k * SECOND
        begin_ns, end_ns = start_ns + SECOND, start_ns + 3 * SECOND
        stamps = camera(rate, 4.0, start_ns, loss=0.3, seed=k)
        for first in range(0, len(stamps), rate):  # a second's frames at once, as a network that was held up gives them
            for stamp_ns in stamps[first:first + rate]:
                raw.publish(skeletons_to_message([moving(stamp_ns)], header(stamp_ns, 'camera')))
            newest_ns = stamps[first:first + rate][-1]
            probe.wait_for(lambda ns=newest_ns: filtered and ns - to_ns(filtered[-1].header.stamp) < SECOND,
                           f'the frames of {rate} fps to be taken')
        spoken = Utterance(f'at {rate} fps', begin_ns, end_ns, np.zeros(160, np.float32))
        voice.publish(utterance_to_message(spoken, msg.Utterance.ENDED, end_ns, 'microphone'))
        found = probe.wait_for(lambda spoken=spoken: next((w for w in windows if w.utterance_id == spoken.id), None),
                               f'the window of {rate} fps')
        (live,), (offline,) = windows_from_message(found), cut(map(moving, stamps), begin_ns, end_ns)
        np.testing.assert_array_equal(live.visible, offline.visible)
        np.testing.assert_allclose(live.positions, offline.positions, atol=1e-6)
        (whole,) = cut(map(moving, camera(30, 4.0, start_ns)), begin_ns, end_ns)
        if rate >= 24:  # slower cameras that lose as much leave gaps that are too long: masked, not invented
            assert live.visible.mean() > 0.95
        assert np.abs(live.positions - whole.positions)[live.visible].mean() < 0.03  # m, of movements of 0.2 m
    assert node.alive and 'Traceback' not in node.output


@pytest.mark.weights
@pytest.mark.parametrize('rate', [5, 24, 60])
def test_two_people_keep_their_ids_before_any_camera_that_loses_a_third(probe, start_node, shared_data, rate):
    """A second's frames come as fast as they are taken, and the next ones after a pause."""
    try:
        assets.path('pose-landmarker-full')
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    seconds = 3
    pictures = crowd.film(shared_data, seconds + 1, Actor('walk', standing(230)), Actor('again', standing(700)))
    start_node('pose_estimation', {'drop_frames': False})
    images = probe.publisher(Image, topics.IMAGE, qos.LOSSLESS_IMAGES)
    heard = probe.collect(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    probe.wait_for_listener(images)
    probe.wait_for_speaker(topics.SKELETON_RAW)
    stamps = camera(rate, seconds, START, loss=0.3, seed=rate)
    for sent, stamp_ns in enumerate(stamps, start=1):
        picture = pictures[(stamp_ns - START) * crowd.RATE // SECOND]
        images.publish(to_image(picture, header(stamp_ns, 'camera')))
        waits = 1 if sent % rate == 0 else IN_FLIGHT
        probe.wait_for(lambda sent=sent, waits=waits: sent - len(heard) < waits, 'skeletons', 60.0)
    probe.wait_for(lambda: len(heard) == len(stamps), 'an answer to each frame', 60.0)
    assert [to_ns(m.header.stamp) for m in heard] == stamps
    places = [{s.person_id: s.image_positions[2 * Joint.THORAX] for s in m.skeletons} for m in heard]
    both = [place for place in places if len(place) == 2]
    assert len(both) > 0.8 * len(stamps) and set().union(*places) == {'p1', 'p2'}
    left = {min(place, key=place.get) for place in both}
    assert len(left) == 1, 'they changed their ids'


@pytest.mark.weights
@pytest.mark.timeout(1800)
def test_after_a_long_time_without_anybody_who_comes_is_seen_at_once_and_nothing_was_kept(
    probe, start_node, shared_data, silence
):
    try:
        assets.path('pose-landmarker-full')
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    rate = 5
    (empty,), room = crowd.film(shared_data, 1 / crowd.RATE), crowd.film(shared_data, 1.0, Actor('walk', standing(400)))
    node = start_node('pose_estimation', {'drop_frames': False})
    images = probe.publisher(Image, topics.IMAGE, qos.LOSSLESS_IMAGES)
    heard = probe.collect(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    probe.wait_for_listener(images)
    probe.wait_for_speaker(topics.SKELETON_RAW)

    def show(picture, stamp_ns, answers_apart):
        images.publish(to_image(picture, header(stamp_ns, 'camera')))
        first_ns = stamp_ns - answers_apart
        probe.wait_for(lambda: first_ns < START or (heard and to_ns(heard[-1].header.stamp) >= first_ns),
                       'an answer', 60.0)

    memory = []
    for k in range(silence * rate):
        show(empty, START + k * SECOND // rate, 4 * SECOND // rate)  # of three that are not looked at one is answered
        if k in (silence * rate // 4, silence * rate - 1):
            memory.append(psutil.Process(node.pid).memory_full_info().uss / 2**20)
    assert not any(m.skeletons for m in heard)
    assert memory[1] - memory[0] < 16.0, memory
    came_ns = START + silence * SECOND
    for k, picture in enumerate(room):
        show(picture, came_ns + k * SECOND // crowd.RATE, SECOND)
    (first, *_) = probe.wait_for(lambda: [m for m in heard if m.skeletons], 'somebody to be seen', 60.0)
    assert to_ns(first.header.stamp) - came_ns < SECOND // 2


@pytest.mark.weights
def test_after_long_silence_speech_is_cut_where_it_was_and_nothing_was_kept(probe, start_node, silence):
    try:
        spoken = speech.sentence('0930').samples
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    node = start_node('audio_features')
    sound = probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    activity = probe.collect(msg.VoiceActivity, topics.IS_SPEAKING, qos.AUDIO)
    said = probe.collect(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    probe.wait_for_listener(sound)
    probe.wait_for_speaker(topics.IS_SPEAKING, topics.UTTERANCE)
    wait_until_loaded(probe, node)
    noise = np.random.default_rng(0).normal(0, 30, RATE).astype('<i2')

    def hear(samples, at_ns) -> None:
        sound.publish(msg.AudioChunk(header=header(at_ns, 'mic'), sample_rate=RATE, channels=1,
                                     encoding=msg.AudioChunk.S16LE, data=array.array('B', samples.tobytes())))

    def taken(until_ns) -> None:
        probe.wait_for(lambda: activity and to_ns(activity[-1].header.stamp) > until_ns - SECOND // 5,
                       f'sound up to {until_ns - START} ns', 60.0)
        del activity[:-1]

    size = None
    for second in range(silence):
        hear(noise, START + second * SECOND)
        if second % 10 == 9:
            taken(START + (second + 1) * SECOND)
        if second == silence // 5:
            size = psutil.Process(node.pid).memory_full_info().uss
    assert psutil.Process(node.pid).memory_full_info().uss - size < 8 * 2**20
    assert not said, 'noise is no utterance'
    begins = START + silence * SECOND
    talk = np.concatenate([(spoken * 32767).astype('<i2'), np.tile(noise, 2)])
    for first in range(0, len(talk), RATE):
        hear(talk[first:first + RATE], begins + first * SECOND // RATE)
    ended = probe.wait_for(lambda: next((u for u in said if u.state == msg.Utterance.ENDED), None), 'the utterance')
    utterance = utterance_from_message(ended)
    first = (utterance.start_ns - begins) * RATE // SECOND
    heard = np.concatenate([noise, talk]).astype(np.float32) / 32768  # it may begin before the first word
    np.testing.assert_array_equal(utterance.samples, heard[RATE + first:RATE + first + len(utterance.samples)])
    assert not [line for line in node.output.splitlines() if 'ERROR' in line]


@pytest.mark.weights
def test_a_clock_that_jumps_a_day_on_and_two_back_changes_no_answer(tmp_path):
    from support.graph import Graph
    from support.personal import personal_checkpoint
    from support.replay import Player
    from support.states import assert_told_by_its_evidence

    from smern_ros.demo import clip
    from smern_ros.deploy.processes import Override
    from smern_ros.emotion.predictor import EmotionPredictor
    from smern_ros.media.reader import MediaReader
    from smern_ros.models.person_statistics import NOBODY

    try:
        film = clip.compose(assets.path(clip.VIDEO_ASSET), assets.path(clip.SPEECH_ASSET), tmp_path)
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    first_sentence = [item for item in MediaReader(film) if item.stamp_ns < 7 * SECOND]
    networks = personal_checkpoint(tmp_path, NOBODY)  # what they say depends on nothing before
    patient = [Override('pose_estimation', 'idle_rate', '0.0'),  # the player waits for an answer to each picture
               Override('skeleton_filter', 'late_frame_wait', '10.0'), Override('fusion', 'skeleton_timeout', '10.0'),
               Override('fusion', 'text_timeout', '30.0'), Override('fusion', 'checkpoint', str(networks))]
    day = 86_400 * SECOND
    with Graph(overrides=patient) as graph:
        for count, start_ns in enumerate((2 * day, 3 * day, day), start=1):
            graph.evidence.skeletons.clear()  # what the player paces itself by
            graph.evidence.activity.clear()
            Player(graph, start_ns).play(first_sentence)
            graph.wait_for_finals(count)
        states = graph.evidence.finals
        assert [to_ns(s.window_start) // day for s in states] == [2, 3, 1]
        assert all(len(s.modalities) == 3 for s in states)
        for state in states[1:]:
            np.testing.assert_allclose(state.probabilities, states[0].probabilities, rtol=0, atol=1e-3)
        assert_told_by_its_evidence(graph.evidence, EmotionPredictor.load(networks))
        assert any('clock' in line for line in graph.complaints), 'a clock that jumps is told'
