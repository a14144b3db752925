# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the audio encoder sees of an utterance."""
import numpy as np
import pytest

from smern_ros.audio.features import extract
from smern_ros.audio.mfcc import mfcc
from smern_ros.audio.prosody import prosody
from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.values import SECOND, Utterance


def utterance(samples):
    return Utterance('u1.000', SECOND, SECOND + len(samples) * SECOND // SPEC.sample_rate, samples)


def test_an_utterance_has_the_features_of_its_samples_and_keeps_its_name_and_time(speech):
    spoken = utterance(speech[3])
    features = extract(spoken)
    assert (features.utterance_id, features.start_ns, features.end_ns) == (spoken.id, spoken.start_ns, spoken.end_ns)
    np.testing.assert_array_equal(features.mfcc, mfcc(speech[3])[: SPEC.max_audio_frames])
    np.testing.assert_array_equal(features.prosody, prosody(speech[3]))


@pytest.mark.weights
def test_a_speech_encoder_hears_the_utterance_too(speech):
    speech_encoder = SpeechEncoder()
    spoken = utterance(speech[3])
    np.testing.assert_array_equal(extract(spoken, speech_encoder).speech, speech_encoder.encode(speech[3]))
    assert extract(spoken).speech is None


def test_a_long_utterance_has_as_many_frames_as_the_encoder_reads():
    assert len(extract(utterance(np.zeros(16000 * 10, np.float32))).mfcc) == SPEC.max_audio_frames


@pytest.mark.parametrize(('samples', 'said'), [
    (np.zeros(0, np.float32), r'shape \(0,\)'),
    (np.zeros((100, 2), np.float32), r'shape \(100, 2\)'),
    (np.array([0, np.nan], np.float32), 'not finite'),
])
def test_what_is_no_sound_is_refused(samples, said):
    with pytest.raises(ValueError, match=said):
        extract(utterance(samples))
