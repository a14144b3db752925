# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Speech recognition with a Whisper network: length of the encoded audio, checks of the result, word times.

Whisper is trained on 30 s, to which shorter speech is padded with silence. Here the encoder first gets the utterance
with a few seconds of silence, which takes a fraction of the time. An unlikely result is decoded again with 30 s
(docs/asr.md has the measurements).
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from smern_ros.spec import SPEC
from smern_ros.speech.attempt import NO_SPEECH, Attempt, TimedWord, doubts
from smern_ros.values import SECOND, Transcript, Utterance, Word, language_code

FULL_CONTEXT = 30.0
"""s; the length that Whisper is trained on (Radford et al. 2022, section 2.2)."""
SILENCE_AFTER, MIN_CONTEXT = 3.0, 15.0
"""s: silence after the speech, and least total; with less the network inserts words."""
LONGEST = 28.0
"""s; longest speech decoded at once. Longer speech is cut at the quietest point between `CUT_FROM` and here."""
CUT_FROM = 20.0
AUTO = 'auto'
"""Language that is detected in each utterance."""
TOKENS_PER_SECOND, SPARE_TOKENS = 10, 16
"""Limit of the tokens, twice that of fast speakers; it ends loops before Whisper's 448 tokens."""


class Engine(Protocol):
    """A Whisper network with its tokeniser."""

    languages: Sequence[str]  # supported ISO 639-1 codes

    def decode(self, samples: np.ndarray, context: float, language: str) -> Attempt:
        """Decode speech.

        :param samples: (N,) float32 at 16 kHz, at most LONGEST seconds.
        :param context: s to encode, with silence after the samples; FULL_CONTEXT is as in training.
        :param language: one of `languages`; empty: the most likely one.
        """


class WhisperRecogniser:
    """Implementation of `Recogniser`."""

    def __init__(self, engine: Engine, *, language: str = 'en', own_length: bool) -> None:
        """:raises ValueError: if the engine does not support the language."""
        self._engine = engine
        self._language = _resolve_language(language, engine.languages)
        self._own_length = own_length

    def transcribe(self, utterance: Utterance) -> Transcript:
        """See `Recogniser.transcribe`."""
        texts: list[str] = []
        words: list[Word] = []
        tokens: list[float] = []
        language = self._language
        for offset, samples in pieces(_checked(utterance)):
            attempt = self._recognise(samples, language)
            if attempt.text:
                texts.append(attempt.text)
                language = attempt.language  # later pieces have the same
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

    def _recognise(self, samples: np.ndarray, language: str) -> Attempt:
        seconds = len(samples) / SPEC.sample_rate
        if self._own_length:
            short = min(max(seconds + SILENCE_AFTER, MIN_CONTEXT), FULL_CONTEXT)
            attempt = self._engine.decode(samples, short, language)
            if attempt.no_speech > NO_SPEECH:
                return _nothing(attempt)
            if not doubts(attempt, seconds):
                return attempt
        attempt = self._engine.decode(samples, FULL_CONTEXT, language)
        # A low probability is accepted, as it is usual for short words; loops and few words in many seconds are not.
        if attempt.no_speech > NO_SPEECH or doubts(attempt, seconds, -np.inf):
            return _nothing(attempt)
        return attempt


def token_limit(seconds: float) -> int:
    """Most tokens for speech of that length."""
    return SPARE_TOKENS + int(TOKENS_PER_SECOND * seconds)


def pieces(samples: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield offset and samples of parts of at most LONGEST seconds, cut at the quietest 0.2 s."""
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


def _resolve_language(language: str, languages: Sequence[str]) -> str:
    """Code of the language for the engine; empty for AUTO, unless the engine has one language."""
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
        raise ValueError(f'utterance {utterance.id!r} has samples that are NaN or infinite')
    return np.ascontiguousarray(samples, np.float32)


def _stamped(words: tuple[TimedWord, ...], start_ns: int, end_ns: int) -> list[Word]:
    """Words with stamps, in order and within `start_ns` and `end_ns`."""
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
