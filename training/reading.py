"""Training the text encoder: from comments as they were written to words as a robot hears them."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from smern_ros import models
from smern_ros.models.tre import TRE
from smern_ros.spec import LABELS
from smern_ros.text.vocabulary import SPECIAL, UNKNOWN, Vocabulary
from smern_ros.text.words import tokenise
from smern_ros.training import text
from smern_ros.training.corpora import Comment, goemotions
from smern_ros.training.loop import Batch, class_weights, clip_norm, fit, say
from smern_ros.training.misheard import Misheard
from smern_ros.training.samples import in_length_buckets, label_of, pretraining_comments, text_batch, text_split
from smern_ros.training.splits import Split

RATE = 1e-3
"""Of Adam, as the paper's."""
SLOWER = 5
"""Times, for the word vectors: words that no comment has must stay comparable."""


@dataclass(frozen=True)
class Recipe:
    """How the encoder is trained. The defaults make the shipped one; docs/results.md tells what each is worth."""

    pooling: str = 'all'     # of TRE
    pretraining: int = 3     # epochs on all comments of the training part, with all emotions of the corpus
    misheard: float = 0.5    # of the comments in an epoch, how many are garbled as a recogniser would
    unknown: float = 0.05    # of the words in an epoch, how many are taken for unknown ones
    dropout: float = 0.4
    batch: int = 128
    patience: int = 3        # epochs


@dataclass(frozen=True, eq=False)
class Reading:
    """What the text encoder learns from."""

    comments: Split[Comment]
    pretraining: Sequence[goemotions.Annotated]  # all of the training part
    vocabulary: Vocabulary
    embedding: torch.Tensor                      # (words, dimensions)

    @classmethod
    def read(cls, data: Path, *, words: int, seed: int) -> Reading:
        """:param words: of the vocabulary, which comes of the training part alone."""
        torch.manual_seed(seed)
        split = text_split(data)
        known, vectors = text.read_vectors(data)
        vocabulary = text.vocabulary(known, (comment.text for comment in split.train), words)
        return cls(split, pretraining_comments(data), vocabulary, text.embedding(vocabulary, known, vectors))


def train(reading: Reading, *, epochs: int, seed: int, recipe: Recipe = Recipe()) -> TRE:
    """From the word vectors, which are trained on slowly; judged by the development part, written and garbled."""
    torch.manual_seed(seed)
    network = models.build(
        'tre', words=len(reading.vocabulary), embedding=reading.embedding.shape[1], dropout=recipe.dropout,
        pooling=recipe.pooling,
    )
    network.embedding.weight.data.copy_(reading.embedding)
    if recipe.pretraining:
        _pretrain(network, reading, recipe, seed)
    train, labels = _tokens(reading.vocabulary, reading.comments.train)
    dev, of_dev = items(reading, 'dev', garbled=recipe.misheard > 0)

    def batches(epoch: int) -> Iterator[Batch]:
        generator = np.random.default_rng([seed, epoch])
        heard = _heard(train, reading.vocabulary, recipe, generator)
        return in_length_buckets(heard, labels, len, text_batch, recipe.batch, generator)

    fit(
        'text', network, batches,
        lambda: in_length_buckets(dev, of_dev, len, text_batch, recipe.batch, np.random.default_rng(0)),
        optimiser=_optimiser(network), weights=class_weights(torch.tensor(labels), len(LABELS)),
        epochs=epochs, patience=recipe.patience,
    )
    return network


def items(reading: Reading, part: str, *, garbled: bool) -> tuple[list[torch.Tensor], list[int]]:
    """Rows of the vocabulary and label of each comment with a known word.

    :param part: train, dev or test.
    :param garbled: each is there a second time, as a recogniser might have heard it.
    """
    tokens, labels = _tokens(reading.vocabulary, getattr(reading.comments, part))
    written = [torch.tensor(reading.vocabulary.rows(words)) for words in tokens]
    if not garbled:
        return written, labels
    always = Recipe(misheard=1.0, unknown=0.0)
    return [*written, *_heard(tokens, reading.vocabulary, always, np.random.default_rng(0))], [*labels, *labels]


def _tokens(vocabulary: Vocabulary, comments: Sequence[Comment]) -> tuple[list[list[str]], list[int]]:
    """Words and label of each comment with a known word."""
    pairs = [(tokenise(comment.text), label_of(comment)) for comment in comments]
    known = [(words, label) for words, label in pairs if vocabulary.knows_any_word(words)]
    return [words for words, _ in known], [label for _, label in known]


def _heard(
    comments: Sequence[list[str]], vocabulary: Vocabulary, recipe: Recipe, generator: np.random.Generator
) -> list[torch.Tensor]:
    """Rows of the vocabulary of each comment, some garbled; as written where that leaves no known word."""
    misheard = Misheard.read() if recipe.misheard else None
    unknown = SPECIAL.index(UNKNOWN)
    heard = []
    for words in comments:
        if misheard is not None and generator.random() < recipe.misheard:
            garbled = misheard.garble(words, generator)
            words = garbled if vocabulary.knows_any_word(garbled) else words
        rows = np.array(vocabulary.rows(words))
        rows[generator.random(len(rows)) < recipe.unknown] = unknown
        heard.append(torch.from_numpy(rows))
    return heard


def _pretrain(network: TRE, reading: Reading, recipe: Recipe, seed: int) -> None:
    """With all emotions of the corpus, of which a comment may show several; their output layer is then forgotten."""
    known = [(words, comment.emotions) for comment in reading.pretraining
             if reading.vocabulary.knows_any_word(words := tokenise(comment.text))]
    shown = torch.zeros(len(known), 1 + max(number for _, numbers in known for number in numbers))
    for row, (_, numbers) in zip(shown, known, strict=True):
        row[list(numbers)] = 1
    head = nn.Linear(network.config.out, shown.shape[1])
    # Between counting each comment and each emotion the same: the rarest has one comment in six hundred.
    weights = shown.mean(dim=0).clamp(min=1e-4).rsqrt()
    optimiser = _optimiser(network, head)
    for epoch in range(recipe.pretraining):
        network.train()
        generator = np.random.default_rng([seed, epoch])
        heard = _heard([words for words, _ in known], reading.vocabulary, recipe, generator)
        total = 0.0
        for inputs, rows in in_length_buckets(heard, range(len(heard)), len, text_batch, recipe.batch, generator):
            optimiser.zero_grad()
            loss = functional.binary_cross_entropy_with_logits(
                head(network.features(*inputs)), shown[rows], pos_weight=weights
            )
            loss.backward()
            clip_norm([*network.parameters(), *head.parameters()])
            optimiser.step()
            total += float(loss.detach()) * len(rows)
        say(f'text, all emotions, epoch {epoch + 1}/{recipe.pretraining}: train loss {total / len(heard):.3f}')


def _optimiser(network: TRE, *heads: nn.Module) -> torch.optim.Optimizer:
    vectors = network.embedding.weight
    rest = [p for module in (network, *heads) for p in module.parameters() if p is not vectors]
    return torch.optim.Adam([{'params': [vectors], 'lr': RATE / SLOWER}, {'params': rest, 'lr': RATE}])
