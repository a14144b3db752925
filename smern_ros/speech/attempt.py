"""One decoding of a stretch of speech, and what makes it doubtful."""
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
    """What a network heard."""

    text: str
    words: tuple[TimedWord, ...]  # of the text, with times; empty if the network cannot tell when
    tokens: tuple[float, ...]     # probability of each token of the text, 0..1
    mean_logprob: float           # of the tokens and the end, natural logarithm
    no_speech: float              # 0..1, that there are no words at all


NO_SPEECH = 0.75
"""Above it nothing was said; no noise of docs/asr.md has words then."""
MIN_LOGPROB = -1.0
"""Whisper's own threshold (OpenAI, transcribe.py): below it the words are guessed."""
MAX_COMPRESSION = 2.4
"""Whisper's own threshold: text that compresses better repeats itself."""
MAX_WORD_RATE = 6.0
"""Words a second; fast speakers say five."""
GRACE_WORDS = 2
"""Short utterances may hold this many words more than the rate allows."""


def doubts(attempt: Attempt, seconds: float, min_logprob: float = MIN_LOGPROB) -> str:
    """Why these may not be the words that were said in so many seconds; empty if nothing speaks against them."""
    if repeats(attempt.text):
        return 'it repeats itself'
    words = len(attempt.text.split())
    if words > MAX_WORD_RATE * seconds + GRACE_WORDS:
        return f'{words} words in {seconds:.1f} s'
    if words and attempt.mean_logprob < min_logprob:
        return f'mean log probability {attempt.mean_logprob:.2f}'
    return ''


def repeats(text: str) -> bool:
    """Whether a text is a loop: longer than a few words, and made of the same ones."""
    data = text.encode()
    if data and len(data) / len(zlib.compress(data)) > MAX_COMPRESSION:
        return True
    words = re.findall(r"[\w']+", text.lower())  # zlib sees no loop in few words
    return any(
        words[i:i + n] == words[i + n:i + 2 * n] == words[i + 2 * n:i + 3 * n]
        for n in (1, 2, 3) for i in range(len(words) - 3 * n + 1)
    )
