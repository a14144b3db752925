# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tokens to words."""
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from smern_ros.speech.word_times import group

PIECES = [' He', ' was', ' not', ' ill', '-', 'disposed', '.', ' Mr', '"']


def decode(tokens):
    return ''.join(PIECES[t] for t in tokens)


def test_a_word_begins_at_a_space_and_keeps_its_punctuation():
    assert group([7, 6, 0, 1, 3, 4, 5, 6], decode, 'en') == [
        ('Mr.', 0, 2), ('He', 2, 3), ('was', 3, 4), ('ill-disposed.', 4, 8),
    ]


def test_half_a_character_waits_for_its_other_half():
    data = ' naïve ça'.encode()
    assert group(list(data), lambda tokens: bytes(tokens).decode(errors='replace'), 'fr') == [
        ('naïve', 0, 7), ('ça', 7, 11),
    ]


def test_without_spaces_each_character_is_a_word():
    words = group(list(range(4)), lambda tokens: ''.join('你好。吗'[t] for t in tokens), 'zh')
    assert [text for text, _, _ in words] == ['你', '好。', '吗']


@given(st.lists(st.integers(0, len(PIECES) - 1), max_size=30))
def test_nothing_is_lost_and_the_ranges_follow_each_other(tokens):
    words = group(tokens, decode, 'en')
    assert ''.join(w for w, _, _ in words).replace(' ', '') == decode(tokens).replace(' ', '')
    for (_, _, end), (_, start, _) in pairwise(words):
        assert end == start
