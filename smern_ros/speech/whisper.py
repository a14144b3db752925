# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recognition with a Whisper network: how much context it gets, when it is not believed, and what leaves it.

Whisper was trained on 30 s, to which shorter speech is padded with silence; most of the work is then done on nothing.
Here the encoder gets the utterance's own length and a little silence first, which costs a fraction. What then looks
doubtful is decoded once more with the full 30 s (docs/asr.md has the measurements).
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from smern_ros.spec import SPEC
from smern_ros.speech.attempt import NO_SPEECH, Attempt, TimedWord, doubts
from smern_ros.values import SECOND, Transcript, Utterance, Word, language_code

FULL_CONTEXT = 30.0
"""s, what Whisper was trained on (Radford et al. 2022, section 2.2)."""
SILENCE_AFTER, MIN_CONTEXT = 3.0, 15.0
"""s of silence behind the words, and in all; with less the network hears words that are not there."""
LONGEST = 28.0
"""s that are decoded at once; longer speech is cut where it is quietest."""
CUT_FROM = 20.0
AUTO = 'auto'
"""In place of a language: that of each utterance is found out."""
TOKENS_PER_SECOND, SPARE_TOKENS = 10, 16
"""Twice what fast speakers need; a network that loops stops there and not at Whisper's 448 tokens."""


class Engine(Protocol):
    """A network with its tokeniser."""

    languages: Sequence[str]  # codes of those it knows

    def decode(self, samples: np.ndarray, context: float, language: str) -> Attempt:
        """:param samples: (N,) float32 at 16 kHz, at most LONGEST seconds; `context`: seconds to encode, with silence
        behind the samples; FULL_CONTEXT is as in training; `language`: one of `languages`, or empty: the likeliest."""


class WhisperRecogniser:
    """A Recogniser, see there."""

    def __init__(self, engine: Engine, *, language: str = 'en', own_length: bool) -> None:
        """:raises ValueError: for a language that the engine does not know."""
        self._engine = engine
        self._language = _known(language, engine.languages)
        self._own_length = own_length

    def transcribe(self, utterance: Utterance) -> Transcript:
        """See `Recogniser.transcribe`."""
        texts: list[str] = []
        words: list[Word] = []
        tokens: list[float] = []
        language = self._language
        for offset, samples in pieces(_checked(utterance)):
            attempt = self._hear(samples, language)
            if attempt.text:
                texts.append(attempt.text)
                language = attempt.language  # an utterance has one
            start_ns = utterance.start_ns + offset * SECOND // SPEC.sample_rate
            words += _stamped(attempt.words, start_ns, min(start_ns + _length_ns(samples), utterance.end_ns))
            tokens += attempt.tokens
        return Transcript(
            utterance_id=utterance.id,
            start_ns=utterance.start_ns,
            end_ns=utterance.end_ns,
            text=' '.join(texts),
            words=tuple(words),
            confidence=float(np.mean(tokens)) if tokens else 0.0,
            language=language,
        )

    def _hear(self, samples: np.ndarray, language: str) -> Attempt:
        seconds = len(samples) / SPEC.sample_rate
        if self._own_length:
            short = min(max(seconds + SILENCE_AFTER, MIN_CONTEXT), FULL_CONTEXT)
            attempt = self._engine.decode(samples, short, language)
            if attempt.no_speech > NO_SPEECH:
                return _nothing(attempt)
            if not doubts(attempt, seconds):
                return attempt
        attempt = self._engine.decode(samples, FULL_CONTEXT, language)
        # What was guessed stays, with its low confidence: short words are always guessed. A loop is no speech,
        # nor is a word or two in many seconds.
        if attempt.no_speech > NO_SPEECH or doubts(attempt, seconds, -np.inf):
            return _nothing(attempt)
        return attempt


def token_limit(seconds: float) -> int:
    """How many tokens speech of that length may have."""
    return SPARE_TOKENS + int(TOKENS_PER_SECOND * seconds)


def pieces(samples: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The samples in parts of at most LONGEST seconds, each with its offset, cut where 0.2 s are quietest."""
    rate = SPEC.sample_rate
    offset = 0
    while len(samples) - offset > LONGEST * rate:
        first, last = offset + int(CUT_FROM * rate), offset + int(LONGEST * rate)
        window = rate // 5
        power = np.convolve(np.square(samples[first:last], dtype=np.float64), np.ones(window), 'valid')
        cut = first + int(power.argmin()) + window // 2
        yield offset, samples[offset:cut]
        offset = cut
    yield offset, samples[offset:]


def _known(language: str, languages: Sequence[str]) -> str:
    """As the engine calls it; empty for AUTO, of which the only one that there is needs no detection."""
    if language == AUTO:
        return '' if len(languages) > 1 else languages[0]
    if (code := language_code(language)) in languages:
        return code
    if len(languages) == 1:
        raise ValueError(f'the model supports only English, but language is {language!r}')
    raise ValueError(
        f'the model does not support language {language!r}; expected {AUTO} or one of the ISO 639-1 codes '
        f'{", ".join(sorted(languages))}'
    )


def _checked(utterance: Utterance) -> np.ndarray:
    samples = utterance.samples
    if samples.ndim != 1 or not samples.size:
        raise ValueError(f'utterance {utterance.id!r} has samples of shape {samples.shape}; expected (N,) with N > 0')
    if not np.isfinite(samples).all():
        raise ValueError(f'utterance {utterance.id!r} holds samples that are NaN or infinite')
    return np.ascontiguousarray(samples, np.float32)


def _stamped(words: tuple[TimedWord, ...], start_ns: int, end_ns: int) -> list[Word]:
    """On the input's time line, in order and within the speech they were heard in."""
    stamped = []
    earliest = start_ns
    for word in words:
        first, last = (
            min(max(start_ns + round(seconds * SECOND), earliest), end_ns) for seconds in (word.start, word.end)
        )
        stamped.append(Word(word.text, first, max(first, last), word.probability))
        earliest = first
    return stamped


def _length_ns(samples: np.ndarray) -> int:
    return len(samples) * SECOND // SPEC.sample_rate


def _nothing(attempt: Attempt) -> Attempt:
    return Attempt(text='', words=(), tokens=(), mean_logprob=0.0, no_speech=attempt.no_speech)
