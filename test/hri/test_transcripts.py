# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Words of a recogniser that knows nothing of our utterances find theirs."""
import pytest

from smern_ros.audio.segmenter import UtteranceState
from smern_ros.hri.transcripts import REMEMBERED, RecognizedText, TranscriptAssigner
from smern_ros.values import SECOND

TENTATIVE, ENDED, RESUMED = UtteranceState.TENTATIVE, UtteranceState.ENDED, UtteranceState.RESUMED
START = 1_000


def said(text, at, confidence=0.9, language='en', voice=''):
    """:param at: s after START."""
    return RecognizedText(text, round((START + at) * SECOND), confidence, language, voice)


@pytest.fixture
def words():
    return TranscriptAssigner(wait=5.0)


def announce(words, name, start, end, state=ENDED, voice=''):
    """:return: the words of the one utterance of which there are some; None: there are none."""
    return only(words.announce(name, round((START + start) * SECOND), round((START + end) * SECOND), state, voice))


def say(words, text, at, **kwargs):
    return only(words.add(said(text, at, **kwargs)))


def hear(words, first, last, *, speaks=True, voice=''):
    """The detector's frames from first to last. :return: the words that were given meanwhile."""
    given = []
    for frame in range(round(first / 0.032), round(last / 0.032) + 1):
        given += words.update_activity(round((START + frame * 0.032) * SECOND), speaks=speaks, voice=voice)
    return only(given)


def only(transcripts):
    assert len(transcripts) <= 1
    return transcripts[0] if transcripts else None


def test_words_stamped_after_the_end_are_of_the_utterance_before(words):
    assert announce(words, 'u1', 1, 2) is None
    transcript = say(words, 'hello there', 3.2)
    assert (transcript.utterance_id, transcript.text, transcript.confidence) == ('u1', 'hello there', 0.9)
    assert transcript.start_ns == (START + 1) * SECOND and transcript.end_ns == (START + 2) * SECOND


def test_words_that_come_before_the_end_is_certain_wait_for_it(words):
    announce(words, 'u1', 1, 2, TENTATIVE)
    assert say(words, 'hello', 2.1) is None
    assert announce(words, 'u1', 1, 2).text == 'hello'


def test_words_that_come_before_their_utterance_is_known_wait_for_it(words):
    assert say(words, 'hello', 1.5) is None
    assert announce(words, 'u1', 1, 2).text == 'hello'


def test_words_stamped_with_the_speech_find_it_however_late_they_come(words):
    announce(words, 'u1', 1, 2)
    announce(words, 'u2', 3, 4)
    assert say(words, 'first', 1.2).utterance_id == 'u1'
    assert say(words, 'second', 3.9).utterance_id == 'u2'


def test_a_slow_recogniser_gives_words_in_the_order_of_what_was_said(words):
    announce(words, 'u1', 1, 2)
    announce(words, 'u2', 2.6, 3)
    assert say(words, 'first', 4).utterance_id == 'u1'
    assert say(words, 'second', 5).utterance_id == 'u2'


def test_an_utterance_that_the_recogniser_cut_in_two_is_put_together(words):
    announce(words, 'u1', 1, 4, TENTATIVE)
    say(words, 'one', 2, confidence=0.9)
    say(words, 'two', 4, confidence=0.4)
    transcript = announce(words, 'u1', 1, 4)
    assert transcript.text == 'one two' and transcript.confidence == 0.4


@pytest.mark.parametrize('first, second, told', [
    ('en', 'en', 'en'), ('de', 'en', 'de'), ('en', 'de', 'de'), ('de', '', 'de'), ('', 'en', 'en'), ('pl', 'de', 'pl'),
])
def test_an_utterance_of_which_some_words_are_of_another_language_is_of_that(words, first, second, told):
    announce(words, 'u1', 1, 2)
    say(words, 'die Tür', 2, language=first)
    assert say(words, 'the door', 2.2, language=second).language == told


def test_speech_that_goes_on_has_not_ended(words):
    announce(words, 'u1', 1, 2, TENTATIVE)
    announce(words, 'u1', 1, 2, RESUMED)
    assert say(words, 'one', 2.2) is None
    assert announce(words, 'u1', 1, 4).text == 'one'


def test_words_too_long_after_everything_are_nobody_s(words):
    announce(words, 'u1', 1, 2)
    assert say(words, 'late', 7.1) is None
    assert announce(words, 'u2', 20, 21) is None


def test_a_clock_that_jumped_back_begins_anew(words):
    announce(words, 'u1', 100, 101)
    announce(words, 'u2', 1, 2)
    assert say(words, 'again', 2.5).utterance_id == 'u2'


def test_what_is_remembered_is_bounded(words):
    for i in range(10 * REMEMBERED):
        say(words, 'never', -100)
        announce(words, f'u{i}', 10 * i, 10 * i + 1)
    assert len(words._utterances) <= REMEMBERED and len(words._waiting) <= REMEMBERED


U1 = ('u1', 1.0, 3.0)
"""An utterance that ended before that of which the words come now."""
BEGINS, ENDS = 4.0, 6.0
"""Of what is said next."""


@pytest.mark.parametrize('stamp', [BEGINS, 5.0, ENDS, ENDS + 0.2])
@pytest.mark.parametrize('delay', [-0.3, 0.0, 0.1, 0.4, 1.0])
@pytest.mark.parametrize('has_words', [True, False])
def test_words_that_come_with_the_end_of_what_is_said_are_of_that_and_not_of_the_utterance_before(
    words, stamp, delay, has_words
):
    """:param delay: s from the last voiced frame to the text; 0.128 s after that the detector tells of an end."""
    announce(words, *U1)
    if has_words:
        assert say(words, 'before', 3.2).text == 'before'
    comes, tentative, ended, given = ENDS + delay, ENDS + 0.128, ENDS + 0.448, []
    for frame in range(round((BEGINS - 0.5) / 0.032), round((ENDS + 2) / 0.032)):
        now = frame * 0.032
        given.append(hear(words, now, now, speaks=BEGINS <= now <= ENDS))
        for at, news in ((tentative, TENTATIVE), (ended, ENDED)):
            if now <= at < now + 0.032:
                given.append(announce(words, 'u2', BEGINS - 0.2, ENDS + 0.128, news))
        if now <= comes < now + 0.032:
            given.append(say(words, 'now', stamp))
    (transcript,) = [g for g in given if g is not None]
    assert (transcript.utterance_id, transcript.text) == ('u2', 'now')


def test_words_of_the_utterance_before_that_come_in_the_middle_of_the_next_are_of_that_before(words):
    announce(words, *U1)
    assert hear(words, 3.6, 4.0) is None
    assert say(words, 'late', 4.0) is None
    assert hear(words, 4.0, 4.4) is None
    assert hear(words, 4.4, 4.7).utterance_id == 'u1'  # before the next has ended: u1 is judged soon


def test_the_end_of_a_text_that_comes_when_the_next_has_hardly_begun_is_of_that_before(words):
    announce(words, *U1)
    say(words, 'one', 3.1)
    hear(words, 3.6, 3.7)
    assert say(words, 'two', 3.7) is None
    assert hear(words, 3.7, 4.4).text == 'one two'


def test_a_cough_holds_nothing_up_for_long(words):
    announce(words, *U1)
    hear(words, 3.6, 3.8)
    assert say(words, 'hello', 3.9) is None
    assert hear(words, 3.84, 4.5, speaks=False) is None
    assert hear(words, 4.5, 4.7, speaks=False).text == 'hello'


def test_when_the_detector_falls_silent_nothing_waits_for_it(words):
    announce(words, *U1)
    hear(words, 3.6, 3.8)
    assert say(words, 'hello', 3.9) is None
    assert only(words.expire_pending()).text == 'hello'


def test_words_of_another_voice_are_none_of_the_one_that_is_heard(words):
    announce(words, 'u1', 1, 2, voice='anna')
    assert say(words, 'no', 1.5, voice='ben') is None
    assert say(words, 'yes', 1.6, voice='anna').text == 'yes'
    assert announce(words, 'u2', 3, 4, voice='ben') is None
    assert say(words, 'now I', 3.5, voice='ben').text == 'now I'


def test_words_of_who_fell_silent_are_not_of_who_speaks_now(words):
    announce(words, 'u1', 1, 2, voice='anna')
    hear(words, 2.5, 4, voice='ben')
    assert say(words, 'mine', 3.5, voice='anna').utterance_id == 'u1'  # and need not wait for ben
    assert say(words, 'yours', 3.5, voice='ben') is None
    assert announce(words, 'u2', 2.3, 4, voice='ben').text == 'yours'
