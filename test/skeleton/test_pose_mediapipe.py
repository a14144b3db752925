# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The default pose estimator on real people, and on what is none."""
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from smern_ros.skeleton.joints import Gates
from smern_ros.skeleton.pose import MissingLibrary, create
from smern_ros.spec import Joint
from smern_ros.values import SECOND

pytestmark = pytest.mark.weights

FRAME = SECOND // 30


@pytest.fixture(scope='module')
def model() -> Path:
    from smern_ros import assets

    try:
        return assets.path('pose-landmarker-full')
    except assets.MissingAsset as error:
        pytest.skip(str(error))


@pytest.fixture
def estimator(model):
    made = []

    def make(**options):
        made.append(create('mediapipe', model=model, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def clip(shared_data):
    def read(name: str, frames: int = 1000) -> list[np.ndarray]:
        """Frames (480, 640, 3) of a signer who stands facing the camera."""
        video = cv2.VideoCapture(str(shared_data / f'video_upperbody/asl_gestures/{name}.mkv'))
        images = []
        while len(images) < frames:
            more, image = video.read()
            if not more:
                break
            images.append(image)
        assert images
        return images

    return read


def run(estimator, images, *, step=FRAME, start=0):
    return [estimator.estimate(image, start + k * step) for k, image in enumerate(images)]


@pytest.mark.parametrize('name', ['again', 'hungry', 'walk'])  # three people
def test_a_signer_is_found_in_every_frame_and_is_one_person(estimator, clip, name):
    frames = run(estimator(), clip(name))
    assert all(len(people) == 1 for people in frames)
    people = [people[0] for people in frames]
    assert {p.person_id for p in people} == {'p1'}
    assert [p.stamp_ns for p in people] == [k * FRAME for k in range(len(people))]
    assert min(p.score for p in people) > .9
    assert np.mean([p.confidences for p in people]) > .9


def test_the_axes_are_those_of_the_cameras_optical_frame(estimator, clip):
    person = run(estimator(), clip('again', 10))[-1][0]
    x, y, z = person.positions.T
    assert person.positions[Joint.THORAX] == pytest.approx(0)
    assert x[Joint.LEFT_SHOULDER] > .1 and x[Joint.RIGHT_SHOULDER] < -.1   # facing us, their left is on our right
    assert y[Joint.NOSE] < -.05 and y[Joint.SPINE] > .1                    # y grows downwards
    assert z[Joint.NOSE] < -.05                                            # the nose is nearer to us than the thorax
    assert .25 < np.linalg.norm(person.positions[Joint.LEFT_SHOULDER] - person.positions[Joint.RIGHT_SHOULDER]) < .5
    u, v = person.image_positions.T
    assert 380 < u[Joint.LEFT_SHOULDER] < 420 and 210 < u[Joint.RIGHT_SHOULDER] < 260   # measured by hand
    assert 180 < v[Joint.THORAX] < 230 and 90 < v[Joint.NOSE] < 140
    assert person.extent == pytest.approx((u[Joint.LEFT_SHOULDER] - u[Joint.RIGHT_SHOULDER]) / 640, rel=.2)


def test_wrists_out_of_the_image_have_no_position(estimator, clip):
    cut = [image[:300] for image in clip('again', 10)]  # the hands hang below row 300
    person = run(estimator(), cut)[-1][0]
    assert np.isnan(person.positions[[Joint.LEFT_WRIST, Joint.RIGHT_WRIST]]).all()
    assert np.isnan(person.image_positions[Joint.LEFT_WRIST]).all()
    assert (person.confidences[[Joint.LEFT_WRIST, Joint.RIGHT_WRIST]] < .5).all()
    assert np.isfinite(person.positions[[Joint.NOSE, Joint.LEFT_SHOULDER]]).all()


def test_two_people_side_by_side_keep_their_ids(estimator, clip):
    both = [np.hstack(pair) for pair in zip(clip('brother', 45), clip('hungry', 45), strict=True)]
    frames = run(estimator(num_poses=2), both)
    seen = {p.person_id: [] for people in frames for p in people}
    for people in frames:
        for p in people:
            seen[p.person_id].append(p.image_positions[Joint.NOSE, 0])
    assert set(seen) == {'p1', 'p2'}
    assert max(seen['p1']) < 640 < min(seen['p2'])
    assert min(len(us) for us in seen.values()) > 40


def test_num_poses_bounds_how_many_are_found(estimator, clip):
    both = [np.hstack(pair) for pair in zip(clip('brother', 5), clip('hungry', 5), strict=True)]
    assert [len(people) for people in run(estimator(num_poses=1), both)] == [1] * 5


def test_a_person_too_far_to_talk_to_is_nobody(estimator, clip):
    def from_afar(image):
        street = np.full((480, 640, 3), 180, np.uint8)
        street[200:320, 250:410] = cv2.resize(image, None, fx=.25, fy=.25, interpolation=cv2.INTER_AREA)
        return street

    images = [from_afar(image) for image in clip('again', 10)]
    assert run(estimator(gates=Gates(min_extent=.1)), images) == [[]] * 10
    near = run(estimator(gates=Gates(min_extent=.01)), images)[-1]
    assert [p.extent for p in near] == [pytest.approx(.07, abs=.02)]


def test_no_one_is_seen_in_noise_or_in_a_stick_figure(estimator):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (480, 640, 3), dtype=np.uint8) for _ in range(5)]
    stick = np.full((480, 640, 3), 255, np.uint8)
    cv2.circle(stick, (320, 100), 50, (0, 0, 0), 4)
    for line in (((320, 150), (320, 350)), ((320, 200), (220, 300)), ((320, 200), (420, 300)),
                 ((320, 350), (250, 479)), ((320, 350), (390, 479))):
        cv2.line(stick, *line, (0, 0, 0), 6)
    for images in (noise, [stick] * 5):
        assert run(estimator(gates=Gates(min_extent=0)), images) == [[]] * 5


def test_a_stricter_score_keeps_out_a_good_drawing_and_nobody_who_stands_well_lit(estimator, clip):
    strict = Gates(min_score=.9)
    assert len(run(estimator(), [drawing()])[-1]) == 1
    assert run(estimator(gates=strict), [drawing()] * 3) == [[]] * 3
    for name in ('again', 'hungry', 'walk'):
        assert all(len(people) == 1 for people in run(estimator(gates=strict), clip(name, 3)))


def drawing() -> np.ndarray:
    """Somebody in a comic: round head with a face, blue pullover, arms hanging."""
    skin, hair, wool = (150, 190, 235), (30, 50, 80), (160, 80, 40)
    image = np.full((480, 640, 3), (235, 225, 210), np.uint8)
    cv2.fillPoly(image, [np.array([[245, 215], [395, 215], [375, 479], [265, 479]])], wool)
    cv2.rectangle(image, (300, 165), (340, 220), skin, -1)
    cv2.ellipse(image, (320, 120), (45, 60), 0, 0, 360, skin, -1)
    cv2.ellipse(image, (320, 90), (50, 45), 0, 180, 360, hair, -1)
    for x in (303, 337):
        cv2.ellipse(image, (x, 115), (9, 6), 0, 0, 360, (255, 255, 255), -1)
        cv2.circle(image, (x, 115), 4, (60, 40, 20), -1)
        cv2.ellipse(image, (x, 102), (11, 4), 0, 180, 360, hair, 2)
    cv2.line(image, (320, 120), (316, 137), (110, 150, 200), 2)
    cv2.ellipse(image, (320, 150), (14, 6), 0, 0, 180, (80, 80, 200), -1)
    for x in (273, 367):
        cv2.ellipse(image, (x, 122), (7, 13), 0, 0, 360, skin, -1)
    for shoulder, elbow, hand in (((255, 230), (205, 330), (190, 430)), ((385, 230), (435, 330), (450, 430))):
        cv2.line(image, shoulder, elbow, wool, 36)
        cv2.line(image, elbow, hand, wool, 30)
        cv2.circle(image, hand, 20, skin, -1)
    return image


def test_a_replay_at_another_time_of_day_gives_the_same_numbers(estimator, clip):
    images = clip('walk', 20)
    one, other = run(estimator(), images), run(estimator(), images, start=1_700_000_000_123_456_789)
    for (a,), (b,) in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.positions, b.positions)
        np.testing.assert_array_equal(a.confidences, b.confidences)


def test_a_clock_that_jumps_back_starts_anew_with_new_ids(estimator, clip):
    images, pose = clip('again', 5), estimator()
    before = run(pose, images, start=100 * SECOND)
    after = run(pose, images)
    assert [p.person_id for people in before for p in people] == ['p1'] * 5
    assert [p.person_id for people in after for p in people] == ['p2'] * 5
    np.testing.assert_array_equal(before[-1][0].positions, after[-1][0].positions)


def test_slow_cameras_and_frames_closer_than_a_millisecond_are_taken(estimator, clip):
    for step in (SECOND // 25, 1000, 0, 3 * SECOND):
        frames = run(estimator(), clip('again', 4), step=step)
        assert [p.stamp_ns for (p,) in frames] == [k * step for k in range(4)]


def test_the_size_of_the_image_may_change_and_be_odd(estimator, clip):
    pose, image = estimator(), clip('again', 1)[0]
    sizes = [(1, 1), (2, 4000), (241, 321), (720, 1280), (480, 640)]
    found = [pose.estimate(cv2.resize(image, (w, h)), k * FRAME) for k, (h, w) in enumerate(sizes)]
    assert [[p.person_id for p in people] for people in found] == [[], [], ['p1'], ['p2'], ['p3']]


def test_what_is_no_image_is_named(estimator):
    pose = estimator()
    for bad in (np.zeros((480, 640), np.uint8), np.zeros((480, 640, 3), np.float32), np.zeros((0, 640, 3), np.uint8)):
        with pytest.raises(ValueError, match=r'expected a BGR image \(H, W, 3\) uint8'):
            pose.estimate(bad, 0)


def test_a_wrong_option_is_named(model):
    with pytest.raises(ValueError, match='no pose model at /nowhere'):
        create('mediapipe', model='/nowhere/pose.task')
    with pytest.raises(ValueError, match='num_poses is 0'):
        create('mediapipe', model=model, num_poses=0)
    with pytest.raises(ValueError, match=r"unknown pose backend 'openpose'; expected one of mediapipe, mmpose"):
        create('openpose')


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / 'pose.task').write_bytes(b'not a model')
    with pytest.raises(ValueError, match=r'pose\.task'):
        create('mediapipe', model=tmp_path / 'pose.task')


def test_a_file_of_absurd_size_is_not_read(tmp_path):
    with (tmp_path / 'pose.task').open('wb') as file:
        file.truncate(1 << 40)  # sparse: takes no room
    with pytest.raises(ValueError, match=r'pose\.task has .* are never read'):
        create('mediapipe', model=tmp_path / 'pose.task')


def test_what_could_not_be_made_anew_after_a_clock_jump_is_made_at_the_next_frame(estimator, clip, monkeypatch):
    images, pose = clip('walk', 3), estimator()
    assert pose.estimate(images[0], 10**9)

    def fails(*_):
        raise RuntimeError('no memory')

    with monkeypatch.context() as patch:
        patch.setattr(pose._landmarker_class, 'create_from_options', fails)
        with pytest.raises(RuntimeError, match='no memory'):
            pose.estimate(images[1], 1)
    assert pose.estimate(images[2], 2 * 10**9)


def test_a_missing_system_library_is_named_with_its_debian_package(model, monkeypatch):
    from mediapipe.tasks.python.core import mediapipe_c_bindings

    def absent():
        raise OSError('libEGL.so.1: cannot open shared object file: No such file or directory')

    monkeypatch.setattr(mediapipe_c_bindings, 'load_raw_library', lambda *_: absent())
    with pytest.raises(MissingLibrary, match=r'libEGL\.so\.1.*apt install .*libegl1'):
        create('mediapipe', model=model)


def test_nothing_but_our_own_words_comes_out_on_stderr(model, shared_data):
    program = f"""
import cv2, sys
from smern_ros.skeleton.pose import create
image = cv2.VideoCapture({str(shared_data / 'video_upperbody/asl_gestures/again.mkv')!r}).read()[1]
pose = create('mediapipe', model={str(model)!r})
for stamp in (1, 2, 0):
    print('our words', file=sys.stderr)
    assert len(pose.estimate(image, stamp)) == 1
pose.close()
"""
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.splitlines() == ['our words'] * 3
