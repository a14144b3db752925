# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""No speaker, comment or content is ever learnt from and measured on."""
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.skeleton.features import model_input
from smern_ros.text.tokens import tokenise
from smern_ros.training.common.splits import Split, by_group, require_disjoint
from smern_ros.training.corpora import Motion, bandai, emodb, goemotions, nemo, ravdess
from smern_ros.training.fusion.encode_samples import folds
from smern_ros.training.open_model import build
from smern_ros.training.open_model.dataset import Samples
from smern_ros.training.open_model.samples import (
    looks_of,
    movement_split,
    movements_apart,
    pretraining_comments,
    smaller,
    speech_split,
    text_split,
)
from smern_ros.training.skeleton import skeleton_augment


@given(
    groups=st.lists(st.sampled_from('abcdef'), min_size=1, max_size=30),
    dev=st.sets(st.sampled_from('abcdef')),
    test=st.sets(st.sampled_from('abcdef')),
)
def test_a_split_by_group_shares_no_group_and_loses_no_sample(groups, dev, test):
    samples = list(enumerate(groups))
    try:
        split = by_group(samples, lambda sample: sample[1], dev, test)
    except ValueError:
        overlapping = bool(dev & test)
        short = not set(groups) & dev or not set(groups) & test or not set(groups) - dev - test
        assert overlapping or short
        return
    parts = [{group for _, group in part} for part in (split.train, split.dev, split.test)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert sorted([*split.train, *split.dev, *split.test]) == samples


@pytest.mark.parametrize(('source', 'target'), [('train', 'test'), ('train', 'dev'), ('test', 'dev')])
def test_a_sample_smuggled_into_another_part_is_found(shared_data, source, target):
    split = speech_split(shared_data)
    leaked = replace(split, **{target: [*getattr(split, target), getattr(split, source)[0]]})
    with pytest.raises(ValueError, match='share'):
        require_disjoint(leaked, lambda clip: clip.speaker)


def test_speakers_are_held_out_in_each_corpus(shared_data):
    split = speech_split(shared_data)
    speakers = [{clip.speaker for clip in part} for part in (split.train, split.dev, split.test)]
    assert [len(s) for s in speakers] == [20, 4, 11]
    assert len(set.union(*speakers)) == 35
    assert {clip.speaker for clip in split.test} == emodb.TEST_SPEAKERS | nemo.TEST_SPEAKERS | ravdess.TEST_SPEAKERS
    assert sum(map(len, (split.train, split.dev, split.test))) == 339 + 1039 + 448


CONTENTS = ('bow', 'bye', 'byebye', 'dash', 'guide', 'run', 'walk', 'walk-back', 'walk-left', 'walk-right')
TWINS = (('walk-left', 'walk-right'), ('walk', 'walk-back'), ('bye', 'byebye'), ('bye', 'guide'), ('dash', 'run'))


def sides(split):
    return [{motion.content for motion in part} for part in (split.train, split.dev, split.test)]


def motion(content):
    return Motion('here', content, content, 'neutral', 30.0, np.zeros((20, 10, 3), np.float32))


@pytest.fixture(scope='module')
def acted():
    return movements_apart([motion(content) for content in CONTENTS])


@pytest.mark.parametrize('twins', TWINS)
def test_contents_that_look_alike_are_on_one_side(acted, twins):
    assert sum(bool(set(twins) & side) for side in sides(acted)) == 1
    assert set.union(*sides(acted)) == set(CONTENTS)


@pytest.mark.parametrize('twins', TWINS)
def test_contents_that_look_alike_are_strange_together_when_temperatures_are_found(twins):
    motions = [motion(content) for content in CONTENTS]
    found = list(folds([looks_of(m) for m in motions]))
    assert len(found) == 3
    for kept, _ in found:
        assert len({motions[i].content for i in kept} & set(twins)) in (0, 2)


def test_development_contents_that_look_like_those_of_the_test_are_not_learnt_from(acted):
    leaking = replace(acted, dev=[*acted.dev, motion('walk-left')], test=[motion('walk-right')])
    samples = Samples(Split([], [], []), leaking, {}, None, None)
    with pytest.raises(ValueError, match='train and test share .*walk-left and walk-right'):
        build._learning_from_development(samples, None, None, None)


def test_a_content_that_was_never_compared_is_refused():
    with pytest.raises(ValueError, match="'jump' is not in LOOK_ALIKES; compare"):
        movements_apart([motion('jump')])


def test_contents_are_held_out(shared_data):
    train, dev, test = sides(movement_split(shared_data))
    assert (dev, test) == (bandai.DEV_CONTENTS, bandai.TEST_CONTENTS)
    assert train == set(CONTENTS) - bandai.TEST_CONTENTS - bandai.DEV_CONTENTS


def test_contents_each_of_which_looks_most_like_the_other_are_on_one_side(shared_data):
    """By the median distance of a window from the nearest one of the same emotion, as it is or in a mirror."""
    seen = {}
    for clip in bandai.read(shared_data):
        pieces = [skeleton_augment.MotionWindow(clip, start, 20) for start in range(0, len(clip.positions) - 19, 12)]
        shown = [
            [model_input(skeleton_augment.as_captured(p))[0].ravel() for p in (piece, skeleton_augment.mirrored(piece))]
            for piece in pieces
        ]
        seen.setdefault(clip.content, {}).setdefault(clip.label, []).extend(shown)

    def distance(one, other):
        found = []
        for label, windows in seen[one].items():
            plain, any_way = np.stack([w[0] for w in windows]), np.concatenate(seen[other][label])
            found.append(np.linalg.norm(plain[:, None] - any_way[None], axis=-1).min(axis=1))
        return np.median(np.concatenate(found))

    nearest = {one: min(seen.keys() - {one}, key=lambda other: distance(one, other)) for one in seen}
    mutual = {one for one, other in nearest.items() if nearest[other] == one}
    assert {'walk-left', 'dash', 'bye', 'guide'} <= mutual
    assert all(bandai.alike(one) == bandai.alike(nearest[one]) for one in mutual)


def test_no_comment_is_in_two_parts(shared_data):
    """Not even with other capitals or marks, which the network does not read."""
    split = text_split(shared_data)
    texts = [{' '.join(tokenise(c.text)) or c.text for c in part} for part in (split.train, split.dev, split.test)]
    assert not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])
    assert len(split.train) == len(goemotions.read(shared_data, 'train'))
    first = {comment.text.lower() for comment in pretraining_comments(shared_data)}
    assert not first & {c.text.lower() for c in (*split.dev, *split.test)}


def test_a_smaller_split_has_each_label_as_often():
    class Labelled(str):
        label = property(lambda self: self.split()[0])

    samples = [Labelled(f'{label} {i}') for label in ('happy', 'sad', 'angry', 'neutral') for i in range(9)]
    few = smaller(Split(samples, samples, samples), 8).train
    assert [sample.label for sample in few] == ['happy'] * 2 + ['sad'] * 2 + ['angry'] * 2 + ['neutral'] * 2
