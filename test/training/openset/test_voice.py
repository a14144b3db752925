"""What the encoder learns with is what a robot would have: the speaker's scale from other utterances, no labels."""
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.models.inputs import InputEncoder
from smern_ros.persons import NOBODY
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.training.corpora import Clip
from smern_ros.training.openset.functionals import by_speaker
from smern_ros.training.openset.speakers import heard_after
from smern_ros.training.voice import (
    RECIPE,
    Recipe,
    Spoken,
    audio_only,
    known_items,
    masked,
    probabilities,
    teach,
    weights_of,
)
from smern_ros.values import AudioFeatures

LOUD = 60.0


def spoken(speaker, label, count, generator, versions=2):
    """Each a second long. Angry is loud for whoever speaks, and b speaks by far louder than a."""
    made = []
    for i in range(count):
        level = LOUD * (label == 'angry') + 4 * LOUD * (speaker == 'b')
        features = [
            AudioFeatures('', 0, 0, generator.normal(level, 20, (100, 39)).astype(np.float32),
                          generator.normal(level, 20, 35).astype(np.float32))
            for _ in range(versions)
        ]
        made.append(Spoken(Clip('made', f'{speaker}{label}{i}', None, speaker, label), features))
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
    inputs = InputEncoder(audio_only(learn), Vocabulary([]), person_prior=person)
    network = teach(learn, inputs, 0, recipe=Recipe(hidden=8, epochs=30, variants=1, person=person))
    angry = probabilities(network, heard_after(test, inputs, known, 0))[:, 2]
    truly = np.array([s.clip.label == 'angry' for s in test])
    return angry[truly].mean() - angry[~truly].mean()


def test_anger_is_heard_in_a_louder_voice_only_when_the_voice_is_known(people):
    assert angry_and_not(people, 'b', math.inf, RECIPE.person) > 0.3
    assert angry_and_not(people, 'b', math.inf, NOBODY) < 0.1


def test_the_same_seed_gives_the_same_encoder(people):
    inputs = InputEncoder(audio_only(people['a']), Vocabulary([]), person_prior=RECIPE.person)
    recipe = Recipe(hidden=4, epochs=1, variants=1)
    first, again, other = (teach(people['a'], inputs, seed, recipe=recipe).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first['fc.weight'], other['fc.weight'])


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=5), seed=st.integers(0, 1000))
def test_what_is_masked_is_a_piece_and_some_neighbouring_coefficients_with_their_differences(lengths, seed):
    mfcc = torch.full((len(lengths), max(lengths), 39), 9.0)
    found = masked(mfcc, torch.tensor(lengths), RECIPE, np.random.default_rng(seed)) != 9
    assert (mfcc == 9).all()
    for hidden, length in zip(found, lengths, strict=True):
        assert torch.equal(hidden[:, :13], hidden[:, 13:26]) and torch.equal(hidden[:, :13], hidden[:, 26:])
        coefficients, frames = hidden.all(dim=0)[:13], hidden.all(dim=1)
        if not coefficients.all():
            assert coefficients.sum() <= RECIPE.masked_cepstra and frames.sum() <= RECIPE.masked * length
            assert torch.equal(hidden[:, :13], coefficients[None] | frames[:, None])
            for marks in (coefficients, frames):
                assert (marks.diff(prepend=marks.new_zeros(1)) & marks).sum() <= 1  # one run


def test_what_cannot_be_used_is_not_learnt_from(people):
    silent = AudioFeatures('', 0, 0, np.zeros((5, 39), np.float32), np.zeros(35, np.float32))
    some = [*people['a'][:4], Spoken(Clip('made', 'silent', None, 'a', 'sad'), [silent, silent])]
    inputs = InputEncoder(audio_only(people['a']), Vocabulary([]), person_prior=RECIPE.person)
    items, usable = known_items(some, inputs, np.random.default_rng(0))
    assert len(items) == 4 and usable == some[:4]


def test_a_small_corpus_is_learnt_as_hard_as_a_large_one_and_a_rare_label_as_a_frequent_one():
    counts = {('large', 'sad'): 30, ('large', 'angry'): 10, ('small', 'sad'): 1, ('small', 'happy'): 4}
    some = [
        Spoken(Clip(corpus, f'{label}{i}', None, f'{corpus}a', label), [])
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
    scaled = by_speaker(shifted, [*'aaaaaa', *'bbbbbb'])
    assert np.allclose(scaled[:6], scaled[6:]) and np.allclose(scaled[:6].mean(axis=0), 0)
