# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Comments are spoken, and heard by the robot's own recogniser."""
import dataclasses
import shutil

import numpy as np
import pytest

from smern_ros.training.corpora import Comment
from smern_ros.training.text import synthesize

needs_voice = pytest.mark.skipif(
    shutil.which(synthesize.PROGRAM) is None, reason='no espeak-ng: apt-get install espeak-ng'
)


@pytest.mark.parametrize(('written', 'said'), [
    ('So happy for you, [NAME]!', 'So happy for you, !'),
    ('look https://example.org/a?b=c here', 'look here'),
    ('😂😂 too funny 😂', 'too funny'),
    ('r/aww never lets me down', 'aww never lets me down'),
    ('sure, that works /s', 'sure, that works'),
    ("**don't** _ever_ do that", "don't ever do that"),
    ('😡', ''),
    ('10/10', ''),
])
def test_only_what_a_person_would_say_is_spoken(written, said):
    assert synthesize.speakable(written) == said


def test_a_comment_always_has_the_same_voice_and_comments_have_many():
    texts = [f'comment number {i}' for i in range(60)]
    assert [synthesize.voice(text) for text in texts] == [synthesize.voice(text) for text in texts]
    assert len({synthesize.voice(text).name for text in texts}) > 8


def test_a_smaller_sample_is_the_beginning_of_a_larger_one():
    comments = [Comment('test', str(i), f'text {i}' if i % 3 else '😡', 'happy') for i in range(30)]
    larger = synthesize.some(comments, 15)
    assert synthesize.some(comments, 5) == larger[:5]
    assert len(synthesize.some(comments, 99)) == 20


def test_where_nothing_can_be_spoken_the_package_is_named(monkeypatch):
    monkeypatch.setenv('PATH', '/nowhere')
    with pytest.raises(synthesize.SpeechMissing, match='apt-get install espeak-ng'):
        synthesize.require()


def test_an_empty_text_is_refused(tmp_path):
    with pytest.raises(ValueError, match='empty'):
        synthesize.recognise_texts(['hello', ''], tmp_path)


@needs_voice
def test_speech_has_the_robots_rate_and_a_plausible_length():
    text = 'I have never been so happy in my whole life, and I mean it.'
    samples = synthesize.speak(text, synthesize.voice(text))
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert 2 < len(samples) / 16_000 < 8
    assert 0.02 < np.abs(samples).max() <= 1


@needs_voice
@pytest.mark.parametrize('background', ['noise', 'voices'])
def test_what_is_heard_beside_a_voice_is_as_loud_as_asked_for_and_the_same_every_time(background):
    text = 'I have never been so happy in my whole life, and I mean it.'
    alone = synthesize.speak(text, synthesize.voice(text))
    both = synthesize.speak(text, dataclasses.replace(synthesize.voice(text), background=background, snr=10))
    assert 10 * np.log10(np.mean(alone**2) / np.mean((both - alone) ** 2)) == pytest.approx(10, abs=0.2)
    assert np.array_equal(
        both, synthesize.speak(text, dataclasses.replace(synthesize.voice(text), background=background, snr=10))
    )


@needs_voice
def test_speech_backwards_is_the_same_sound_the_other_way_round():
    how = synthesize.voice('hello there')
    backwards = synthesize.speak('hello there', dataclasses.replace(how, backwards=True))
    assert np.array_equal(backwards[::-1], synthesize.speak('hello there', how))


@needs_voice
@pytest.mark.weights
def test_what_is_said_is_heard_and_never_recognised_twice(tmp_path, monkeypatch):
    texts = ['I am so happy about this.', 'You make me very angry.']
    first, second = synthesize.recognise_texts(texts, tmp_path)
    assert 'happy' in first.text.lower() and 'angry' in second.text.lower()
    assert min(first.confidence, second.confidence) > 0.5
    (file,) = tmp_path.glob('heard-*.jsonl')
    with file.open('a') as cut_off:
        cut_off.write('["I am s')

    def nothing_to_do():
        raise AssertionError('everything was recognised before')

    monkeypatch.setattr(synthesize, 'create', nothing_to_do)
    assert synthesize.recognise_texts(texts[::-1], tmp_path) == [second, first]
    assert len(file.read_text().splitlines()) == 2


def test_errors_are_counted_as_the_words_are_read_punctuation_aside():
    assert synthesize.word_errors('Oh, GREAT idea!', 'oh great idea') == (0, 3)
    assert synthesize.word_errors('I am happy', 'I am very sad') == (2, 3)
    assert synthesize.word_errors('I am so happy today', 'I was happy to day') == (4, 5)
    assert synthesize.word_errors('Yes!', '') == (1, 1) and synthesize.word_errors('?', 'yes') == (1, 0)
