# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What training makes of a recording is what the robot's path makes of the same recording, stamp by stamp."""
import numpy as np
import pytest

from smern_ros.audio.features import extract
from smern_ros.skeleton.features import model_input
from smern_ros.skeleton.window import cut
from smern_ros.spec import JOINTS, SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.training.audio import audio_augment
from smern_ros.training.corpora import bandai, emodb
from smern_ros.training.skeleton import skeleton_augment
from smern_ros.values import SECOND, Skeleton, Utterance


def test_a_motion_seen_by_a_camera_gives_the_tensors_that_smacn_was_trained_on(shared_data):
    motion = bandai.read(shared_data)[0]
    piece = skeleton_augment.pieces([motion], 64)[0]
    trained, trained_visible = model_input(skeleton_augment.as_captured(piece))
    positions = motion.positions[piece.start : piece.start + piece.frames].astype(np.float32)
    start = 1_700_000_000 * SECOND
    skeletons = [
        Skeleton(
            start + round(i / SPEC.skeleton_rate * SECOND), 'p1', frame, np.ones(len(JOINTS), np.float32), 1.0, 0.3,
            np.zeros((len(JOINTS), 2), np.float32),
        )
        for i, frame in enumerate(positions)
    ]
    (window,) = cut(skeletons, start, skeletons[-1].stamp_ns)
    served, served_visible = model_input(window)
    np.testing.assert_array_equal(served_visible, trained_visible)
    np.testing.assert_allclose(served, trained, rtol=0, atol=1e-4)


@pytest.mark.weights
def test_a_recording_gives_the_features_that_are_was_trained_on(shared_data, tmp_path):
    clip = emodb.read(shared_data)[0]
    ((trained,),) = audio_augment.features([clip], 0, tmp_path)
    samples = audio_augment.load(clip)
    spoken = Utterance('u', SECOND, SECOND + len(samples) * SECOND // SPEC.sample_rate, samples)
    served = extract(spoken, SpeechEncoder())
    np.testing.assert_allclose(served.mfcc, trained.mfcc, rtol=0, atol=1e-4)
    np.testing.assert_allclose(served.prosody, trained.prosody, rtol=0, atol=1e-4)
    np.testing.assert_allclose(served.speech, trained.speech, rtol=0, atol=1e-4)
