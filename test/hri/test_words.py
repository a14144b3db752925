"""Words of a recogniser that knows nothing of our utterances find theirs."""
import pytest

from smern_ros.audio.segmenter import State
from smern_ros.hri.words import REMEMBERED, Said, SpokenWords
from smern_ros.values import SECOND

TENTATIVE, ENDED, RESUMED = State.TENTATIVE, State.ENDED, State.RESUMED
START = 1_000


def said(text, at, confidence=0.9, language='en'):
    """:param at: s after START."""
    return Said(text, round((START + at) * SECOND), confidence, language)


@pytest.fixture
def words():
    return SpokenWords(wait=5.0)


def announce(words, name, start, end, state=ENDED):
    return words.announce(name, round((START + start) * SECOND), round((START + end) * SECOND), state)


def test_words_stamped_after_the_end_are_of_the_utterance_before(words):
    assert announce(words, 'u1', 1, 2) is None
    transcript = words.say(said('hello there', 3.2))
    assert (transcript.utterance_id, transcript.text, transcript.confidence) == ('u1', 'hello there', 0.9)
    assert transcript.start_ns == (START + 1) * SECOND and transcript.end_ns == (START + 2) * SECOND


def test_words_that_come_before_the_end_is_certain_wait_for_it(words):
    announce(words, 'u1', 1, 2, TENTATIVE)
    assert words.say(said('hello', 2.1)) is None
    assert announce(words, 'u1', 1, 2).text == 'hello'


def test_words_that_come_before_their_utterance_is_known_wait_for_it(words):
    assert words.say(said('hello', 1.5)) is None
    assert announce(words, 'u1', 1, 2).text == 'hello'


def test_words_stamped_with_the_speech_find_it_however_late_they_come(words):
    announce(words, 'u1', 1, 2)
    announce(words, 'u2', 3, 4)
    assert words.say(said('first', 1.2)).utterance_id == 'u1'
    assert words.say(said('second', 3.9)).utterance_id == 'u2'


def test_a_slow_recogniser_gives_words_in_the_order_of_what_was_said(words):
    announce(words, 'u1', 1, 2)
    announce(words, 'u2', 2.6, 3)
    assert words.say(said('first', 4)).utterance_id == 'u1'
    assert words.say(said('second', 5)).utterance_id == 'u2'


def test_an_utterance_that_the_recogniser_cut_in_two_is_put_together(words):
    announce(words, 'u1', 1, 4, TENTATIVE)
    words.say(said('one', 2, confidence=0.9))
    words.say(said('two', 4, confidence=0.4))
    transcript = announce(words, 'u1', 1, 4)
    assert transcript.text == 'one two' and transcript.confidence == 0.4


def test_speech_that_goes_on_has_not_ended(words):
    announce(words, 'u1', 1, 2, TENTATIVE)
    announce(words, 'u1', 1, 2, RESUMED)
    assert words.say(said('one', 2.2)) is None
    assert announce(words, 'u1', 1, 4).text == 'one'


def test_words_too_long_after_everything_are_nobody_s(words):
    announce(words, 'u1', 1, 2)
    assert words.say(said('late', 7.1)) is None
    assert announce(words, 'u2', 20, 21) is None


def test_a_clock_that_jumped_back_begins_anew(words):
    announce(words, 'u1', 100, 101)
    announce(words, 'u2', 1, 2)
    assert words.say(said('again', 2.5)).utterance_id == 'u2'


def test_what_is_remembered_is_bounded(words):
    for i in range(10 * REMEMBERED):
        words.say(said('never', -100))
        announce(words, f'u{i}', 10 * i, 10 * i + 1)
    assert len(words._utterances) <= REMEMBERED and len(words._waiting) <= REMEMBERED
