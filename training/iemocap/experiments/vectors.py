# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pretrained word vectors from a file as GloVe publishes it: a word and its numbers a line, parted by spaces."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smern_ros.text.tokens import tokenise


@dataclass(frozen=True, eq=False)
class WordVectors:
    """`rows[words[w]]` is the vector of w."""

    words: dict[str, int]
    rows: np.ndarray  # (N, D) float32

    @property
    def size(self) -> int:
        return self.rows.shape[1]

    @property
    def digest(self) -> str:
        """The same for the same words and vectors."""
        state = hashlib.blake2b(json.dumps(self.words).encode(), digest_size=16)
        state.update(self.rows.tobytes())
        return state.hexdigest()


def words_of(texts: Iterable[str]) -> set[str]:
    """All that `tokenise` finds in them: what `read` need not look beyond."""
    return {token for text in texts for token in tokenise(text)}


def read(path: Path, wanted: Collection[str]) -> WordVectors:
    """The vectors of the words that are wanted and known; all others are passed over, so memory stays small.

    :raises ValueError: if the file cannot be read, is of another format, or knows none of the words.
    """
    words: dict[str, int] = {}
    rows: list[np.ndarray] = []
    try:
        with path.open(encoding='utf-8', errors='replace') as file:
            size = len(file.readline().split(' ')) - 1
            file.seek(0)
            for number, line in enumerate(file, start=1):
                word = line[: line.find(' ')]
                if word not in wanted or word in words:
                    continue
                row = _numbers(line)
                if row is None or len(row) != size or size < 2:
                    raise ValueError(f'{path}, line {number}: wanted a word and {size} numbers, got {line[:60]!r}')
                words[word] = len(rows)
                rows.append(row)
    except OSError as error:
        raise ValueError(f'word vectors: {path} cannot be read ({error.strerror}); give a file of GloVe') from None
    if not rows:
        raise ValueError(f'{path} knows none of the {len(wanted)} words of the corpus; give a file of GloVe')
    return WordVectors(words, np.stack(rows))


def _numbers(line: str) -> np.ndarray | None:
    try:
        row = np.array(line.rstrip().split(' ')[1:], np.float32)
    except ValueError:
        return None
    return row if np.isfinite(row).all() else None
