# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The mmpose backend on real video. No trained weights can be had in tests: what is checked is all but accuracy."""
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip('mmpose', reason='the extra of requirements/mmpose.txt is not installed')
pytestmark = pytest.mark.slow

import torch  # noqa: E402

from smern_ros.skeleton.joints import Gates, coco_to_h36m  # noqa: E402
from smern_ros.skeleton.mmpose_models import Detector, Lifter, PoseModel  # noqa: E402
from smern_ros.skeleton.pose import MissingLibrary, create  # noqa: E402
from smern_ros.skeleton.pose_mmpose import LIFTER_CONFIG, POSE_CONFIG  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402

FRAME = SECOND // 30
OPEN = Gates(min_visibility=0, min_score=0, min_extent=0)


@pytest.fixture(scope='module')
def clip(shared_data) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(shared_data / 'video_upperbody/asl_gestures/walk.mkv'))
    return [video.read()[1] for _ in range(12)]


@pytest.fixture(scope='module')
def estimator():
    return create('mmpose', allow_random_weights=True, gates=OPEN)


@pytest.fixture(scope='module')
def lifter():
    return Lifter(LIFTER_CONFIG, '', random=True)


def test_each_frame_gives_ten_finite_joints_of_one_person(estimator, clip):
    for frame, image in enumerate(clip):
        (person,) = estimator.estimate(image, frame * FRAME)
        assert person.positions.shape == (10, 3) and np.isfinite(person.positions).all()
        assert person.image_positions.shape == (10, 2) and np.isfinite(person.image_positions).all()
        assert ((person.confidences >= 0) & (person.confidences <= 1)).all()
        assert person.stamp_ns == frame * FRAME


def test_who_stands_still_keeps_the_id_until_the_clock_jumps_back(estimator, clip):
    known = [estimator.estimate(clip[0], 100 * SECOND + frame * FRAME)[0].person_id for frame in range(4)]
    again = estimator.estimate(clip[0], 0)[0].person_id
    assert len(set(known[1:])) == 1 and again not in known


def test_our_coco_to_h36m_is_mmposes():
    from mmpose.apis.inference_3d import convert_keypoint_definition

    points = np.random.default_rng(0).normal(size=(17, 2)).astype(np.float32)
    theirs = convert_keypoint_definition(points[None], 'coco', 'h36m')[0]
    np.testing.assert_allclose(coco_to_h36m(points, np.ones(17))[0], theirs, atol=1e-6)


def test_the_lifter_sees_what_mmposes_own_inference_would_give_it(lifter):
    from mmengine.structures import InstanceData
    from mmpose.apis import inference_pose_lifter_model
    from mmpose.apis.inference_3d import extract_pose_sequence
    from mmpose.structures import PoseDataSample

    past = np.random.default_rng(0).uniform(0, 640, (20, 17, 2)).astype(np.float32)
    frames = []
    for joints in past:
        sample = PoseDataSample(gt_instances=InstanceData(), track_id=0)
        sample.pred_instances = InstanceData(keypoints=joints[None], bboxes=np.zeros((1, 4), np.float32))
        frames.append([sample])
    sequence = extract_pose_sequence(frames, frame_idx=19, causal=False, seq_len=lifter.frames)
    theirs = inference_pose_lifter_model(lifter._model, sequence, image_size=(640, 480))[0].pred_instances.keypoints
    np.testing.assert_allclose(lifter.lift(past, 640, 480), np.reshape(theirs, (17, 3)), atol=1e-5)


def test_the_lifter_uses_no_more_than_its_past(lifter):
    joints = np.random.default_rng(0).uniform(0, 640, (40, 17, 2)).astype(np.float32)
    whole = lifter.lift(joints, 640, 480)
    assert lifter.past == 14 and lifter.frames == 27
    np.testing.assert_array_equal(lifter.lift(joints[-lifter.past:], 640, 480), whole)
    assert not np.allclose(lifter.lift(joints[-3:], 640, 480), whole)


@pytest.mark.parametrize('frames', [1, 81, 243])
def test_other_lifters_of_the_kind_are_taken(frames):
    name = {1: '1frm-supv-cpn-ft_8xb128-160e', 81: '81frm-supv_8xb128-160e', 243: '243frm-supv_8xb128-160e'}[frames]
    lifter = Lifter(f'body_3d_keypoint/video_pose_lift/h36m/video-pose-lift_tcn-{name}_h36m.py', '', random=True)
    assert lifter.frames == frames
    assert np.isfinite(lifter.lift(np.ones((5, 17, 2), np.float32), 640, 480)).all()


def test_checkpoints_are_loaded_with_the_arrays_that_mmpose_puts_beside_the_weights(lifter, tmp_path):
    changed = {name: value + 1 for name, value in lifter._model.state_dict().items()}
    meta = {'dataset_meta': {**lifter._model.dataset_meta, 'sigmas': np.ones(17, np.float64), 'one': np.float32(1)}}
    torch.save({'meta': meta, 'state_dict': changed}, tmp_path / 'lifter.pth')
    loaded = Lifter(LIFTER_CONFIG, str(tmp_path / 'lifter.pth'), random=False)
    for name, value in loaded._model.state_dict().items():
        torch.testing.assert_close(value, changed[name])


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return open, (str(tmp_path / 'touched'), 'w')

    torch.save({'state_dict': Evil()}, tmp_path / 'evil.pth')
    with pytest.raises(Exception, match='(?i)weights'):
        Lifter(LIFTER_CONFIG, str(tmp_path / 'evil.pth'), random=False)
    assert not (tmp_path / 'touched').exists()


def test_an_mmdet_detector_gives_people_the_surest_first(clip):
    detector = Detector('rtmdet/rtmdet_tiny_8xb32-300e_coco.py', '', random=True)
    detector._model.test_cfg.score_thr = 0.0  # untrained, it is sure of nothing
    boxes, scores = detector.boxes(clip[0], most=3, min_score=0)
    assert boxes.shape[1] == 4 and len(boxes) == len(scores) <= 3
    assert (np.diff(scores) <= 0).all()
    assert detector.boxes(clip[0], most=3, min_score=1.0)[0].shape == (0, 4)


def test_without_weights_it_starts_only_if_told_to():
    with pytest.raises(ValueError, match='allow_random_weights'):
        create('mmpose')
    with pytest.raises(ValueError, match='no checkpoint at /nowhere'):
        create('mmpose', pose_weights='/nowhere', allow_random_weights=True)
    with pytest.raises(ValueError, match='no checkpoint at https://example.org/pose.pth.*nothing is downloaded'):
        create('mmpose', pose_weights='https://example.org/pose.pth')


def test_a_checkpoint_of_absurd_size_is_not_read(tmp_path):
    with (tmp_path / 'pose.pth').open('wb') as file:
        file.truncate(1 << 40)  # sparse: takes no room
    with pytest.raises(ValueError, match=r'pose\.pth has .* are never read'):
        create('mmpose', pose_weights=str(tmp_path / 'pose.pth'))


def test_a_wrong_config_is_named():
    with pytest.raises(ValueError, match='no config at nothing.py'):
        create('mmpose', pose_config='nothing.py', allow_random_weights=True)
    with pytest.raises(ValueError, match='is no lifter of the kind video-pose-lift'):
        create('mmpose', lifter_config=POSE_CONFIG, allow_random_weights=True)
    with pytest.raises(ValueError, match='finds 133 keypoints; expected the 17 of COCO'):
        PoseModel('wholebody_2d_keypoint/rtmpose/coco-wholebody/rtmpose-m_8xb64-270e_coco-wholebody-256x192.py', '',
                  random=True)


def test_where_mmpose_is_missing_its_requirements_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmpose.apis', None)
    with pytest.raises(MissingLibrary, match=r'mmpose is not installed.*make mmpose'):
        create('mmpose', allow_random_weights=True)
