"""What makes a decoding doubtful."""
import pytest

from smern_ros.speech.attempt import Attempt, doubts, repeats


def attempt(text, logprob=-0.2):
    return Attempt(text=text, words=(), tokens=(0.9,), mean_logprob=logprob, no_speech=0.1)


@pytest.mark.parametrize('text', [
    'Okay, well, well, well, well, well',
    'be rather. Be rather. Be rather. Be rather',
    'He was not an old-s-s-y-y-y-y-y-y-y',
    'thank you ' * 20,
])
def test_a_loop_is_doubted(text):
    assert repeats(text)


@pytest.mark.parametrize('text', [
    '', 'No, no.', 'Had he married a more amiable woman, he might have been made still more respectable than he was.',
    'that that is is that that is not is not',
])
def test_speech_that_repeats_a_word_is_no_loop(text):
    assert not repeats(text)


def test_more_words_than_anybody_can_say_are_doubted():
    assert '9 words in 0.3 s' in doubts(attempt('I am not gonna be able to get there'), 0.3)
    assert not doubts(attempt('I am not gonna be able to get there'), 2.0)


def test_guessed_words_are_doubted_unless_none_are_there():
    assert 'log probability -1.30' in doubts(attempt('dispose', -1.3), 1.0)
    assert not doubts(attempt('', -1.3), 1.0)
