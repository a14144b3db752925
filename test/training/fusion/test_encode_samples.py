# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""No encoder says what it makes of strangers about a speaker or content that it learnt from."""
import pytest

from smern_ros.training.common.splits import folds


@pytest.mark.parametrize('count', [2, 3, 10])
def test_every_speaker_is_a_stranger_once_and_never_among_those_learnt_from(count):
    speakers = [f'speaker {i % count}' for i in range(3 * count)]
    found = list(folds(speakers))
    assert sorted(i for _, strangers in found for i in strangers) == list(range(len(speakers)))
    for kept, strangers in found:
        assert kept and strangers
        assert not {speakers[i] for i in kept} & {speakers[i] for i in strangers}
        assert sorted([*kept, *strangers]) == list(range(len(speakers)))


def test_no_corpus_loses_all_its_speakers_at_once():
    speakers = [f'{corpus}-{i}' for corpus in ('emodb', 'nemo') for i in range(6)]
    for kept, _ in folds(speakers):
        assert {speakers[i].partition('-')[0] for i in kept} == {'emodb', 'nemo'}


def test_of_one_speaker_nobody_is_left_to_learn_from():
    with pytest.raises(ValueError, match='only one'):
        list(folds(['one', 'one']))
