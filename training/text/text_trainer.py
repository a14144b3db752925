# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training the text encoder that reads contextual vectors of words: comments, without capitals and punctuation."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from smern_ros import models
from smern_ros.models.words import Words
from smern_ros.spec import LABELS, SPEC
from smern_ros.text.sentence_encoder import SentenceEncoder, as_spoken
from smern_ros.training.common.cache import asset_state, code, key
from smern_ros.training.common.splits import Split
from smern_ros.training.common.trainer import Batch, Epoch, class_weights, fit, say
from smern_ros.training.corpora import Comment, goemotions
from smern_ros.training.open_model.samples import label_of, pretraining_comments, smaller, text_batch, text_split

MADE_BY = ('smern_ros.text.onnx_tensors', 'smern_ros.text.sentence_encoder')
"""The modules that make vectors of a text."""
WORD_LOSS = 0.27
"""Share of the words that a recogniser gets wrong: the word error rate of spoken comments in docs/results.md."""


@dataclass(frozen=True)
class TextRecipe:
    """How the encoder is trained. The defaults make the shipped one."""

    pretraining: int = 3      # epochs on all comments of the training part, with all emotions of the corpus
    dropout: float = 0.5
    rate: float = 1e-3        # of Adam
    batch: int = 256
    patience: int = 3         # epochs


@dataclass(frozen=True, eq=False)
class Reading:
    """What the text encoder learns from. A comment without a word is left out."""

    comments: Split[Comment]
    lossy: Sequence[Comment]          # the development part, without WORD_LOSS of the words
    vectors: dict[str, torch.Tensor]  # by text: (N, 1152) in half precision
    pretraining: torch.Tensor         # (M, 2304) in half precision: what `Words.pool` gives of all of the training part
    emotions: torch.Tensor            # (M, 28), 1 where one of the corpus's emotions is shown

    @classmethod
    def read(cls, data: Path, cache: Path, *, comments: int | None = None) -> Reading:
        """:param comments: at most so many of each part, for a trial. :raises assets.AssetError: without weights."""
        split = smaller(text_split(data), comments)
        found = vectors([c.text for part in (split.train, split.dev, split.test) for c in part], cache)
        generator = np.random.default_rng(0)
        lossy = [replace(comment, text=_with_losses(comment.text, generator)) for comment in split.dev]
        found |= vectors([comment.text for comment in lossy], cache)
        others = pretraining_comments(data)[:comments]
        rest = vectors([c.text for c in others if c.text not in found], cache, pooled=True)
        whole = rest | {text: pool(read) for text, read in found.items()}
        others = [comment for comment in others if len(whole[comment.text])]
        targets = torch.zeros(len(others), len(goemotions.emotions(data)))
        for row, comment in zip(targets, others, strict=True):
            row[list(comment.emotions)] = 1
        return cls(split, lossy, found, torch.cat([whole[comment.text] for comment in others]), targets)


def vectors(texts: Sequence[str], cache: Path, *, pooled: bool = False) -> dict[str, torch.Tensor]:
    """By each text the vectors of its words, (N, 1152) in half precision; kept in `cache`.

    :param pooled: what `Words.pool` gives of them instead, (1, 2304): a tenth of the size; (0, 2304) if there is none.
    :raises assets.AssetError: if the encoder's weights are not here.
    """
    wanted = list(dict.fromkeys(texts))
    made_by = asset_state(SPEC.sentence_encoder)
    file = cache / f'sentences-{key(weights=made_by, code=code(MADE_BY), pooled=pooled, texts=wanted)}.npz'
    if not file.is_file():
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # each step is so small that several threads cost more than they give
        encoder, made = SentenceEncoder(), []
        for i, text in enumerate(wanted):
            if i % 5000 == 0:
                say(f'text: vectors of comment {i} of {len(wanted)}')
            read = torch.from_numpy(encoder.encode(text))
            made.append((pool(read) if pooled else read).half().numpy())
        torch.set_num_threads(threads)
        cache.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix('.part.npz')
        np.savez(part, vectors=np.concatenate(made), lengths=list(map(len, made)))
        part.replace(file)
    with np.load(file) as stored:
        found = torch.from_numpy(stored['vectors']).split(stored['lengths'].tolist())
    return dict(zip(wanted, found, strict=True))


def pool(vectors: torch.Tensor) -> torch.Tensor:
    """What `Words.pool` gives of the vectors of one text: (N, 1152) to (1, 2304), or to (0, 2304) if there is none."""
    if not len(vectors):
        return vectors.new_zeros(0, 2 * SPEC.word_vector)
    return torch.cat([vectors.float().mean(dim=0), vectors.float().amax(dim=0)])[None].to(vectors.dtype)


def train_words(reading: Reading, *, epochs: int, seed: int, recipe: TextRecipe = TextRecipe()) -> Words:
    """Each emotion counts the same; judged by the development part."""
    torch.manual_seed(seed)
    network = models.build('words', dropout=recipe.dropout)
    (read, labels), dev = (_pooled(*items(reading, part)) for part in ('train', 'dev'))
    network.scale(read)
    if recipe.pretraining:
        _pretrain(network, reading, recipe, seed)
    learn(network, (read, labels), dev, epochs=epochs, seed=seed, recipe=recipe)
    return network


def learn(
    network: Words, train: tuple[torch.Tensor, torch.Tensor], dev: tuple[torch.Tensor, torch.Tensor], *, epochs: int,
    seed: int, recipe: TextRecipe, report: Callable[[str], object] = say,
) -> tuple[Epoch, ...]:
    """Train in place; see `train`.

    :param train: (M, 2304) of `pool`, and (M,) labels; as `dev`.
    """
    learning, (read, labels) = _Pooled(network), train

    def batches(epoch: int) -> Iterator[Batch]:
        order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(labels)))
        yield from (((read[rows],), labels[rows]) for rows in order.split(recipe.batch))

    return fit(
        'text', learning, batches, lambda: [((dev[0],), dev[1])],
        optimiser=torch.optim.Adam(learning.parameters(), recipe.rate),
        weights=class_weights(labels, len(LABELS)), epochs=epochs, patience=recipe.patience, report=report,
    )


class _Pooled(nn.Module):
    """The network from where nothing is learnt before: its inputs are pooled once, not in each epoch."""

    def __init__(self, network: Words):
        super().__init__()
        self.network = network

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        return self.network.output(self.network.dropout(self.network.encode(pooled)))


def _pooled(items: Sequence[torch.Tensor], labels: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """(M, 2304), (M,)"""
    return torch.cat([pool(vectors.float()) for vectors in items]), torch.tensor(labels)


def _pretrain(network: Words, reading: Reading, recipe: TextRecipe, seed: int) -> None:
    """With all emotions of the corpus, of which a comment may show several; their output layer is then forgotten."""
    head = nn.Linear(network.config.out, reading.emotions.shape[1])
    # Between counting each comment and each emotion the same: the rarest has one comment in six hundred.
    weights = reading.emotions.mean(dim=0).clamp(min=1e-4).rsqrt()
    optimiser = torch.optim.Adam([*network.fc.parameters(), *head.parameters()], recipe.rate)
    for epoch in range(recipe.pretraining):
        network.train()
        total, order = 0.0, torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(reading.emotions)))
        for rows in order.split(recipe.batch):
            optimiser.zero_grad()
            logits = head(network.dropout(network.encode(reading.pretraining[rows].float())))
            loss = functional.binary_cross_entropy_with_logits(logits, reading.emotions[rows], pos_weight=weights)
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(rows)
        say(f'text, all emotions, epoch {epoch + 1}/{recipe.pretraining}: train loss {total / len(order):.3f}')


def items(reading: Reading, part: str) -> tuple[list[torch.Tensor], list[int]]:
    """Vectors (N, 1152) in half precision and label of each comment with a word.

    :param part: train, dev or test, or lossy: dev as a recogniser might leave it.
    """
    of_part = reading.lossy if part == 'lossy' else getattr(reading.comments, part)
    comments = [comment for comment in of_part if len(reading.vectors[comment.text])]
    return [reading.vectors[comment.text] for comment in comments], [label_of(comment) for comment in comments]


def batch(items: Sequence[torch.Tensor], labels: Sequence[int]) -> Batch:
    """Padded, in single precision: ((B, N, 1152), (B,) lengths), (B,) labels."""
    (padded, lengths), truth = text_batch(items, labels)
    return (padded.float(), lengths), truth


@torch.inference_mode()
def probabilities(network: Words, encoder: SentenceEncoder, texts: Sequence[str]) -> np.ndarray:
    """(N, 4); where there is no word, an even guess."""
    found = np.full((len(texts), len(LABELS)), 1 / len(LABELS), np.float32)
    for row, text in zip(found, texts, strict=True):
        read = torch.from_numpy(encoder.encode(text))
        if len(read):
            row[:] = network(read[None], torch.tensor([len(read)]))[0].softmax(dim=0).numpy()
    return found


def _with_losses(text: str, generator: np.random.Generator) -> str:
    """Each word is left out with the probability WORD_LOSS, but one is kept."""
    words = as_spoken(text).split()
    kept = generator.random(len(words)) >= WORD_LOSS
    if words and not kept.any():
        kept[generator.integers(len(words))] = True
    return ' '.join(word for word, keep in zip(words, kept, strict=True) if keep)
