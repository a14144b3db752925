"""The vocabulary of the text encoder and its word vectors."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from smern_ros.text.vocabulary import SPECIAL, Vocabulary
from smern_ros.text.words import tokenise
from smern_ros.training.corpora import require_folder

LICENCE = 'PDDL 1.0'
DIMENSIONS = 100


def read_vectors(data: Path) -> tuple[list[str], np.ndarray]:
    """Words by frequency and their vectors (N, 100), of `data`/glove100 (GloVe 6B)."""
    folder = require_folder(data / 'glove100', 'GloVe vectors')
    parts = [np.load(path) for path in sorted(folder.glob('glove100_*.npz'))]
    return [word for part in parts for word in part['words'].tolist()], np.concatenate([p['vectors'] for p in parts])


def vocabulary(words: list[str], texts: Iterable[str], size: int) -> Vocabulary:
    """The words of `texts` used twice or more, then the most frequent of the language, `size` in all.

    :param words: those that have a vector, the most frequent first.
    """
    uses = Counter(token for text in texts for token in tokenise(text))
    speakable = [word for word in words if tokenise(word) == [word]]
    chosen = sorted(speakable, key=lambda word: uses[word] < 2)[: size - len(SPECIAL)]
    kept = set(chosen)
    return Vocabulary(word for word in speakable if word in kept)


def embedding(vocab: Vocabulary, words: list[str], vectors: np.ndarray) -> torch.Tensor:
    """(rows, 100) float32: padding zero, unknown words and numbers small and random, the others as read."""
    rows = {word: row for row, word in enumerate(words)}
    table = torch.zeros(len(vocab), vectors.shape[1])
    table[1 : len(SPECIAL)].uniform_(-0.25, 0.25)
    known = torch.from_numpy(vectors[[rows[word] for word in vocab.words[len(SPECIAL) :]]].astype(np.float32))
    table[len(SPECIAL) :] = known
    return table
