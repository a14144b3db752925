# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""media_source in a real graph: the file as it is, at its time, to whoever is there, and nothing lost."""
import time

import numpy as np
import psutil
import pytest
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Bool
from support import film
from support.lifecycle import Manager

from smern_ros import msg
from smern_ros.media.reader import MediaReader
from smern_ros.ros import messages, qos, topics
from smern_ros.ros.image_messages import to_bgr
from smern_ros.values import SECOND

pytestmark = pytest.mark.ros

START = 1_700_000_000 * SECOND  # the start_time of file()


@pytest.fixture(scope='module')
def clip(shared_data, tmp_path_factory):
    path = tmp_path_factory.mktemp('film') / 'clip.mkv'
    return film.write(path, film.pictures(shared_data, 50), film.speech(shared_data, 2.2), audio='pcm_s16le')


class Listeners:
    """The test in the place of pose_estimation and audio_features: they answer, and say whether they are active."""

    def __init__(self, probe, *, answers: bool = True, active: bool = True):
        self.probe, self.answers, self.active = probe, answers, active
        self.images: list[Image] = []
        self.sound: list[msg.AudioChunk] = []
        self.came: list[float] = []  # s after its stamp, each image
        node = probe.node
        node.create_subscription(Image, topics.IMAGE, self._see, qos.LOSSLESS_IMAGES)
        node.create_subscription(msg.AudioChunk, topics.AUDIO, self._hear, qos.AUDIO)
        self._skeletons = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
        self._activity = probe.publisher(msg.VoiceActivity, topics.IS_SPEAKING, qos.STREAM)
        self.finished = probe.collect(Bool, topics.MEDIA_FINISHED, qos.STATE)
        for name in ('pose_estimation', 'audio_features'):
            node.create_service(GetState, f'{name}/get_state', self._tell_state)

    def _tell_state(self, _, response):
        response.current_state.id = State.PRIMARY_STATE_ACTIVE if self.active else State.PRIMARY_STATE_INACTIVE
        return response

    def _see(self, image: Image) -> None:
        self.images.append(image)
        self.came.append(time.time() - messages.to_ns(image.header.stamp) / SECOND)
        if self.answers:
            self._skeletons.publish(msg.SkeletonArray(header=image.header))

    def _hear(self, chunk: msg.AudioChunk) -> None:
        self.sound.append(chunk)
        if self.answers:
            end_ns = messages.to_ns(chunk.header.stamp) + len(chunk.data) // 2 * SECOND // chunk.sample_rate
            self._activity.publish(msg.VoiceActivity(header=messages.header(end_ns, 'mic')))

    def wait_for_end(self, timeout: float = 30.0) -> None:
        self.probe.wait_for(lambda: [m.data for m in self.finished] == [False, True], 'the end of the file', timeout)

    def stamps(self) -> list[int]:
        return [messages.to_ns(image.header.stamp) for image in self.images]

    def samples(self) -> np.ndarray:
        return np.concatenate([np.frombuffer(bytes(chunk.data), '<i2') for chunk in self.sound])


def file(clip, **parameters) -> dict:
    return {'media': str(clip), 'wait_for': 'pose_estimation,audio_features', 'start_time': 1.7e9, **parameters}


def test_nothing_of_a_file_is_lost_when_it_is_played_as_fast_as_it_is_taken(probe, start_node, clip, shared_data):
    listeners, clock = Listeners(probe), probe.collect(Clock, '/clock', qos.STREAM)
    node = start_node('media_source', file(clip, rate=0.0, lossless=True, publish_clock=True))
    listeners.wait_for_end()
    voice = film.speech(shared_data, 2.2)
    probe.wait_for(lambda: len(listeners.samples()) >= len(voice) + 1.5 * 16000, 'the silence after the end')
    assert listeners.stamps() == [START + k * SECOND // 25 for k in range(50)]
    for image, frame in zip(listeners.images, MediaReader(clip).video(), strict=True):
        np.testing.assert_array_equal(to_bgr(image), frame.image)
        assert (image.encoding, image.header.frame_id) == ('bgr8', 'camera')
    np.testing.assert_array_equal(listeners.samples()[: len(voice)], voice)
    assert not listeners.samples()[len(voice):].any()
    at = START
    for chunk in listeners.sound:
        assert messages.to_ns(chunk.header.stamp) == at
        assert (chunk.sample_rate, chunk.channels, chunk.encoding) == (16000, 1, 's16le')
        at += len(chunk.data) // 2 * SECOND // 16000
    times = probe.wait_for(lambda: clock and [messages.to_ns(tick.clock) for tick in clock], 'simulated time')
    assert times == sorted(set(times)) and len(times) > 50  # never back, though two tracks drive it
    late = probe.collect(Bool, topics.MEDIA_FINISHED, qos.STATE)
    probe.wait_for(lambda: late and late[-1].data, 'the end, told to who comes late')
    assert '[ERROR]' not in node.output
    assert node.stop() == 0


def test_one_channel_of_a_file_can_be_chosen(probe, start_node, shared_data, tmp_path):
    voice = film.speech(shared_data, 1.0)
    path = film.write(tmp_path / 'two.wav', samples=np.stack([0 * voice, voice], axis=1), audio='pcm_s16le')
    listeners = Listeners(probe)
    start_node('media_source', file(path, rate=0.0, channel=1, silence=0.0, lossless=True))
    listeners.wait_for_end()
    probe.wait_for(lambda: len(listeners.samples()) >= len(voice), 'the rest of the sound')
    assert {chunk.channels for chunk in listeners.sound} == {1}
    np.testing.assert_array_equal(listeners.samples(), voice)


def test_it_begins_when_all_are_active_and_not_before(probe, start_node, clip):
    listeners = Listeners(probe, active=False)
    node = start_node('media_source', file(clip, rate=0.0, lossless=True))
    probe.wait_for(lambda: node.said('waiting for audio_features, pose_estimation'), 'the word that it waits')
    assert not listeners.images and not listeners.sound and not listeners.finished
    listeners.active = True
    listeners.wait_for_end()
    assert listeners.stamps()[0] == START and len(listeners.images) == 50


def test_who_is_not_there_or_does_not_answer_is_named_and_not_waited_for_for_ever(probe, start_node, clip):
    listeners = Listeners(probe, answers=False)
    node = start_node('media_source', file(
        clip, rate=0.0, lossless=True, silence=0.0, patience=0.1,
        wait_for='pose_estimation,audio_features,nobody', wait_timeout=4.0,
    ))
    listeners.wait_for_end()
    probe.wait_for(lambda: node.said('timed out waiting for nobody; starting without'), 'who was not there')
    probe.wait_for(lambda: node.said('for 0.1 s; going on'), 'who did not answer')


def test_in_real_time_a_frame_comes_when_its_stamp_says(probe, start_node, clip):
    listeners = Listeners(probe)
    start_node('media_source', file(clip, start_time=0.0))
    listeners.wait_for_end()
    # Half as fast, half of them came a second late; busy cores cost some tenths.
    assert min(listeners.came) >= 0 and np.median(listeners.came) < 0.7
    assert set(np.diff(listeners.stamps())) == {SECOND // 25}


def test_it_ends_at_once_in_the_middle_of_a_file(probe, start_node, clip):
    listeners = Listeners(probe)
    node = start_node('media_source', file(clip, rate=0.5))
    probe.wait_for(lambda: len(listeners.images) > 5, 'some frames')
    assert node.stop(timeout=3.0) == 0
    assert 'Traceback' not in node.output


def test_a_file_played_again_after_a_pause_gives_its_time_again(probe, start_node, clip):
    listeners, clock = Listeners(probe), probe.collect(Clock, '/clock', qos.STREAM)
    node = start_node('media_source', file(clip, rate=0.0, lossless=True, publish_clock=True, autostart=False))
    manager = Manager(probe, 'media_source')
    manager.configure()
    passes = []
    for _ in range(2):
        manager.activate()
        listeners.wait_for_end()
        probe.wait_for(lambda: clock and clock[-1].clock.sec >= 1_700_000_003, 'the last time of the file')
        passes.append(listeners.stamps())
        assert START <= messages.to_ns(clock[0].clock) < START + SECOND
        manager.deactivate()
        for heard in (clock, listeners.images, listeners.finished):
            heard.clear()
    assert passes == [[START + k * SECOND // 25 for k in range(50)]] * 2
    assert '[ERROR]' not in node.output


def test_a_camera_that_is_lost_is_told_and_opened_again(probe, start_node, clip):
    """OpenCV reads a film like a camera; at its end it is as one that was pulled out."""
    images = probe.collect(Image, topics.IMAGE, qos.IMAGES)
    node = start_node('media_source', {'media': 'webcam', 'camera': str(clip), 'microphone': '', 'autostart': False})
    manager = Manager(probe, 'media_source')
    manager.configure()
    probe.wait_for_speaker(topics.IMAGE)
    manager.activate()
    probe.wait_for(lambda: node.said('delivers no more frames; retrying'), 'the loss to be told')
    images.clear()
    probe.wait_for(lambda: images, 'images of the camera that is there again')
    assert node.output.count('[ERROR]') == 1 and 'Traceback' not in node.output

    def is_open() -> bool:
        return str(clip) in {file.path for file in psutil.Process(node.pid).open_files()}

    probe.wait_for(is_open, 'the camera to be held')
    manager.deactivate()
    assert not is_open(), 'the camera is not released'
    assert node.stop(timeout=3.0) == 0


@pytest.mark.parametrize('has', ['video', 'audio'])
def test_it_publishes_what_is_in_the_file_and_leaves_the_other_topic_to_others(
    probe, start_node, shared_data, tmp_path, has
):
    path = film.write(tmp_path / 'clip.mkv', film.pictures(shared_data, 5) if has == 'video' else (),
                      film.speech(shared_data, 0.5) if has == 'audio' else None, audio='pcm_s16le')
    listeners = Listeners(probe)
    node = start_node('media_source', file(path))
    probe.wait_for_speaker(topics.MEDIA_FINISHED)
    listeners.wait_for_end()
    publishers = [probe.node.count_publishers(topic) for topic in (topics.IMAGE, topics.AUDIO)]
    assert publishers == ([1, 0] if has == 'video' else [0, 1])
    assert (len(listeners.images), len(listeners.sound) > 0) == ((5, False) if has == 'video' else (0, True))
    assert '[ERROR]' not in node.output


@pytest.mark.parametrize('parameters, said', [
    ({'media': '/nowhere/film.mp4'}, 'there is no file /nowhere/film.mp4. Set media to'),
    ({'media': 'webcam', 'camera': '99'}, "camera '99' cannot be opened"),
    ({'media': 'microphone', 'microphone': 'nowhere'}, "microphone 'nowhere' cannot be opened"),
])
def test_what_is_not_there_stops_the_node_and_says_what_to_do(start_node, parameters, said):
    node = start_node('media_source', parameters)
    assert node.wait() == 2
    assert said in node.output and 'Traceback' not in node.output


@pytest.mark.weights
def test_every_frame_of_a_file_comes_out_of_the_real_pose_estimator(probe, start_node, clip):
    skeletons = probe.collect(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    heard = probe.collect(msg.VoiceActivity, topics.IS_SPEAKING, qos.STREAM)
    finished = probe.collect(Bool, topics.MEDIA_FINISHED, qos.STATE)
    start_node('pose_estimation', {'drop_frames': False})
    start_node('audio_features')
    probe.wait_for_speaker(topics.SKELETON_RAW, topics.IS_SPEAKING)  # the source waits for nodes, not for this probe
    source = start_node('media_source', file(clip, rate=0.0, lossless=True))
    probe.wait_for(lambda: finished and finished[-1].data, 'the end of the file', 120)
    # Topics may overtake each other on their way to this probe.
    probe.wait_for(lambda: len(skeletons) >= 50, 'the skeletons of all frames')
    probe.wait_for(lambda: messages.to_ns(heard[-1].header.stamp) > START + 3.5 * SECOND, 'the end of the sound')
    assert [messages.to_ns(m.header.stamp) for m in skeletons] == [START + k * SECOND // 25 for k in range(50)]
    assert all(m.skeletons for m in skeletons)
    assert '[ERROR]' not in source.output
