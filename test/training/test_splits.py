"""No speaker, comment or content is ever learnt from and measured on."""
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.training.corpora import bandai, emodb, goemotions, nemo
from smern_ros.training.samples import movement_split, smaller, speech_split, text_split
from smern_ros.training.splits import Split, by_group, require_disjoint


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


def test_speakers_are_held_out_in_both_corpora(shared_data):
    split = speech_split(shared_data)
    speakers = [{clip.speaker for clip in part} for part in (split.train, split.dev, split.test)]
    assert [len(s) for s in speakers] == [10, 2, 7]
    assert len(set.union(*speakers)) == 19
    assert {clip.speaker for clip in split.test} == emodb.TEST_SPEAKERS | nemo.TEST_SPEAKERS
    assert sum(map(len, (split.train, split.dev, split.test))) == 339 + 1039


def test_contents_are_held_out(shared_data):
    split = movement_split(shared_data)
    assert {motion.content for motion in split.test} == bandai.TEST_CONTENTS
    assert not {motion.content for motion in split.train} & (bandai.TEST_CONTENTS | bandai.DEV_CONTENTS)


def test_no_comment_is_in_two_parts(shared_data):
    split = text_split(shared_data)
    texts = [{comment.text for comment in part} for part in (split.train, split.dev, split.test)]
    assert not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])
    assert len(split.train) == len(goemotions.read(shared_data, 'train'))


def test_a_smaller_split_has_each_label_as_often():
    class Labelled(str):
        label = property(lambda self: self.split()[0])

    samples = [Labelled(f'{label} {i}') for label in ('happy', 'sad', 'angry', 'neutral') for i in range(9)]
    few = smaller(Split(samples, samples, samples), 8).train
    assert [sample.label for sample in few] == ['happy'] * 2 + ['sad'] * 2 + ['angry'] * 2 + ['neutral'] * 2
