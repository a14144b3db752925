# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the encoder learns with is what a robot would have: the speaker's scale from other utterances, no labels."""
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from smern_ros.models.inputs import InputEncoder
from smern_ros.models.person_statistics import NOBODY
from smern_ros.training.audio.audio_trainer import (
    RECIPE,
    AudioRecipe,
    LabelledSpeech,
    Weighted,
    audio_only,
    groups_of,
    known_items,
    logistic_regression,
    probabilities,
    speaker_directions,
    train_voice,
    weights_of,
)
from smern_ros.training.benchmarks.references import normalised_by_speaker
from smern_ros.training.benchmarks.speakers import heard_after
from smern_ros.training.corpora import Clip
from smern_ros.training.open_model.samples import audio_batch
from smern_ros.values import AudioFeatures

LOUD = 60.0


def spoken(speaker, label, count, generator, versions=2):
    """Each a second long. Angry is loud for whoever speaks, and b speaks by far louder than a."""
    made = []
    for i in range(count):
        level = LOUD * (label == 'angry') + 4 * LOUD * (speaker == 'b')
        features = [
            AudioFeatures('', 0, 0, generator.normal(level, 20, (100, 39)).astype(np.float32),
                          generator.normal(level, 20, 35).astype(np.float32),
                          generator.normal(level, 20, 768).astype(np.float32))
            for _ in range(versions)
        ]
        made.append(LabelledSpeech(Clip('made', f'{speaker}{label}{i}', None, speaker, label), features))
    return made


@pytest.fixture(scope='module')
def people():
    generator = np.random.default_rng(0)
    return {
        speaker: [s for label in ('happy', 'sad', 'angry', 'neutral') for s in spoken(speaker, label, 12, generator)]
        for speaker in 'ab'
    }


def angry_and_not(people, speaker, known, person):
    """How surely a speaker's anger is told from the rest by an encoder that learnt from the other speaker."""
    (other,) = set('ab') - {speaker}
    learn, test = people[other], people[speaker]
    inputs = InputEncoder(audio_only(learn), person_prior=person)
    network = train_voice(learn, inputs, 0, recipe=AudioRecipe(variants=1, person=person))
    angry = probabilities(network, heard_after(test, inputs, known, 0))[:, 2]
    truly = np.array([s.clip.label == 'angry' for s in test])
    return angry[truly].mean() - angry[~truly].mean()


def test_anger_is_heard_in_a_louder_voice_only_when_the_voice_is_known(people):
    assert angry_and_not(people, 'b', math.inf, RECIPE.person) > 0.3
    assert angry_and_not(people, 'b', math.inf, NOBODY) < 0.1


def test_the_same_seed_gives_the_same_encoder(people):
    inputs = InputEncoder(audio_only(people['a']), person_prior=RECIPE.person)
    first, again, other = (train_voice(people['a'], inputs, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first['whole.weight'], other['whole.weight'])


def test_without_the_speech_encoder_another_layer_judges_and_anger_is_heard_all_the_same(people):
    inputs = InputEncoder(audio_only(people['a']), person_prior=RECIPE.person)
    network = train_voice(people['a'], inputs, 0)
    deaf = [replace(s, versions=[replace(f, speech=None) for f in s.versions]) for s in people['b']]
    items = heard_after(deaf, inputs, math.inf, 0)
    assert not any(speech.any() for _, _, speech in items)
    angry = probabilities(network, items)[:, 2]
    truly = np.array([s.clip.label == 'angry' for s in deaf])
    assert angry[truly].min() > angry[~truly].max()
    with torch.no_grad():
        network.whole.weight.zero_()
    assert np.array_equal(angry, probabilities(network, items)[:, 2])


def test_the_vector_goes_on_with_directions_of_single_speakers():
    generator = np.random.default_rng(0)
    x = torch.tensor(generator.normal(size=(400, 20)), dtype=torch.float32)
    labels = torch.arange(400) % 4
    speakers = np.array(['a', 'b'])[(np.arange(400) // 4) % 2]
    x[torch.from_numpy(speakers == 'a') & (labels == 0), 3] += 4.0  # what happy is like in a
    x[torch.from_numpy(speakers == 'b') & (labels == 1), 7] += 4.0  # what sad is like in b
    found = speaker_directions(x, Weighted(labels, torch.full((400,), 1 / 400), speakers, speakers), 10)
    assert found.shape == (10, 20) and torch.linalg.matrix_rank(found) == 6  # 3 a speaker; the rest is zero
    seen = found[:2].pow(2).sum(dim=0)
    assert set(seen.topk(2).indices.tolist()) == {3, 7} and seen[[3, 7]].min() > 0.8


def corpora(people):
    """The same of two corpora, in the second of which sad is as loud as angry in the first."""
    return [
        replace(s, clip=replace(s.clip, corpus=corpus, label=names.get(s.clip.label, s.clip.label)))
        for corpus, names in (('one', {}), ('two', {'angry': 'sad', 'sad': 'angry'})) for s in people['a']
    ]


def test_each_member_of_the_committee_learns_without_one_corpus_or_of_one_corpus_without_some_speakers(people):
    spoken = corpora(people)
    assert set(groups_of(spoken)) == {'one', 'two'} and set(groups_of(people['a'] + people['b'])) == {'a', 'b'}
    inputs = InputEncoder(audio_only(spoken), person_prior=RECIPE.person)
    network = train_voice(spoken, inputs, 0)
    assert network.config.members == 3
    alone = [train_voice([s for s in spoken if s.clip.corpus == corpus], inputs, 0) for corpus in ('one', 'two')]
    assert [encoder.config.members for encoder in alone] == [1, 1], 'one speaker: nobody can be left out'
    loud = [s for s in spoken if s.clip.corpus == 'one' and s.clip.label == 'angry']
    items = heard_after([*loud, *(s for s in spoken if s.clip.corpus == 'one')], inputs, math.inf, 0)[: len(loud)]
    one, two = (probabilities(encoder, items).mean(axis=0) for encoder in alone)
    assert one.argmax() == 2 and two.argmax() == 1, 'they have learnt the opposite'
    assert probabilities(network, items).mean(axis=0).max() < min(one.max(), two.max()) - 0.1
    assert train_voice(spoken, inputs, 0, recipe=replace(RECIPE, committee=False)).config.members == 1


def test_the_vector_begins_with_the_logits(people):
    inputs = InputEncoder(audio_only(people['a']), person_prior=RECIPE.person)
    network = train_voice(people['a'], inputs, 0)
    items = [item for item in heard_after(people['a'], inputs, math.inf, 0) if item is not None]
    with torch.no_grad():
        (mfcc, lengths, prosody, speech), _ = audio_batch(items, [0] * len(items))
        vectors = network.features(mfcc, lengths, prosody, speech)
        assert torch.equal(network.output(vectors), vectors[:, :4])
    assert vectors.shape == (len(items), network.config.out)
    assert vectors[:, 4:7].std(dim=0).min() > 0.1


def test_the_regression_is_the_one_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    x, labels = generator.normal(size=(400, 6)), np.arange(400) % 4
    x[np.arange(400), labels] += 1.0
    weights = generator.uniform(0.5, 1.5, 400)
    weights /= weights.sum()
    layer = logistic_regression(
        torch.tensor(x, dtype=torch.float32), torch.tensor(labels), torch.tensor(weights, dtype=torch.float32), 0.02
    )
    theirs = LogisticRegression(C=1 / 0.02, tol=1e-8, max_iter=1000).fit(x, labels, sample_weight=weights)
    assert np.allclose(layer.weight, theirs.coef_, atol=2e-3)
    centred = layer.bias - layer.bias.mean()
    assert np.allclose(centred, theirs.intercept_ - theirs.intercept_.mean(), atol=2e-3)


def test_what_cannot_be_used_is_not_learnt_from(people):
    silent = AudioFeatures('', 0, 0, np.zeros((5, 39), np.float32), np.zeros(35, np.float32))
    some = [*people['a'][:4], LabelledSpeech(Clip('made', 'silent', None, 'a', 'sad'), [silent, silent])]
    inputs = InputEncoder(audio_only(people['a']), person_prior=RECIPE.person)
    items, usable = known_items(some, inputs, np.random.default_rng(0))
    assert len(items) == 4 and usable == some[:4]


def test_a_small_corpus_is_learnt_as_hard_as_a_large_one_and_a_rare_label_as_a_frequent_one():
    counts = {('large', 'sad'): 30, ('large', 'angry'): 10, ('small', 'sad'): 1, ('small', 'happy'): 4}
    some = [
        LabelledSpeech(Clip(corpus, f'{label}{i}', None, f'{corpus}a', label), [])
        for (corpus, label), count in counts.items() for i in range(count)
    ]
    weights = weights_of(some)
    assert weights.mean() == pytest.approx(1)
    for corpus, label in counts:
        of = torch.tensor([(s.clip.corpus, s.clip.label) == (corpus, label) for s in some])
        assert weights[of].sum() == pytest.approx(len(some) / len(counts))


def test_a_speakers_own_scale_takes_out_what_the_speaker_is_like():
    values = np.random.default_rng(0).normal(size=(6, 3))
    shifted = np.concatenate([values, values * [2, 3, 4] + 100])
    scaled = normalised_by_speaker(shifted, [*'aaaaaa', *'bbbbbb'])
    assert np.allclose(scaled[:6], scaled[6:]) and np.allclose(scaled[:6].mean(axis=0), 0)
