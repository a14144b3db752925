# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""pose_estimation as the process it is: images in, one SkeletonArray for each, whatever else comes in."""
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.weights]

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from rclpy.clock import Clock, ClockType  # noqa: E402
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from smern_ros import assets, msg  # noqa: E402
from smern_ros.ros import qos, topics  # noqa: E402
from smern_ros.ros.image_messages import to_compressed, to_image  # noqa: E402
from smern_ros.ros.messages import skeletons_from_message, stamp_of, to_time  # noqa: E402
from smern_ros.skeleton import pose  # noqa: E402
from smern_ros.skeleton.idle_frames import IdleFrameSkipper  # noqa: E402
from smern_ros.spec import Joint  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402

START = 1_000 * SECOND
FRAME = SECOND // 25  # a 25 fps camera
IN_FLIGHT = 4


@pytest.fixture(scope='module', autouse=True)
def _model():
    try:
        assets.path('pose-landmarker-full')
    except assets.MissingAsset as error:
        pytest.skip(str(error))


@pytest.fixture(scope='module')
def clip(shared_data) -> list[np.ndarray]:
    """A second of a signer, (480, 640, 3)."""
    video = cv2.VideoCapture(str(shared_data / 'video_upperbody/asl_gestures/walk.mkv'))
    images = [video.read()[1] for _ in range(30)]
    assert all(image is not None for image in images)
    return images


def header(frame: int, start: int = START) -> Header:
    return Header(stamp=to_time(start + frame * FRAME), frame_id='camera_optical')


class Camera:
    """A reliable publisher that never has more than a few frames on their way."""

    def __init__(self, probe, *, compressed: bool = False) -> None:
        self._probe = probe
        kind, topic = (CompressedImage, topics.IMAGE_COMPRESSED) if compressed else (Image, topics.IMAGE)
        self.skeletons = probe.collect(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
        self.health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        self._publisher = probe.publisher(kind, topic, qos.LOSSLESS_IMAGES)
        probe.wait_for_listener(self._publisher)
        probe.wait_for_speaker(topics.SKELETON_RAW)
        self._sent = 0

    def send(self, message, *, answered: bool = True) -> None:
        """:param answered: whether a SkeletonArray is to come of it."""
        self._publisher.publish(message)
        self._sent += answered
        self._probe.wait_for(lambda: self._sent - len(self.skeletons) < IN_FLIGHT, 'skeletons of the frames sent')

    def send_at(self, rate: float, messages: list) -> None:
        """So many a second, whatever comes of them."""
        waiting = list(reversed(messages))
        timer = self._probe.node.create_timer(
            1 / rate, lambda: waiting and self._publisher.publish(waiting.pop()),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        self._probe.wait_for(lambda: not waiting, 'the camera to send all its images')
        self._probe.node.destroy_timer(timer)

    def finish(self) -> list[msg.SkeletonArray]:
        """What was said of the frames since the last time."""
        self._probe.wait_for(lambda: len(self.skeletons) >= self._sent, f'{self._sent} messages on skeleton/raw')
        self._probe.settle(0.1)
        assert len(self.skeletons) == self._sent
        answers = self.skeletons[:]
        self.skeletons.clear()
        self._sent = 0
        return answers


@pytest.fixture
def start_camera(start_node, probe):
    def start(**parameters):
        node = start_node('pose_estimation', {'drop_frames': False} | parameters)
        return node, Camera(probe, compressed=parameters.get('transport') == 'compressed')

    return start


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_every_frame_gives_the_signers_skeleton_with_the_images_header(start_camera, clip, transport):
    node, camera = start_camera(transport=transport)
    make = to_compressed if transport == 'compressed' else to_image
    for frame, image in enumerate(clip):
        camera.send(make(image, header(frame)))
    answers = camera.finish()
    assert [a.header for a in answers] == [header(frame) for frame in range(len(clip))]
    people = [skeletons_from_message(a) for a in answers]
    assert [[p.person_id for p in each] for each in people] == [['p1']] * len(clip)
    for (person,), answer in zip(people, answers, strict=True):
        assert answer.skeletons[0].header == answer.header
        assert person.stamp_ns == stamp_of(answer.header)
        assert person.positions[Joint.LEFT_SHOULDER, 0] > .1 and person.positions[Joint.NOSE, 1] < -.05
        assert 0 < person.image_positions[Joint.NOSE, 0] < 640
    assert node.stop() == 0


def test_images_of_drivers_are_read_whatever_their_encoding_and_what_is_assumed_is_said_once(start_camera, clip):
    node, camera = start_camera()
    cv2_names = {'bgra8': cv2.COLOR_BGR2BGRA, 'yuv422_yuy2': cv2.COLOR_BGR2YUV_YUYV, '8UC3': None}
    frame = 0
    for encoding, conversion in cv2_names.items():
        for image in clip[:4]:
            pixels = image if conversion is None else cv2.cvtColor(image, conversion)
            camera.send(Image(header=header(frame), height=480, width=640, encoding=encoding,
                              step=pixels.nbytes // 480, data=pixels.tobytes()))
            frame += 1
    assert [len(a.skeletons) for a in camera.finish()] == [1] * frame
    assert node.output.count('image encoding 8UC3 is ambiguous; assuming bgr8') == 1
    assert node.stop() == 0


def test_a_cv_bridge_that_does_not_work_is_refused(start_node, tmp_path, monkeypatch):
    """A stand-in that ends its process at the first conversion, as one compiled for another NumPy does."""
    (tmp_path / 'cv_bridge.py').write_text(
        'import os, signal\nclass CvBridge:\n    def imgmsg_to_cv2(self, *_):\n'
        '        os.kill(os.getpid(), signal.SIGSEGV)'
    )
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    node = start_node('pose_estimation', {'cv_bridge': True})
    assert node.wait() == 2
    assert 'cv_bridge does not work (killed by SIGSEGV' in node.output
    assert 'Traceback' not in node.output


def test_a_frame_with_nobody_in_it_is_answered_too(start_camera, clip):
    _, camera = start_camera()
    for frame in range(3):
        camera.send(to_image(np.full((480, 640, 3), 128, np.uint8), header(frame)))
    assert [a.skeletons for a in camera.finish()] == [[]] * 3


def test_who_comes_in_is_seen_within_half_a_second_and_offline_in_the_very_frames(start_camera, clip):
    _, camera = start_camera()
    nobody = np.full((480, 640, 3), 128, np.uint8)
    film = [nobody] * 29 + clip  # the picture before the first with somebody is not looked at
    for frame, image in enumerate(film):
        camera.send(to_image(image, header(frame)))
    live = [skeletons_from_message(a) for a in camera.finish()]
    assert len(live) == len(film), 'what is not looked at is answered, too'
    first = next(frame for frame, people in enumerate(live) if people)
    assert first >= 29 and (first - 29) * FRAME < SECOND // 2
    assert all(live[first:]), 'from then on in each frame'

    estimator, watch = pose.create('mediapipe'), IdleFrameSkipper()
    try:
        for frame, people in enumerate(live):
            stamp_ns = START + frame * FRAME
            wanted = estimator.estimate(film[frame], stamp_ns) if watch.should_process(stamp_ns) else None
            if wanted is not None:
                watch.record_processed(stamp_ns, anybody=bool(wanted))
            for one, other in zip(people, wanted or [], strict=True):
                np.testing.assert_array_equal(one.positions, other.positions)
    finally:
        estimator.close()


def test_two_people_and_grey_and_rgb_images(start_camera, clip):
    _, camera = start_camera(num_poses=2)
    for frame in range(10):
        both = np.hstack([clip[frame], clip[-frame - 1]])
        camera.send(to_image(both, header(frame)))
    assert {s.person_id for a in camera.finish() for s in a.skeletons} == {'p1', 'p2'}
    grey = cv2.cvtColor(clip[0], cv2.COLOR_BGR2GRAY)
    camera.send(Image(header=header(20), height=480, width=640, encoding='mono8', step=640, data=grey.tobytes()))
    rgb = to_image(np.ascontiguousarray(clip[0][:, :, ::-1]), header(21))
    rgb.encoding = 'rgb8'
    camera.send(rgb)
    assert [len(a.skeletons) for a in camera.finish()] == [1, 1]


def bad_images(image: np.ndarray) -> list[tuple[Image, str]]:
    """Messages that cannot be, and what must be said of each; nothing where one like it came before."""
    def changed(**fields) -> Image:
        message = to_image(image, header(100))
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    return [
        (changed(encoding='32FC1'), "encoding '32FC1' is a depth image"),
        (changed(encoding='x' * 1_000_000), ''),
        (changed(step=7), 'step is 7'),
        (changed(step=0), ''),
        (changed(data=b''), 'data has 0 bytes'),
        (changed(data=bytes(1000)), ''),
        (changed(height=0), '640 x 0 pixels'),
        (changed(width=0, step=0, data=b''), ''),
        (changed(height=2**32 - 1, width=2**32 - 1), ''),
        (changed(header=Header(frame_id='camera_optical')), 'header.stamp is 0.000000000'),
    ]


@pytest.mark.faults
def test_bad_images_are_named_and_the_next_good_one_is_answered(start_camera, clip):
    node, camera = start_camera()
    bad = bad_images(clip[0])
    for frame, (message, _) in enumerate(bad):
        camera.send(to_image(clip[frame], header(frame)))
        camera.send(message, answered=False)
    answers = camera.finish()
    assert [stamp_of(a.header) for a in answers] == [START + frame * FRAME for frame in range(len(bad))]
    assert [[s.person_id for s in a.skeletons] for a in answers] == [['p1']] * len(bad)
    for _, said in bad:
        if said:
            assert node.said(said), f'{said!r} not in:\n{node.output}'
    assert 'Traceback' not in node.output


def test_the_same_trouble_again_and_again_is_said_once(start_camera, probe, clip):
    node, camera = start_camera()
    for frame in range(10):
        camera.send(to_image(clip[frame], header(frame)))
        camera.send(to_image(clip[frame], header(frame)), answered=False)  # the same stamp again
    assert len(camera.finish()) == 10
    probe.wait_for(lambda: node.said('two images'), 'the trouble')
    assert node.output.count('two images have the same stamp') == 1


@pytest.mark.faults
def test_bad_compressed_images_are_named_and_the_next_good_one_is_answered(start_camera, probe, clip):
    node, camera = start_camera(transport='compressed')
    good = bytes(to_compressed(clip[0], header(0)).data)
    bomb = bytearray(good)
    at = bomb.index(b'\xff\xc0')
    bomb[at + 5:at + 9] = b'\xff\xff\xff\xff'
    bad = {b'': 'neither JPEG nor PNG', good[:len(good) // 2]: 'is cut off', bytes(bomb): '65535 x 65535 pixels',
           b'\0' * 1_000_000: 'neither JPEG nor PNG', good[:20]: 'has no size in its header'}
    for frame, data in enumerate(bad):
        camera.send(to_compressed(clip[frame], header(frame)))
        camera.send(CompressedImage(header=header(100), format='jpeg', data=data), answered=False)
    camera.send(to_compressed(clip[5], header(5)))
    assert [len(a.skeletons) for a in camera.finish()] == [1] * 6
    probe.wait_for(lambda: all(map(node.said, bad.values())), f'what was bad; it said {node.output}')
    assert 'Traceback' not in node.output


@pytest.mark.faults
def test_a_clock_that_jumps_back_is_said_and_everybody_is_new(start_camera, probe, clip):
    node, camera = start_camera()
    for start in (START, START - 500 * SECOND):
        for frame in range(3):
            camera.send(to_image(clip[frame], header(frame, start)))
    answers = camera.finish()
    assert [s.person_id for a in answers for s in a.skeletons] == ['p1'] * 3 + ['p2'] * 3
    assert stamp_of(answers[3].header) == START - 500 * SECOND
    probe.wait_for(lambda: node.said('camera stamps jumped back by 500.1 s'), 'the jump')


@pytest.mark.faults
def test_under_overload_the_oldest_frames_are_dropped_counted_and_the_newest_answered(start_node, probe, clip):
    start_node('pose_estimation', {'queue': 1})
    camera = Camera(probe)
    images = [to_image(image, header(frame)) for frame, image in enumerate(clip)]
    camera.send_at(200.0, images)  # a pose takes many times longer
    newest = stamp_of(images[-1].header)

    def newest_is_answered():
        if camera.skeletons and stamp_of(camera.skeletons[-1].header) == newest:
            return True
        camera.send(images[-1])  # again: on a busy machine best effort may lose it
        return False

    probe.wait_for(newest_is_answered, 'the newest frame')
    stamps = [stamp_of(a.header) for a in camera.skeletons]
    assert stamps == sorted(set(stamps)) and len(stamps) < len(images)

    def dropped():
        return sum(int(v.value) for m in camera.health[-1:] for s in m.status for v in s.values if v.key == 'dropped')

    probe.wait_for(lambda: dropped() > 0, 'the drops in diagnostics')


@pytest.mark.slow
def test_the_mmpose_backend_runs_in_the_node(start_camera, clip):
    pytest.importorskip('mmpose', reason='the extra of requirements/mmpose.txt is not installed')
    _, camera = start_camera(backend='mmpose', min_visibility=0.0, min_score=0.0, min_extent=0.0,
                             **{'mmpose.allow_random_weights': True})
    for frame in range(5):
        camera.send(to_image(clip[frame], header(frame)))
    for answer in camera.finish():
        (person,) = skeletons_from_message(answer)
        assert np.isfinite(person.positions).all()


def test_mmpose_without_weights_says_so_and_ends(start_node):
    pytest.importorskip('mmpose', reason='the extra of requirements/mmpose.txt is not installed')
    node = start_node('pose_estimation', {'backend': 'mmpose'})
    assert node.wait() == 2
    assert 'no checkpoint for' in node.output and 'allow_random_weights' in node.output


def test_without_its_model_it_says_what_to_do_and_ends(start_node, tmp_path: Path, monkeypatch):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    node = start_node('pose_estimation')
    assert node.wait() == 2
    assert 'pose-landmarker-full' in node.output and 'smern assets fetch' in node.output
    assert 'Traceback' not in node.output


def test_without_a_system_library_it_names_the_debian_package_and_ends(start_node, tmp_path: Path, monkeypatch):
    (tmp_path / 'cv2.py').write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    node = start_node('pose_estimation')
    assert node.wait() == 2
    assert 'libGL.so.1' in node.output and 'apt install libgl1' in node.output
    assert 'Traceback' not in node.output


@pytest.mark.parametrize(('parameters', 'said'), [
    ({'backend': 'openpose'}, "backend is 'openpose'; expected one of"),
    ({'model': '/nowhere/pose.task'}, 'no pose model at /nowhere/pose.task'),
    ({'num_poses': 0}, 'num_poses'),
])
def test_a_wrong_parameter_ends_it_with_a_reason(start_node, parameters, said):
    node = start_node('pose_estimation', parameters)
    assert node.wait() == 2
    assert said in node.output
    assert 'Traceback' not in node.output


def test_while_nobody_is_in_view_answers_are_never_more_than_three_frames_apart(start_camera, probe):
    """Whoever waits for answers, as a replay does, has four frames under way."""
    _, camera = start_camera(drop_frames=True)
    empty = np.zeros((48, 64, 3), np.uint8)
    camera.send_at(30.0, [to_image(empty, header(frame)) for frame in range(30)])
    probe.wait_for(lambda: len(camera.skeletons) >= 10, 'answers')
    frames = [(stamp_of(answer.header) - START) // FRAME for answer in camera.skeletons]
    assert max(later - one for one, later in pairwise(frames)) <= 3
    assert not any(answer.skeletons for answer in camera.skeletons)
