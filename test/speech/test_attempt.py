# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What makes a decoding doubtful."""
import pytest

from smern_ros.speech.attempt import Attempt, TimedWord, doubts


def attempt(text, seconds=4.0, *, logprob=-0.2, probability=0.9, no_speech=0.1, untimed=0):
    """Words of one length; of the last ones, `untimed` take no time."""
    texts = text.split()
    each = seconds / max(len(texts) - untimed, 1)
    times = [min(i * each, seconds) for i in range(len(texts) + 1)]
    words = tuple(TimedWord(*word, probability) for word in zip(texts, times, times[1:], strict=False))
    return Attempt(text, words, (probability,) * len(texts), logprob, no_speech)


SAID_AGAIN = [
    'no no no no no', 'No! No! No! No!', 'NO, NO, NO', 'no-no-no-no', 'I-I-I do not know',
    'Please, please, please, come back.',
    'Stop it! Stop it! Stop it!', 'stop it. Stop it, stop it', 'I am very, very, very happy today',
    'nein, nein, nein, nein!', '好 好 好 好', 'don’t go, don’t go, don’t go', 'ha ha ha ha ha ha',
    'I hate you, I hate you, I hate you, I hate you.',
    'please come back to me please come back to me please come back to me', 'come on ' * 8, 'no ' * 20,
]


@pytest.mark.parametrize('text', SAID_AGAIN)
def test_what_is_said_again_and_again_is_believed(text):
    assert doubts(attempt(text), 4.0) == ''


@pytest.mark.parametrize('text', SAID_AGAIN)
def test_a_repetition_is_believed_if_a_single_word_is_not_found_in_the_sound(text):
    assert doubts(attempt(text, untimed=1), 4.0) == ''


LONG = 'I am very happy to see you again today. What a wonderful day it is. ' * 3


def test_whole_sentences_said_again_are_believed_but_not_a_pile_of_them_where_the_sound_ends():
    assert doubts(attempt(LONG, 14.3), 14.3) == ''
    assert '16 of 45 words take no time' in doubts(attempt(LONG, 14.3, untimed=16), 14.3)


LOOPS = ['no no no no', 'Stop it! Stop it! Stop it!', 'thank you ' * 15, 'please come back to me ' * 3, '好 好 好 好']


@pytest.mark.parametrize('text', LOOPS)
@pytest.mark.parametrize('sign, said', [
    ({'probability': 0.3}, 'probability 0.30'), ({'no_speech': 0.6}, 'no-speech probability 0.60'),
    ({'seconds': 0.3}, 'words in 0.3 s'),
])
def test_a_repetition_is_a_loop_if_its_probabilities_or_its_rate_say_so(text, sign, said):
    assert said in doubts(attempt(text, **sign), 20.0)


@pytest.mark.parametrize('text', LOOPS)
def test_a_repetition_is_a_loop_if_more_than_a_quarter_of_it_is_not_found_in_the_sound(text):
    count = len(text.split())
    untimed = max(1, count // 4) + 1
    assert f'{untimed} of {count} words take no time' in doubts(attempt(text, 20.0, untimed=untimed), 20.0)
    assert doubts(attempt(text, 20.0, untimed=untimed - 1), 20.0) == ''


@pytest.mark.parametrize('text', ['no no no no', 'please, please, please, come back', 'stop it stop it stop it'])
@pytest.mark.parametrize('seconds, believed', [(2.0, True), (0.3, False)])
def test_without_word_times_a_repetition_is_believed_if_the_whole_time_allows_it(text, seconds, believed):
    said = Attempt(text, (), (0.9,) * 4, -0.2, 0.1)
    assert (doubts(said, seconds) == '') == believed


@pytest.mark.parametrize('text', [
    'He was not an old-s-s-y-y-y-y-y-y-y', 'D-D-D-D-D-D-D', 'Hahahahahahahahahahahahahahahahahahahahaha',
])
def test_a_loop_within_a_word_or_without_end_is_doubted_however_it_is_timed(text):
    assert 'it repeats itself' in doubts(attempt(text, 20.0), 20.0)


@pytest.mark.parametrize('text', [
    '', 'No, no.', 'Had he married a more amiable woman, he might have been made still more respectable than he was.',
    'that that is is that that is not is not',
])
def test_speech_without_three_in_a_row_is_no_repetition(text):
    assert not doubts(attempt(text, no_speech=0.6), 4.0)


def test_more_words_than_anybody_can_say_are_doubted():
    assert '9 words in 0.3 s' in doubts(attempt('I am not gonna be able to get there'), 0.3)
    assert not doubts(attempt('I am not gonna be able to get there'), 2.0)


@pytest.mark.parametrize('text, seconds, believed', [
    ('and', 15.0, False), ('Thank you.', 15.0, False), ('and', 5.1, False), ('No!', 4.0, True),
    ('oh my god', 14.0, True), ('', 15.0, True), ('今天天气很好我们一起去公园散步然后回家吃晚饭吧好不好呢', 8.0, True),
])
def test_a_word_or_two_in_many_seconds_is_doubted_unless_it_is_certain(text, seconds, believed):
    assert (doubts(Attempt(text, (), (0.6,), -0.4, 0.1), seconds) == '') == believed
    assert not doubts(Attempt(text, (), (0.8,), -0.2, 0.1), seconds)


def test_guessed_words_are_doubted_unless_none_are_there():
    assert 'log probability -1.30' in doubts(attempt('dispose', logprob=-1.3), 1.0)
    assert not doubts(attempt('', logprob=-1.3), 1.0)
