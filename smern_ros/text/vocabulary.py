# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Vocabulary of an embedding."""
from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from smern_ros.text.tokens import NUMBER

PADDING, UNKNOWN = '<padding>', '<unknown>'
SPECIAL = (PADDING, UNKNOWN, NUMBER)
"""The first rows of every vocabulary."""
LARGEST = 200_000
"""Most words; no checkpoint of this package has as many."""


class Vocabulary:
    """Maps words to rows of the embedding. Rows 0, 1 and 2 are padding, unknown words and numbers."""

    def __init__(self, words: Iterable[str]):
        """
        :param words: in the order of the rows, without the special ones.
        :raises ValueError: for a word given twice, an empty one, or too many.
        """
        self.words = (*SPECIAL, *words)
        self._rows = {word: row for row, word in enumerate(self.words)}
        if len(self.words) > LARGEST:
            raise ValueError(f'the vocabulary has {len(self.words)} words; the maximum is {LARGEST}')
        if len(self._rows) != len(self.words):
            twice = next(word for row, word in enumerate(self.words) if self._rows[word] != row)
            raise ValueError(f'the vocabulary has {twice!r} twice; expected each word once')
        if any(not word or word.split() != [word] for word in self.words):
            raise ValueError('the vocabulary has an empty word, or one with a space')

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._rows

    def rows(self, tokens: Sequence[str]) -> list[int]:
        """The row of each token, that of UNKNOWN for others."""
        unknown = self._rows[UNKNOWN]
        return [self._rows.get(token, unknown) for token in tokens]

    def knows_any_word(self, tokens: Sequence[str]) -> bool:
        """Whether a token other than numbers, ! and ? is in the vocabulary."""
        return any(token in self._rows for token in tokens if token[0].isalpha())

    def write(self, path: Path) -> None:
        """Write a JSON list of the words in the order of the rows, one per line, without the special ones."""
        words = json.dumps(self.words[len(SPECIAL) :], ensure_ascii=False, indent=0)
        path.write_text(words + '\n', encoding='utf-8')

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """:raises ValueError: if the file is no list of words."""
        words = json.loads(path.read_text(encoding='utf-8'))
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError(f'{path.name} is no list of words')
        return cls(words)
