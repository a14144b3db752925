# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Both recognisers with real weights on real speech."""
import numpy as np
import pytest
from support.ct2_to_hf import convert
from support.speech import SENTENCES, START, sentence, utterance

from smern_ros import assets
from smern_ros.assets import MissingAsset
from smern_ros.speech.attempt import Attempt, TimedWord
from smern_ros.speech.recogniser import create
from smern_ros.speech.whisper import FULL_CONTEXT, LONGEST, WhisperRecogniser, pieces
from smern_ros.values import SECOND

RATE = 16_000


@pytest.fixture(scope='module')
def ct2():
    return create()


@pytest.fixture(scope='module')
def transformers(tmp_path_factory):
    pytest.importorskip('transformers')
    folder = convert(assets.path('whisper-tiny.en'), tmp_path_factory.mktemp('whisper'))
    return create('transformers', str(folder))


@pytest.fixture(params=['ct2', 'transformers'])
def recogniser(request):
    return request.getfixturevalue(request.param)


def plain(text):
    return text.lower().replace('mr.', 'mister').replace('-', ' ').replace(',', '').replace('.', '').split()


# --- with real weights --------------------------------------------------------------------------------------------

@pytest.mark.weights
def test_the_words_of_clear_speech_are_recognised(recogniser):
    spoken = sentence('0870')
    transcript = recogniser.transcribe(utterance(spoken.samples))
    assert plain(transcript.text) == spoken.text.split()
    assert transcript.confidence > 0.8
    assert (transcript.utterance_id, transcript.start_ns, transcript.language) == ('u1', START, 'en')


@pytest.mark.weights
def test_words_are_timed_as_a_forced_alignment_times_them(recogniser):
    spoken = sentence('0870')
    words = recogniser.transcribe(utterance(spoken.samples)).words
    ends = np.array([w.end_ns - START for w in words]) / SECOND
    aligned = np.array([end for _, _, end in spoken.words])
    assert len(ends) == len(aligned)
    assert np.median(np.abs(ends - aligned)) < 0.15
    assert (np.diff(ends) >= 0).all()


@pytest.mark.weights
def test_word_times_move_with_the_utterance(ct2):
    samples = sentence('0930').samples
    here = ct2.transcribe(utterance(samples, start_ns=START))
    there = ct2.transcribe(utterance(samples, start_ns=5 * START + 7))
    assert [w.start_ns - START for w in here.words] == [w.start_ns - 5 * START - 7 for w in there.words]


@pytest.mark.weights
@pytest.mark.parametrize('name, word', [('0870', 'then'), ('0880', 'not'), ('0890', 'selfish'), ('0920', 'woman')])
@pytest.mark.parametrize('count', [3, 5])
def test_what_somebody_says_again_and_again_is_heard(recogniser, name, word, count):
    """A word cut out of a sentence, again and again."""
    spoken = sentence(name)
    start, end = next((start, end) for text, start, end in spoken.words if text == word)
    cut = spoken.samples[int((start - 0.02) * RATE):int((end + 0.05) * RATE)]
    pause = np.zeros(RATE // 10, np.float32)
    heard = recogniser.transcribe(utterance(np.concatenate([pause, *count * [cut, pause]])))
    assert plain(heard.text).count(word) >= 3, heard.text
    assert heard.confidence > 0.5


@pytest.mark.weights
@pytest.mark.parametrize('sound', ['siren', 'pulsed noise', 'pulsed buzz', 'pulsed vowel', 'knocks'])
@pytest.mark.parametrize('seconds', [4, 8, 15])
def test_a_sound_that_goes_on_and_on_is_no_repeated_word(ct2, sound, seconds):
    time, rng = np.arange(seconds * RATE) / RATE, np.random.default_rng(5)
    pulse = np.sin(2 * np.pi * 4 * time) > 0
    samples = {
        'siren': 0.2 * np.sin(2 * np.pi * (500 * time + 80 * np.sin(2 * np.pi * time))),
        'pulsed noise': 0.1 * rng.standard_normal(len(time)) * pulse,
        'pulsed buzz': 0.1 * np.sign(np.sin(2 * np.pi * 120 * time)) * pulse,
        'pulsed vowel': 0.1 * sum(np.sin(2 * np.pi * 130 * h * time) / h for h in (1, 2, 3, 5, 6, 9)) * pulse,
        'knocks': 0.4 * rng.standard_normal(len(time)) * (time % 0.33 < 0.02),
    }[sound].astype(np.float32)
    words = plain(ct2.transcribe(utterance(samples)).text)
    assert all(words[i:i + 3] != 3 * [words[i]] for i in range(len(words))), words


@pytest.mark.weights
@pytest.mark.parametrize('seconds', [0.05, 0.5, 2.0, 6.0])
@pytest.mark.parametrize('kind', ['silence', 'white', 'pink', 'hum'])
def test_noise_has_no_words(ct2, kind, seconds):
    count = int(seconds * RATE)
    white = np.random.default_rng(1).normal(0, 0.05, count)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.arange(1, count // 2 + 2)), count)
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(count) / RATE)
    samples = {'silence': 0 * white, 'white': white, 'pink': pink, 'hum': hum}[kind].astype(np.float32)
    assert ct2.transcribe(utterance(samples)).text == ''


@pytest.mark.weights
def test_speech_longer_than_whispers_window_is_heard_to_its_end(ct2):
    spoken = [sentence(name) for name in SENTENCES]
    samples = np.concatenate([s.samples for s in spoken] * 2)  # 49 s: more than one window of Whisper's
    heard = plain(ct2.transcribe(utterance(samples)).text)
    said = [word for s in spoken for word in s.text.split()] * 2
    assert abs(len(heard) - len(said)) <= 0.05 * len(said)
    assert len(set(said) - set(heard)) <= 0.1 * len(set(said))


@pytest.mark.weights
def test_the_shortened_context_hears_what_the_full_one_hears(ct2):
    full = create(context='full')
    for name in ('0870', '0920', '0930'):
        spoken = utterance(sentence(name).samples)
        assert plain(ct2.transcribe(spoken).text) == plain(full.transcribe(spoken).text)


@pytest.mark.weights
def test_a_folder_of_ones_own_serves_as_the_default_does(ct2):
    spoken = utterance(sentence('0930').samples)
    own = create(model=str(assets.path('whisper-tiny.en')))
    assert own.transcribe(spoken) == ct2.transcribe(spoken)


@pytest.mark.weights
@pytest.mark.parametrize('samples, said', [
    (np.zeros(0, np.float32), 'N > 0'), (np.zeros((2, 100), np.float32), r'\(2, 100\)'),
    (np.full(100, np.nan, np.float32), 'NaN'),
])
def test_what_is_no_sound_is_refused(ct2, samples, said):
    with pytest.raises(ValueError, match=f"utterance 'u1'.*{said}"):
        ct2.transcribe(utterance(samples))


@pytest.mark.weights
@pytest.mark.parametrize('options, said', [
    ({'backend': 'sphinx'}, 'faster_whisper, transformers'),
    ({'context': 'half'}, 'own_length, full'),
    ({'language': 'pl'}, 'only English'),
    ({'model': '/no/model'}, '/no/model'),
    ({'backend': 'transformers'}, 'needs a model'),
    ({'backend': 'transformers', 'model': '/no/model'}, '/no/model'),
])
def test_what_cannot_be_made_is_said(options, said):
    with pytest.raises(ValueError, match=said):
        create(**options)


@pytest.mark.parametrize('name', ['model.bin', 'model.safetensors', 'tokenizer.json'])
def test_a_model_with_a_file_of_absurd_size_is_not_read(tmp_path, name):
    with (tmp_path / name).open('wb') as file:
        file.truncate(1 << 40)  # sparse: takes no room
    with pytest.raises(ValueError, match=f'{name} has .* are never read'):
        create(model=str(tmp_path))


def test_missing_weights_name_the_command_that_fetches_them(tmp_path, monkeypatch):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    with pytest.raises(MissingAsset, match=r'smern assets fetch whisper-tiny\.en'):
        create()


# --- the policy, with an engine that says what it is told ---------------------------------------------------------

class Scripted:
    """Says one thing in a shortened context and another in the full one."""

    languages = ('en', 'de')

    def __init__(self, short, full):
        self.short, self.full, self.contexts, self.languages_asked = short, full, [], []

    def decode(self, samples, context, language):
        self.contexts.append(context)
        self.languages_asked.append(language)
        return self.full if context == FULL_CONTEXT else self.short


def said(text, logprob=-0.1, no_speech=0.1, probability=0.9, language='en'):
    words = tuple(TimedWord(w, 0.1 * i, 0.1 * i + 0.1, probability) for i, w in enumerate(text.split()))
    return Attempt(text, words, (probability,) * len(words), logprob, no_speech, language)


@pytest.mark.parametrize('doubtful', [said('well well well well'), said('good day', logprob=-1.5), said('a ' * 40)])
def test_doubtful_words_are_decoded_again_in_the_full_context(doubtful):
    engine = Scripted(doubtful, said('good day'))
    transcript = WhisperRecogniser(engine, own_length=True).transcribe(utterance(np.zeros(RATE, np.float32)))
    assert transcript.text == 'good day'
    assert engine.contexts == [15.0, FULL_CONTEXT]


@pytest.mark.parametrize('seconds, context', [(1, 15.0), (12, 15.0), (20, 23.0), (27.5, FULL_CONTEXT)])
def test_the_context_grows_with_the_utterance(seconds, context):
    engine = Scripted(said('good day'), said('good day'))
    WhisperRecogniser(engine, own_length=True).transcribe(utterance(np.zeros(int(seconds * RATE), np.float32)))
    assert engine.contexts == [context]


@pytest.mark.parametrize('heard, seconds', [(said('go go go go'), 1), (said('and', probability=0.04), 15)])
def test_a_loop_or_one_word_in_many_seconds_even_in_the_full_context_is_no_speech(heard, seconds):
    engine = Scripted(heard, heard)
    transcript = WhisperRecogniser(engine, own_length=True).transcribe(utterance(np.zeros(seconds * RATE, np.float32)))
    assert engine.contexts[-1] == FULL_CONTEXT and len(engine.contexts) == 2
    assert (transcript.text, transcript.words, transcript.confidence) == ('', (), 0.0)


def test_words_never_leave_the_utterance_they_were_heard_in():
    samples = np.zeros(RATE // 4, np.float32)  # shorter than the words say they are
    words = WhisperRecogniser(Scripted(said('one two three'), said('')), own_length=True).transcribe(
        utterance(samples)
    ).words
    assert all(START <= w.start_ns <= w.end_ns <= START + SECOND // 4 for w in words)


def test_long_speech_is_cut_where_it_is_quiet_and_nothing_is_lost():
    samples = np.random.default_rng(0).normal(0, 0.1, 70 * RATE).astype(np.float32)
    samples[25 * RATE:int(25.3 * RATE)] = 0
    parts = list(pieces(samples))
    assert np.array_equal(np.concatenate([part for _, part in parts]), samples)
    assert all(len(part) <= LONGEST * RATE for _, part in parts)
    assert 25 * RATE < parts[1][0] < 25.3 * RATE


def test_the_parts_of_a_long_utterance_are_heard_in_one_language():
    engine = Scripted(said('good day', language='en'), said('guten Tag', language='de'))
    recogniser = WhisperRecogniser(engine, language='auto', own_length=False)
    samples = np.random.default_rng(0).normal(0, 0.1, 50 * RATE).astype(np.float32)
    assert recogniser.transcribe(utterance(samples)).language == 'de'
    assert engine.languages_asked == ['', 'de', 'de']


def test_doubtful_words_are_decoded_again_in_the_language_that_the_full_context_tells():
    engine = Scripted(said('good good good good'), said('guten Tag', language='de'))
    recogniser = WhisperRecogniser(engine, language='auto', own_length=True)
    transcript = recogniser.transcribe(utterance(np.zeros(RATE, np.float32)))
    assert (transcript.text, transcript.language) == ('guten Tag', 'de')
    assert engine.languages_asked == ['', '']


@pytest.mark.parametrize('language, told', [('auto', ''), ('de', 'de'), ('de-AT', 'de'), ('EN_us', 'en')])
def test_no_words_are_of_no_language_unless_it_was_set(language, told):
    engine = Scripted(said('', no_speech=0.9), said(''))
    recogniser = WhisperRecogniser(engine, language=language, own_length=True)
    assert recogniser.transcribe(utterance(np.zeros(RATE, np.float32))).language == told
