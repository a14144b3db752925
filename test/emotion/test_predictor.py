# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The predictor with the shipped checkpoint: any evidence, in any order, in time."""
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from support.body import standing

from smern_ros.audio.features import extract
from smern_ros.emotion.predictor import EmotionPredictor, NoEvidence
from smern_ros.emotion.shipped_checkpoints import DEFAULT, checkpoint_folder, names
from smern_ros.models.inputs import MAX_SKELETON_FRAMES
from smern_ros.spec import LABELS, MODALITIES, SPEC
from smern_ros.values import SECOND, AudioFeatures, SkeletonWindow, Transcript, Utterance, UtteranceInputs

SUBSETS = [c for n in (1, 2, 3) for c in combinations(MODALITIES, n)]


@pytest.fixture(scope='module')
def predictor():
    return EmotionPredictor.load()


def audio(frames=300, voiced=True):
    generator = np.random.default_rng(0)
    prosody = generator.normal(size=35).astype(np.float32)
    prosody[0] = 30.0 if voiced else 0.0  # f0_mean
    return AudioFeatures('u', 0, 3 * SECOND, generator.normal(size=(frames, 39)).astype(np.float32), prosody)


def text(words='What a lovely day!'):
    return Transcript('u', 0, 3 * SECOND, words)


def skeleton(frames=90, visible=True):
    positions = standing(frames, np.random.default_rng(1))
    return SkeletonWindow('p', 0, 3 * SECOND, positions * visible, np.full((frames, 10), visible), 0.3)


def inputs(modalities=MODALITIES):
    everything = {'audio': audio(), 'text': text(), 'skeleton': skeleton()}
    return UtteranceInputs('u', 0, 3 * SECOND, **{m: everything[m] for m in modalities})


@pytest.mark.parametrize('modalities', SUBSETS)
def test_any_subset_of_modalities_gives_a_whole_prediction(predictor, modalities):
    prediction = predictor.predict(inputs(modalities))
    assert prediction.labels == LABELS
    assert prediction.modalities == modalities
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert prediction.weights.shape == (len(modalities),)
    assert prediction.weights.sum() == pytest.approx(1, abs=1e-5)
    assert prediction.alone.shape == (len(modalities), len(LABELS))
    assert np.allclose(prediction.alone.sum(axis=1), 1, atol=1e-5)
    assert prediction.model == predictor.id


def test_what_a_modality_would_say_alone_is_what_it_says_alone(predictor):
    together = predictor.predict(inputs())
    for i, modality in enumerate(MODALITIES):
        alone = predictor.predict(inputs((modality,)))
        assert np.allclose(together.alone[i], alone.probabilities, atol=1e-6)


def test_encoding_piece_by_piece_is_predicting(predictor):
    everything = inputs()
    vectors = {
        'skeleton': predictor.encode_skeleton(everything.skeleton),
        'text': predictor.encode_text(everything.text),
        'audio': predictor.encode_audio(everything.audio),
    }
    assert np.array_equal(predictor.fuse(vectors).probabilities, predictor.predict(everything).probabilities)


def test_empty_evidence_is_no_evidence(predictor):
    assert predictor.encode_audio(audio(voiced=False)) is None
    assert predictor.encode_audio(audio(frames=0)) is None
    assert predictor.encode_text(text('')) is None
    assert predictor.encode_text(text('... !')) is None
    assert predictor.encode_skeleton(skeleton(visible=False)) is None
    assert predictor.encode_skeleton(skeleton(frames=0)) is None


def test_the_speech_encoder_s_features_are_heard_where_there_are_any(predictor):
    deaf = audio()
    generator = np.random.default_rng(0)
    one, other = (replace(deaf, speech=generator.normal(size=SPEC.speech).astype(np.float32)) for _ in 'ab')
    vectors = [predictor.encode_audio(features) for features in (deaf, one, other)]
    assert not torch.allclose(vectors[0], vectors[1]) and not torch.allclose(vectors[1], vectors[2])
    for wrong in (one.speech[1:], np.full(SPEC.speech, np.nan, np.float32)):
        with pytest.raises(ValueError, match='speech'):
            predictor.encode_audio(replace(deaf, speech=wrong))


def test_real_silence_and_noise_are_no_voice(predictor):
    generator = np.random.default_rng(0)
    for samples in (np.zeros(16000), 0.1 * generator.standard_normal(16000)):
        features = extract(Utterance('u', 0, SECOND, samples.astype(np.float32)))
        assert predictor.encode_audio(features) is None


def test_no_evidence_at_all_is_refused(predictor):
    with pytest.raises(NoEvidence, match='no voiced audio, no known word, no visible joint'):
        predictor.predict(UtteranceInputs('u', 0, 1, text=text('')))


def test_what_is_none_counts_as_missing(predictor):
    vector = predictor.encode_text(text())
    assert predictor.fuse({'audio': None, 'text': vector}).modalities == ('text',)


def test_features_that_are_not_finite_are_refused(predictor):
    spoilt = audio()
    spoilt.mfcc[3, 4] = np.nan
    with pytest.raises(ValueError, match='mfcc has values that are not finite'):
        predictor.encode_audio(spoilt)


@pytest.mark.parametrize(
    ('vectors', 'why'),
    [({'face': torch.zeros(3)}, 'unknown modality face'), ({'text': torch.zeros(7)}, r'expected \(200,\)')],
)
def test_vectors_of_anything_else_are_refused(predictor, vectors, why):
    with pytest.raises(ValueError, match=why):
        predictor.fuse(vectors)


def test_only_the_beginning_of_long_speech_and_the_end_of_long_movement_are_read(predictor):
    speech = audio(3000)
    other_end = AudioFeatures('u', 0, 1, np.concatenate([speech.mfcc[:750], speech.mfcc[:749:-1]]), speech.prosody)
    assert torch.allclose(predictor.encode_audio(speech), predictor.encode_audio(other_end), atol=1e-5)
    movement = skeleton(frames=100_000)
    last = movement.positions[-MAX_SKELETON_FRAMES:]
    other_start = replace(movement, positions=np.concatenate([movement.positions[: -len(last)][::-1], last]))
    assert torch.allclose(predictor.encode_skeleton(movement), predictor.encode_skeleton(other_start), atol=1e-5)


def test_threads_do_not_disturb_each_other(predictor):
    everything = [inputs(s) for s in SUBSETS] * 4
    one_by_one = [predictor.predict(i).probabilities for i in everything]
    with ThreadPoolExecutor(4) as pool:
        at_once = [p.probabilities for p in pool.map(predictor.predict, everything)]
    assert np.array_equal(one_by_one, at_once)


def test_a_megabyte_of_text_is_read_as_far_as_its_first_words(predictor):
    assert torch.equal(
        predictor.encode_text(text('happy ' * 170_000)), predictor.encode_text(text('happy ' * SPEC.max_words))
    )


@pytest.mark.parametrize('name', names())
def test_each_shipped_checkpoint_is_small_and_called_by_its_id(name):
    assert sum(file.stat().st_size for file in checkpoint_folder(name).iterdir()) < 10_000_000
    assert EmotionPredictor.load(name).id == name


def test_a_checkpoint_without_a_network_for_movement_reads_none():
    predictor = EmotionPredictor.load(f'{DEFAULT}-commercial')
    assert predictor.encode_skeleton(skeleton()) is None
    with pytest.raises(ValueError, match=f'{DEFAULT}-commercial does not use skeleton'):
        predictor.fuse({'text': predictor.encode_text(text()), 'skeleton': torch.zeros(256)})
