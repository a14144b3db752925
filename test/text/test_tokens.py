# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Text becomes the words that the word vectors know."""
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.text.tokens import NUMBER, tokenise
from smern_ros.text.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ("I can't believe it's YOU!", 'me can not believe it is you !'),
        ("We’ll see what they'd say", 'we will see what they would say'),
        ("you'd've won't ain't cannot", 'you would have will not is not can not'),
        ('A dog, a cat... and - "so on"?', 'an dog an cat and so on ?'),
        ('3 of 1,000.50 at 10:30', f'{NUMBER} of {NUMBER} at {NUMBER}'),
        ('Ça va très bien', 'ça va très bien'),
        ("rock'n'roll", 'rocknroll'),
        ('', ''),
        ('... -- ""', ''),
    ],
)
def test_words_are_lower_case_and_whole(text, words):
    assert ' '.join(tokenise(text)) == words


@given(st.text())
def test_any_text_gives_clean_tokens(text):
    for token in tokenise(text):
        assert token
        assert not any(c.isspace() for c in token)


@given(st.lists(st.sampled_from(['hello', "don't", '42', '!', 'I']), max_size=60), st.integers(1, 40))
def test_no_more_words_are_read_than_asked_for_and_they_are_the_first(parts, most):
    text = ' '.join(parts)
    assert tokenise(text, most) == tokenise(text, 1000)[:most]


@pytest.mark.parametrize('unit', ['a ', '. ', "n't", 'x', "'", "a'", '7', '\u00e9 '])
def test_a_megabyte_takes_less_than_half_a_second(unit):
    text = unit * (1_000_000 // len(unit.encode()))
    started = time.perf_counter()
    tokens = tokenise(text)
    assert time.perf_counter() - started < 0.5
    assert len(tokens) <= 128


def test_unknown_words_share_a_row_and_known_ones_have_their_own():
    vocabulary = Vocabulary(['happy', 'day'])
    assert len(vocabulary) == 5
    happy, day, unknown, other = vocabulary.rows(['happy', 'day', 'zyzzyva', 'qwx'])
    assert unknown == other
    assert len({happy, day, unknown}) == 3


@pytest.mark.parametrize(('text', 'known'), [('happy', True), ('! ? 7', False), ('zyzzyva', False), ('', False)])
def test_numbers_and_marks_alone_are_no_known_words(text, known):
    assert Vocabulary(['happy', '!', '?']).knows_any_word(tokenise(text)) is known


def test_a_vocabulary_survives_being_written_and_read(tmp_path):
    vocabulary = Vocabulary(['happy', "l'été", '!', '日本'])
    vocabulary.write(tmp_path / 'words.json')
    assert Vocabulary.read(tmp_path / 'words.json').words == vocabulary.words


@pytest.mark.parametrize(('words', 'why'), [(['a', 'a'], "'a' twice"), ([''], 'empty'), (['a b'], 'space')])
def test_a_broken_vocabulary_is_refused(words, why):
    with pytest.raises(ValueError, match=why):
        Vocabulary(words)
