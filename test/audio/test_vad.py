# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The voice activity detector is silero's, frame by frame."""
import numpy as np
import pytest

from smern_ros.audio.vad import FRAME, VoiceDetector


@pytest.fixture(scope='module')
def frames(speech):
    return speech[0][: len(speech[0]) // FRAME * FRAME].reshape(-1, FRAME)


def test_it_says_what_silero_s_own_program_says(frames):
    import torch
    from silero_vad import load_silero_vad

    reference = load_silero_vad()
    with torch.inference_mode():
        expected = [float(reference(torch.from_numpy(frame), 16000)) for frame in frames]
    detector = VoiceDetector()
    np.testing.assert_allclose([detector.probability(f) for f in frames], expected, atol=1e-3)


def test_after_a_reset_the_same_sound_has_the_same_probabilities(frames):
    detector = VoiceDetector()
    first = [detector.probability(f) for f in frames]
    assert max(first) > 0.9
    detector.reset()
    assert [detector.probability(f) for f in frames] == first
