"""Words are garbled as they were misheard: as often, and to what was heard."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.training.misheard import Misheard, align, word_errors

WORDS = st.lists(st.sampled_from('abc'), max_size=6)


@given(said=WORDS, heard=WORDS)
def test_an_alignment_holds_all_words_of_both_sides_in_order(said, heard):
    pairs = align(said, heard)
    assert [word for word, _ in pairs if word] == said
    assert [word for _, word in pairs if word] == heard


@pytest.mark.parametrize(('said', 'heard', 'wrong', 'words'), [
    ('You look sad today!', 'you look sad today', 0, 4),       # punctuation is not heard
    ("I don't like it", 'me do not like it', 0, 5),            # as the text encoder reads it
    ('we lost the game', 'we the same', 2, 4),                 # one omitted, one taken for another
    ('so happy', 'so very happy', 1, 2),
    ('Great', '', 1, 1),
])
def test_the_fewest_errors_are_counted(said, heard, wrong, words):
    assert word_errors(said, heard) == (wrong, words)


def test_what_was_always_understood_stays_as_it_is():
    record = Misheard.learn([('i am so happy today', 'I am so happy today.')] * 5)
    assert record.garble(['me', 'am', 'happy', 'about', 'cheese'], np.random.default_rng(0)) == [
        'me', 'am', 'happy', 'about', 'cheese'
    ]


def test_words_become_what_they_were_misheard_as():
    record = Misheard.learn([('bad', 'mad')] * 300)
    heard = [tuple(record.garble(['bad'], np.random.default_rng(seed))) for seed in range(50)]
    assert heard.count(('mad',)) == 50


def test_a_word_that_nobody_has_spoken_yet_is_misheard_as_often_as_rare_ones_were():
    rare = [(f'word{"abcdefghij"[i % 10]}{"klmnopqrst"[i // 10]}', 'other') for i in range(40)]
    record = Misheard.learn([*rare, *((word, word) for word, _ in rare)])  # each said twice, once understood
    generator = np.random.default_rng(0)
    right = sum(record.garble(['elephant'], generator) == ['elephant'] for _ in range(1000))
    assert 440 < right < 560


def test_the_shipped_record_garbles_as_many_words_as_were_misheard():
    record = Misheard.read()
    said = [word for word, heard in record.heard.items() for _ in range(sum(heard.values()))]
    wrong = sum(n for word, heard in record.heard.items() for other, n in heard.items() if other != word)
    generator = np.random.default_rng(0)
    order = generator.permutation(len(said))
    sentences = [[said[i] for i in order[k : k + 12]] for k in range(0, len(said), 12)]
    garbled = sum(a != b for words in sentences for a, b in align(words, record.garble(words, generator)))
    assert garbled / len(said) == pytest.approx((wrong + sum(record.added.values())) / len(said), abs=0.05)


def test_a_record_is_the_same_after_it_was_written_and_read(tmp_path):
    record = Misheard.learn([('what a sad day', 'what the sad'), ('happy', 'a happy')])
    record.write(tmp_path / 'record.json', 'a test')
    again = Misheard.read(tmp_path / 'record.json')
    assert (again.heard, again.added) == (record.heard, record.added)
    # And so is what it does.
    words = ['what', 'an', 'sad', 'day', 'nobody', 'said'] * 5
    again.write(tmp_path / 'again.json', 'a test')
    assert (tmp_path / 'again.json').read_text() == (tmp_path / 'record.json').read_text()
    assert again.garble(words, np.random.default_rng(1)) == Misheard.read(tmp_path / 'again.json').garble(
        words, np.random.default_rng(1)
    )


def test_a_file_that_is_no_record_is_named(tmp_path):
    (tmp_path / 'other.json').write_text('{"words": []}')
    with pytest.raises(ValueError, match=r'other\.json holds no record'):
        Misheard.read(tmp_path / 'other.json')


def test_nothing_said_teaches_nothing():
    with pytest.raises(ValueError, match='at least one word'):
        Misheard.learn([('', '')])
