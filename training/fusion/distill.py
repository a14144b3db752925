# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Teaching the second phase: modalities joined by label, every subset of them at once.

Nobody was recorded with all three modalities, so a voice, a comment and a movement of different people are joined
because they have the same label. Labels would teach the fusion how sure the encoders are of what they learnt by heart.
It learns from the encoders' own opinions instead: alone, each modality keeps what its own output layer says of it;
together their log-probabilities are added, each trusted as far as it was right about the corpora, comments and contents
that it had not learnt from. How sure the sum may be is another question (`smern_ros.training.fusion.calibrate`).
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from smern_ros import models
from smern_ros.emotion.checkpoint import subsets
from smern_ros.models.smern_ga import SmernGA
from smern_ros.spec import LABELS, MODALITIES, SKELETON
from smern_ros.training.common.trainer import clip_norm, say

BATCH = 64
"""Joined samples a step; each is there once with each subset of the modalities."""
RATE = 2e-3
"""Of AdamW at its highest: a tenth of the steps up, then down along a cosine."""
DROPOUT = 0.1
"""Half of every vector, as in the paper, would keep a modality alone from saying what its own output layer does."""


class EncodedSource:
    """Encoded samples of one modality."""

    def __init__(
        self, vectors: torch.Tensor, opinions: torch.Tensor, labels: Sequence[int], groups: Sequence[str] = ()
    ):
        """
        :param vectors: (N, D), what the encoder hands to the fusion.
        :param opinions: (N, 4) logits of the encoder's own output layer.
        :param labels: N of 0..3, each at least once.
        :param groups: N names, such as of corpora, each to be drawn equally often; none: all are one group.
        """
        self.vectors, self.opinions = vectors, opinions
        self.labels = torch.tensor(labels)
        self.groups = np.array(groups) if len(groups) else np.full(len(labels), '')
        if not len(vectors) == len(opinions) == len(self.labels) == len(self.groups):
            raise ValueError(
                f'{len(vectors)} vectors, {len(opinions)} opinions, {len(labels)} labels and {len(self.groups)} '
                'groups; wanted one of each a sample'
            )
        self._rows = [
            [rows for g in np.unique(self.groups) if len(rows := np.flatnonzero((self.groups == g) & of_label))]
            for of_label in (self.labels.numpy() == label for label in range(len(LABELS)))
        ]
        if not all(self._rows):
            raise ValueError('a source lacks a label altogether; samples cannot be joined by label')

    def __len__(self) -> int:
        return len(self.labels)

    def draw(self, labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """(B,) rows, a random sample of each label."""
        drawn = np.empty(len(labels), np.int64)
        for i, label in enumerate(labels):
            groups = self._rows[label]
            rows = groups[generator.integers(len(groups))]
            drawn[i] = rows[generator.integers(len(rows))]
        return drawn


class Joined(NamedTuple):
    vectors: tuple[torch.Tensor, ...]  # of each modality (B, D)
    opinions: torch.Tensor             # (M, B, 4) logits of each encoder alone
    labels: torch.Tensor               # (B,), which all share and nothing else


def join(
    sources: Sequence[EncodedSource], count: int, generator: np.random.Generator, *, unrelated: float = 0.0
) -> Joined:
    """`count` samples, each label equally often, each modality of somebody else.

    :param unrelated: share of samples in which only one modality, a random one, has the label, and each other a random
        one: what somebody says need not tell how they feel.
    """
    labels = generator.permutation(np.arange(count) % len(LABELS))
    telling = np.where(generator.random(count) < unrelated, generator.integers(len(sources), size=count), -1)
    rows = [
        source.draw(
            np.where((telling == -1) | (telling == i), labels, generator.integers(len(LABELS), size=count)), generator
        )
        for i, source in enumerate(sources)
    ]
    return Joined(
        tuple(source.vectors[r] for source, r in zip(sources, rows, strict=True)),
        torch.stack([source.opinions[r] for source, r in zip(sources, rows, strict=True)]),
        torch.from_numpy(labels),
    )


def masks(modalities: Sequence[str] = MODALITIES) -> torch.Tensor:
    """(S, 3) bool, which of MODALITIES each subset of `modalities` has."""
    return torch.tensor([[m in subset.split('+') for m in MODALITIES] for subset in subsets(modalities)])


def pooled(opinions: torch.Tensor, temperatures: Mapping[str, float]) -> torch.Tensor:
    """What each subset of the modalities says together, (S, B, 4) logits.

    The sum of their log-probabilities, each first divided by its temperature (a logarithmic opinion pool, Genest and
    Zidek 1986). The sum is then made as much surer as its modalities are on average: the subset's own temperature, kept
    beside the network, takes that back, and one modality alone keeps its opinion as it is.

    :param opinions: (M, B, 4) logits.
    :param temperatures: of each of the M modalities, by name, in the order of `opinions`.
    """
    present = masks(tuple(temperatures))[:, : len(opinions)].float()                  # (S, M): the skeleton is the last
    of_each = torch.tensor(list(temperatures.values()))                               # (M,)
    calibrated = functional.log_softmax(opinions, dim=2) / of_each[:, None, None]     # (M, B, 4)
    average = present @ of_each / present.sum(dim=1)                                  # (S,)
    return average[:, None, None] * torch.einsum('sm,mbc->sbc', present, calibrated)  # (S, B, 4)


def train_fusion(sources: Sequence[EncodedSource], temperatures: Mapping[str, float], steps: int, seed: int) -> SmernGA:
    """A fusion that says of every subset of the modalities what `pooled` does.

    :param sources: one a modality.
    :param temperatures: how far each encoder is to be trusted, by modality, in the order of `sources`.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    sizes = {m: source.vectors.shape[1] for m, source in zip(temperatures, sources, strict=True)}
    network = models.build('smern_ga', dropout=DROPOUT, **{SKELETON: 0, **sizes})
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, 10 * (step + 1) / steps) * 0.5 * (1 + math.cos(math.pi * step / steps))
    )
    present = masks(tuple(sizes)).repeat_interleave(BATCH, dim=0)                     # (S B, 3)
    network.train()
    lost = []
    for step in range(steps):
        joined = join(sources, BATCH, generator)
        wanted = pooled(joined.opinions, temperatures).flatten(0, 1).softmax(dim=1)   # (S B, 4)
        vectors = {SKELETON: torch.zeros(BATCH, 0), **dict(zip(sizes, joined.vectors, strict=True))}
        repeated = (vectors[m].repeat(len(present) // BATCH, 1) for m in MODALITIES)  # each (S B, D)
        fused = network(*repeated, present).logits
        loss = functional.kl_div(fused.log_softmax(dim=1), wanted, reduction='batchmean')
        optimiser.zero_grad()
        loss.backward()
        clip_norm(network.parameters())
        optimiser.step()
        rate.step()
        lost.append(float(loss.detach()))
        if (step + 1) % max(steps // 5, 1) == 0:
            say(f'fusion step {step + 1}/{steps}: {np.mean(lost):.4f} nats from the encoders together')
            lost.clear()
    if not all(bool(p.isfinite().all()) for p in network.parameters()):
        raise ValueError('the fusion diverged; a lower learning rate may help')
    return network.eval()
