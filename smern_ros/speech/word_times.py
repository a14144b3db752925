# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Grouping of tokens into words."""
from __future__ import annotations

from collections.abc import Callable, Sequence

WITHOUT_SPACES = frozenset({'zh', 'ja', 'th', 'lo', 'my', 'yue', 'bo', 'km'})
"""Languages written without spaces between words; there every character that stands alone counts as a word."""


def group(tokens: Sequence[int], decode: Callable[[list[int]], str], language: str) -> list[tuple[str, int, int]]:
    """Words with the range of the tokens each is made of: (text, first, one past the last).

    A word begins at a space; punctuation stays with the word before it.

    :param decode: tokens to text; a token may be part of a character only.
    """
    words: list[tuple[str, int, int]] = []
    first = 0
    for end in range(1, len(tokens) + 1):
        piece = decode(list(tokens[first:end]))
        if '\ufffd' in piece and end < len(tokens):
            continue  # half a character
        begins = piece[:1].isspace() or (language in WITHOUT_SPACES and any(c.isalnum() for c in piece))
        if words and not begins:
            text, start, _ = words.pop()
            words.append((text + piece, start, end))
        else:
            words.append((piece.lstrip(), first, end))
        first = end
    return [(text.strip(), start, end) for text, start, end in words if text.strip()]
