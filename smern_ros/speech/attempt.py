# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One decoding of speech, and the checks that reject unlikely results."""
from __future__ import annotations

import re
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class TimedWord:
    """A word and its times in seconds from the first sample."""

    text: str
    start: float
    end: float
    probability: float  # 0..1, mean of its tokens


@dataclass(frozen=True)
class Attempt:
    """The result of one decoding."""

    text: str
    words: tuple[TimedWord, ...]  # of the text, with times; empty if the network cannot tell when
    tokens: tuple[float, ...]     # probability of each token of the text, 0..1
    mean_logprob: float           # of the tokens and the end, natural logarithm
    no_speech: float              # 0..1, that there are no words at all
    language: str = 'en'          # in which they were heard


NO_SPEECH = 0.75
"""Above it nothing was said; no noise of docs/asr.md has words then."""
MIN_LOGPROB = -1.0
"""Whisper's own threshold (OpenAI, transcribe.py): below it the words are guessed."""
MAX_COMPRESSION = 2.4
"""Whisper's own threshold: text that compresses better repeats itself."""
MAX_WORD_RATE, MIN_WORD_RATE = 6.0, 0.2
"""Words a second. Fast speakers say five; an utterance has no pauses, and nobody says one word for longer than 5 s."""
MIN_FEW_PROBABILITY = 0.7
"""Mean of the tokens, from which on fewer words a second are believed."""
GRACE_WORDS = 2
"""Short utterances may hold this many words more than the rate allows."""

REPEATS = 3
"""So often in a row, and up to LONGEST_PHRASE words may be a loop of the network; docs/asr.md says what tells it from
speech."""
LONGEST_PHRASE = 30
MAX_REPEAT_RATE = 8.0
"""Words a second within a repetition; the fastest syllables that people repeat."""
SHORTEST_WORD = 0.03
"""s; a word that the network follows in the sound covers more than one position (0.02 s)."""
MOST_UNTIMED = 0.25
"""Share of the words of a repetition that may be shorter; one always may."""
MIN_REPEAT_PROBABILITY = 0.4
"""Mean over the words of a repetition."""
MAX_REPEAT_NO_SPEECH = 0.5
"""Sounds that go on and on are repeated as words with a no-speech probability above it."""


def doubts(attempt: Attempt, seconds: float, min_logprob: float = MIN_LOGPROB) -> str:
    """The reason why the result is unlikely for speech of that duration; empty: it is plausible."""
    parts = _parts(attempt, seconds)
    if looped := _loops(attempt, parts):
        return looped
    words = len(attempt.text.split())
    if words > MAX_WORD_RATE * seconds + GRACE_WORDS:
        return f'{words} words in {seconds:.1f} s'
    # Some languages have no spaces between words.
    few = 0 < max(len(attempt.words), words, len(attempt.text) // 10) < MIN_WORD_RATE * seconds
    if few and _mean(attempt.tokens) < MIN_FEW_PROBABILITY:
        return f'no more than {attempt.text!r} in {seconds:.1f} s, probability {_mean(attempt.tokens):.2f}'
    if words and attempt.mean_logprob < min_logprob:
        return f'mean log probability {attempt.mean_logprob:.2f}'
    return ''


def _loops(attempt: Attempt, parts: list[TimedWord]) -> str:
    """The reason why a repetition is an artefact of the network; empty: none."""
    if letters := re.search(r'\b([a-hj-z])(?:-\1){2,}\b', attempt.text.lower()):  # only "I-I-I" is a way to speak
        return f'it repeats itself: {letters[0]!r}'
    once: list[str] = []
    i = 0
    while i < len(parts):
        size, count = _repetition(parts, i)
        run = parts[i:i + size * count]
        if count >= REPEATS and (why := _unsaid(attempt, run)):
            return f'{" ".join(part.text for part in run[:size])!r} {count} times: {why}'
        once += [part.text for part in run[:size]]
        i += len(run)
    text = ' '.join(once).encode()
    if text and len(text) / len(zlib.compress(text)) > MAX_COMPRESSION:
        return 'it repeats itself'
    return ''


def _repetition(parts: list[TimedWord], first: int) -> tuple[int, int]:
    """Length and count of the shortest phrase that is repeated from there on; (1, 1) if none is."""
    words = [part.text for part in parts[first:]]
    for size in range(1, LONGEST_PHRASE + 1):
        count = 1
        while words[count * size:(count + 1) * size] == words[:size]:
            count += 1
        if count >= REPEATS:
            return size, count
    return 1, 1


def _unsaid(attempt: Attempt, run: list[TimedWord]) -> str:
    """The reason why these repeated words were not spoken; empty: they may have been."""
    seconds = run[-1].end - run[0].start
    if len(run) > MAX_REPEAT_RATE * seconds:
        return f'{len(run)} words in {seconds:.1f} s'
    untimed = sum(part.end - part.start < SHORTEST_WORD for part in run)
    if untimed > max(1, MOST_UNTIMED * len(run)):
        return f'{untimed} of {len(run)} words take no time'
    probability = _mean(tuple(part.probability for part in run))
    if probability < MIN_REPEAT_PROBABILITY:
        return f'probability {probability:.2f}'
    if attempt.no_speech > MAX_REPEAT_NO_SPEECH:
        return f'no-speech probability {attempt.no_speech:.2f}'
    return ''


def _parts(attempt: Attempt, seconds: float) -> list[TimedWord]:
    """What stands between spaces and hyphens, lower case. Parts of one word share its time evenly, and if no times are
    known, all share that of the utterance."""
    parts = []
    for word in attempt.words or (TimedWord(attempt.text, 0.0, seconds, _mean(attempt.tokens)),):
        texts = re.findall(r"[\w'’]+", word.text.lower())
        each = (word.end - word.start) / max(len(texts), 1)
        parts += [
            TimedWord(text, word.start + i * each, word.start + (i + 1) * each, word.probability)
            for i, text in enumerate(texts)
        ]
    return parts


def _mean(probabilities: tuple[float, ...]) -> float:
    return sum(probabilities) / max(len(probabilities), 1)
