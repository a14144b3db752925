# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Nothing is learnt from and measured on, and every part looks like the whole."""
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.spec import LABELS
from smern_ros.training.iemocap.experiments import protocols
from smern_ros.training.iemocap.experiments.protocols import PROTOCOLS, Fold, check, new_speakers


@dataclass(frozen=True)
class Utterance:
    id: str
    speaker: str
    session: int
    label: str


def corpus_of(labels: list[str], sessions: int = 5) -> list[Utterance]:
    """Dealt to two speakers a session, so that each label reaches every one."""
    places = Counter()
    utterances = []
    for number, label in enumerate(labels):
        speaker = places[label] % (2 * sessions)
        places[label] += 1
        utterances.append(Utterance(f'u{number}', f's{speaker}', speaker // 2 + 1, label))
    return utterances


IEMOCAP = corpus_of([label for label, n in zip(LABELS, (1606, 1081, 1102, 1703), strict=True) for _ in range(n)])


@st.composite
def corpora(draw):
    counts = [draw(st.integers(10, 70)) for _ in LABELS]
    labels = [label for label, n in zip(LABELS, counts, strict=True) for _ in range(n)]
    return corpus_of(draw(st.permutations(labels)))


def parts(fold):
    return fold.train, fold.dev, fold.test


@settings(max_examples=30, deadline=None)
@given(utterances=corpora(), seed=st.integers(0, 2**32 - 1), name=st.sampled_from(sorted(PROTOCOLS)))
def test_every_utterance_is_in_exactly_one_part_of_every_fold(utterances, seed, name):
    for fold in PROTOCOLS[name](utterances, seed):
        assert sorted([*fold.train, *fold.dev, *fold.test]) == sorted(u.id for u in utterances)
        assert all(parts(fold))


@settings(max_examples=30, deadline=None)
@given(utterances=corpora(), seed=st.integers(0, 2**32 - 1), name=st.sampled_from(sorted(PROTOCOLS)))
def test_no_utterance_is_tested_twice(utterances, seed, name):
    tested = [i for fold in PROTOCOLS[name](utterances, seed) for i in fold.test]
    assert len(tested) == len(set(tested))


@settings(max_examples=30, deadline=None)
@given(utterances=corpora(), seed=st.integers(0, 2**32 - 1))
def test_random_folds_have_the_labels_of_the_whole(utterances, seed):
    whole = Counter(u.label for u in utterances)
    label_of = {u.id: u.label for u in utterances}
    for fold in protocols.random_folds(utterances, seed):
        for part, share in zip(parts(fold), (0.8, 0.05, 0.15), strict=True):
            counts = Counter(label_of[i] for i in part)
            assert all(abs(counts[label] - share * whole[label]) < 2 for label in LABELS)


def test_random_folds_are_8_to_half_to_one_and_a_half_and_test_three_quarters():
    folds = protocols.random_folds(IEMOCAP, 1)
    for fold in folds:
        shares = [len(part) / len(IEMOCAP) for part in parts(fold)]
        assert shares == pytest.approx([0.8, 0.05, 0.15], abs=5e-4)
    assert sum(len(fold.test) for fold in folds) / len(IEMOCAP) == pytest.approx(0.75, abs=1e-3)
    assert len({i for fold in folds for i in (*fold.dev, *fold.test)}) == len(IEMOCAP)


@settings(max_examples=20, deadline=None)
@given(utterances=corpora(), seed=st.integers(0, 2**32 - 1))
def test_speakers_are_kept_apart_where_it_is_promised(utterances, seed):
    speaker_of = {u.id: u.speaker for u in utterances}
    for fold in protocols.across_speakers(utterances, seed):
        train, dev, test = ({speaker_of[i] for i in part} for part in parts(fold))
        assert not train & (test | dev)
        assert (len(train), len(test)) == (8, 2)
    for fold in protocols.leave_one_session_out(utterances, seed):
        train, dev, test = ({speaker_of[i] for i in part} for part in parts(fold))
        assert not test & (train | dev)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), one=st.floats(0.02, 0.5), other=st.floats(0.02, 0.5))
def test_a_larger_fraction_of_new_speakers_holds_the_smaller_one(seed, one, other):
    less, more = sorted((one, other))
    for few, many in zip(new_speakers(IEMOCAP, seed, less), new_speakers(IEMOCAP, seed, more), strict=True):
        assert set(few.train) <= set(many.train)
        inside = len(few.train) + len(few.dev) + len(few.test)
        assert len(few.train) == pytest.approx(less * inside, abs=0.5)
        assert len(few.test) == pytest.approx(3 * len(few.dev), abs=4)


def test_new_speakers_are_those_that_were_held_out_beforehand():
    for beforehand, fold in zip(
        protocols.leave_one_session_out(IEMOCAP, 3), new_speakers(IEMOCAP, 3, 0.1), strict=True
    ):
        assert sorted(i for part in parts(fold) for i in part) == sorted(beforehand.test)


def test_folds_depend_on_the_seed_alone():
    for protocol in PROTOCOLS.values():
        assert protocol(IEMOCAP, 5) == protocol(IEMOCAP, 5)
        assert protocol(IEMOCAP, 5) != protocol(IEMOCAP, 6)


@pytest.mark.parametrize('name', sorted(PROTOCOLS))
def test_a_label_that_never_occurs_is_named(name):
    with pytest.raises(ValueError, match='no utterance is angry'):
        PROTOCOLS[name]([u for u in IEMOCAP if u.label != 'angry'], 0)


@pytest.mark.parametrize('name', sorted(PROTOCOLS))
def test_a_corpus_too_small_to_part_is_refused(name):
    with pytest.raises(ValueError, match='no utterance is|larger corpus|two or more'):
        PROTOCOLS[name](corpus_of(list(LABELS), sessions=2), 0)


def test_one_session_cannot_be_held_out():
    with pytest.raises(ValueError, match='1 sessions'):
        protocols.across_speakers(corpus_of(list(LABELS) * 20, sessions=1), 0)


@pytest.mark.parametrize('fraction', [0, -0.1, 0.51, float('nan')])
def test_a_fraction_out_of_bounds_is_refused(fraction):
    with pytest.raises(ValueError, match='fraction'):
        new_speakers(IEMOCAP, 0, fraction)


@pytest.mark.parametrize(('source', 'target'), [('train', 'test'), ('train', 'dev'), ('dev', 'test')])
def test_an_utterance_smuggled_into_another_part_is_found(source, target):
    fold = protocols.random_folds(IEMOCAP, 0)[0]
    leaked = replace(fold, **{target: (*getattr(fold, target), getattr(fold, source)[0])})
    with pytest.raises(ValueError, match='share'):
        check(leaked, IEMOCAP)


def test_a_fold_of_which_nothing_is_usable_is_refused():
    fold = Fold(('a', 'b'), ('c',), ('d',), 'fold 1')
    assert fold.only({'a', 'c', 'd'}) == Fold(('a',), ('c',), ('d',), 'fold 1')
    with pytest.raises(ValueError, match='fold 1: no utterance is left for test'):
        fold.only({'a', 'b', 'c'})
