# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tokenisation for the text encoder."""
from __future__ import annotations

import re
from itertools import chain, islice

from smern_ros.spec import SPEC

NUMBER = '<number>'
"""Token of every number: word vectors do not distinguish numbers."""

_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,:]\d+)*|[!?]")
# Expansion of clitics by ending. The word vectors have neither clitics nor single letters.
_CLITICS = {
    "n't": 'not',
    "'m": 'am',
    "'re": 'are',
    "'s": 'is',
    "'ll": 'will',
    "'ve": 'have',
    "'d": 'would',
}
_WHOLE = {
    "can't": ('can', 'not'),
    "won't": ('will', 'not'),
    "shan't": ('shall', 'not'),
    "ain't": ('is', 'not'),
    'cannot': ('can', 'not'),
    'i': ('me',),
    'a': ('an',),
}
_LONGEST = 64  # characters; longer words are cut


def tokenise(text: str, max_words: int = SPEC.max_words) -> list[str]:
    """Lower-case words of `text`; clitics expanded, numbers as one token, `!` and `?` kept, all else dropped.

    Stops after `max_words` words.

    :return: at most `max_words` tokens.
    """
    found = (match.group()[:_LONGEST].lower() for match in _TOKEN.finditer(text.replace('’', "'")))
    return list(islice(chain.from_iterable(map(_expand, found)), max_words))


def _expand(token: str) -> tuple[str, ...]:
    """("do", "not") for "don't"."""
    if token in _WHOLE:
        return _WHOLE[token]
    if token[0].isdigit():
        return (NUMBER,)
    for ending, word in _CLITICS.items():
        if token.endswith(ending) and len(token) > len(ending):
            stem = token[: -len(ending)]
            return (*_expand(stem), word)
    return (token.replace("'", ''),)
