# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How much an answer leans on each modality: over many mixed utterances of the shipped checkpoint, and at the edges."""
import csv
import dataclasses

import numpy as np
import pytest
import torch

from smern_ros.emotion import checkpoint
from smern_ros.emotion.adaptation import Example, fit
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.models.smern_ga import Fused
from smern_ros.models.voice import Voice
from smern_ros.spec import AUDIO, LABELS, MODALITIES, SKELETON, SPEC, TEXT
from smern_ros.values import SECOND, AudioFeatures, SkeletonWindow, Transcript, Utterance

COMMENTS = (
    'I am so happy for you', 'What a wonderful day', 'Thank you, that is great', 'I love it', 'This is awesome news',
    'I am so sorry to hear that', 'I miss her so much', 'That is really sad', 'I cried all night', 'I feel lonely',
    'I hate you', 'This is disgusting', 'Shut up and get out of here', 'How dare you', 'What an idiot',
    'The train leaves at nine', 'I work in the office', 'It is on the table', 'He has two brothers', 'Where is it?',
)
COUNT = 200


@pytest.fixture(scope='module')
def predictor():
    """It uses the movement of any body, also one drawn at random."""
    return EmotionPredictor(dataclasses.replace(checkpoint.load(checkpoint_folder()), posture=None))


def heard(number: int) -> AudioFeatures:
    """Of noise, which the network takes for this and that."""
    generator = np.random.default_rng(number)
    prosody = generator.normal(size=len(SPEC.prosody)) * generator.uniform(1, 200)
    prosody[0] = generator.uniform(20, 40)  # f0_mean
    mfcc = generator.normal(size=(200, SPEC.mfcc)) * generator.uniform(1, 40) + 10 * generator.normal(size=SPEC.mfcc)
    return AudioFeatures('', 0, 2 * SECOND, mfcc.astype(np.float32), prosody.astype(np.float32))


def seen(number: int) -> SkeletonWindow:
    """A body at random that moves at random."""
    generator = np.random.default_rng(number)
    held, moved = generator.normal(0, 0.3, (1, 10, 3)), generator.normal(0, generator.uniform(0, 0.2), (60, 10, 3))
    return SkeletonWindow('', 0, 2 * SECOND, (held + moved).astype(np.float32), np.ones((60, 10), bool), 0.3)


def drawn_at_random(predictor) -> dict[str, list[torch.Tensor]]:
    return {
        AUDIO: [predictor.encode_audio(heard(k)) for k in range(20)],
        TEXT: [predictor.encode_text(Transcript('', 0, SECOND, words)) for words in COMMENTS],
        SKELETON: [predictor.encode_skeleton(seen(k)) for k in range(20)],
    }


def real(predictor, shared_data) -> dict[str, list[torch.Tensor]]:
    import soundfile

    from smern_ros.audio.features import extract
    from smern_ros.training.corpora import bandai
    from smern_ros.training.skeleton.skeleton_augment import as_captured, pieces

    with (shared_data / 'emodb4/labels.csv').open(encoding='utf-8', newline='') as file:
        names = [row['file'] for row in csv.DictReader(file)][::14]
    voices = [soundfile.read(shared_data / 'emodb4/wav' / name, dtype='float32')[0] for name in names]
    movements = pieces(bandai.read(shared_data)[::2], 90)
    with (shared_data / 'text_goemotions/test.tsv').open(encoding='utf-8', newline='') as file:
        comments = [row[0] for row in csv.reader(file, delimiter='\t', quoting=csv.QUOTE_NONE)][:24]
    found = {
        AUDIO: [predictor.encode_audio(extract(Utterance('', 0, SECOND, voice))) for voice in voices],
        TEXT: [predictor.encode_text(Transcript('', 0, SECOND, comment)) for comment in comments],
        SKELETON: [predictor.encode_skeleton(as_captured(piece)) for piece in movements],
    }
    return {m: [vector for vector in vectors if vector is not None] for m, vectors in found.items()}


def mixed(pieces, count=COUNT) -> list[dict[str, torch.Tensor]]:
    generator = np.random.default_rng(0)
    return [{m: vectors[generator.integers(len(vectors))] for m, vectors in pieces.items()} for _ in range(count)]


@pytest.fixture(scope='module', params=['drawn at random', 'real'])
def utterances(request, predictor):
    return mixed(drawn_at_random(predictor) if request.param == 'drawn at random'
                 else real(predictor, request.getfixturevalue('shared_data')))


def without(modality, vectors):
    return {m: vector for m, vector in vectors.items() if m != modality}


def gains(predictor, vectors, network=None) -> np.ndarray:
    """Of each modality, how much more probable (in logarithms) the label is with it than without it."""
    together = predictor.fuse(vectors, network)
    label = together.labels.index(together.label)
    alone = [predictor.fuse(without(m, vectors), network).probabilities[label] for m in vectors]
    return np.log(together.probabilities[label]) - np.log(alone)


def test_the_answer_leans_most_on_the_modality_without_which_the_label_were_least_probable(predictor, utterances):
    for vectors in utterances:
        found, gained = predictor.fuse(vectors).weights, gains(predictor, vectors)
        assert found.sum() == pytest.approx(1, abs=1e-6) and (found >= 0).all()
        np.testing.assert_allclose(found, np.maximum(gained, 0) / np.maximum(gained, 0).sum(), atol=1e-3)


def test_a_modality_that_decides_alone_has_the_largest_weight(predictor, utterances):
    decisive, right = 0, 0
    for vectors in utterances:
        together = predictor.fuse(vectors)
        changing = [m for m in MODALITIES if predictor.fuse(without(m, vectors)).label != together.label]
        if len(changing) == 1:
            decisive += 1
            right += together.modalities[together.weights.argmax()] == changing[0]
    assert decisive > COUNT / 5 and right >= 0.95 * decisive


def test_the_weights_differ_from_utterance_to_utterance(predictor, utterances):
    found = np.array([predictor.fuse(vectors).weights for vectors in utterances])
    assert (found.std(axis=0) > 0.15).all()
    assert all((found.argmax(axis=1) == i).sum() > COUNT / 20 for i in range(3))


def test_with_labels_of_a_person_the_weights_are_those_of_the_corrected_answer(predictor, utterances):
    network = fit(predictor.checkpoint, [Example(f'u{k}', utterances[k], LABELS[k % 2]) for k in range(8)])
    for vectors in utterances[:20]:
        gained = np.maximum(gains(predictor, vectors, network), 0)
        np.testing.assert_allclose(predictor.fuse(vectors, network).weights, gained / gained.sum(), atol=1e-3)


@pytest.mark.parametrize('modality', MODALITIES)
def test_a_single_modality_has_it_all(predictor, utterances, modality):
    assert predictor.fuse({modality: utterances[0][modality]}).weights.tolist() == [1.0]


@pytest.mark.parametrize('missing', MODALITIES)
def test_of_two_modalities_each_is_measured_by_what_the_other_says_alone(predictor, utterances, missing):
    for vectors in utterances[:50]:
        two = predictor.fuse(without(missing, vectors))
        label = two.labels.index(two.label)
        gained = np.maximum(np.log(two.probabilities[label]) - np.log(two.alone[::-1, label]), 0)
        if gained.any():
            np.testing.assert_allclose(two.weights, gained / gained.sum(), atol=1e-3)


# --- edges, of a made-up network ------------------------------------------------------------------------------------

class MadeUp:
    """In place of the fusion: what it says of the first label is given for each set of modalities, 0 of the others."""

    def __init__(self, **logits: float):
        self.logits = logits

    def __call__(self, audio, text, skeleton, present) -> Fused:
        names = [''.join(m[0] for m, here in zip(MODALITIES, row, strict=True) if here) for row in present]
        return Fused(torch.tensor([[self.logits[name], 0.0, 0.0, 0.0] for name in names]), None)


@pytest.fixture(scope='module')
def even(predictor):
    """Temperatures of 1."""
    of_one = dict.fromkeys(predictor.checkpoint.temperatures, 1.0)
    return EmotionPredictor(dataclasses.replace(predictor.checkpoint, temperatures=of_one))


def weights(predictor, **logits) -> list[float]:
    sizes = {AUDIO: Voice.Config().out, TEXT: 200, SKELETON: 256}
    given = {m: torch.zeros(size) for m, size in sizes.items() if any(m[0] in name for name in logits)}
    return predictor.fuse(given, MadeUp(**logits)).weights.tolist()


def test_what_speaks_against_the_label_has_no_weight(even):
    found = weights(even, ats=2.0, ts=1.0, at=1.5, **{'as': 4.0}, a=0.0, t=0.0, s=0.0)
    assert found[1] == 0.0 and found[0] > found[2] > 0.0


@pytest.mark.parametrize('less', [1.0, 3.0])
def test_if_none_makes_the_label_more_probable_all_have_the_same(even, less):
    assert weights(even, ats=1.0, ts=less, at=less, **{'as': less}, a=1.0, t=1.0, s=1.0) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize('scale', [1e-6, 1.0, 100.0, 1e4, 1e37])
@pytest.mark.parametrize('temperature', [1e-30, 1.0, 1e30])
def test_numbers_may_be_as_large_or_small_as_they_can(even, scale, temperature):
    same = dict.fromkeys(even.checkpoint.temperatures, temperature)
    extreme = EmotionPredictor(dataclasses.replace(even.checkpoint, temperatures=same))
    found = weights(extreme, ats=scale, ts=-scale, at=0.0, **{'as': -9 * scale}, a=0.0, t=0.0, s=0.0)
    assert np.isfinite(found).all() and sum(found) == pytest.approx(1, abs=1e-6) and min(found) >= 0
