# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How sure the networks may be: temperatures found on corpora, comments and contents that they did not learn from."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch.nn import functional

from smern_ros.emotion.checkpoint import subsets
from smern_ros.spec import AUDIO
from smern_ros.training.fusion.distill import EncodedSource, join, pooled

JOINED = 4000
"""Samples joined by label for the temperature of several modalities."""
UNRELATED = 0.5
"""Share of those samples in which one modality alone tells anything of the label. Of people nobody knows it: somebody
may well say with an angry voice what time it is. In EMO-DB, nEMO and RAVDESS the words never tell anything."""
CANDIDATES = torch.logspace(0, 1, 101)
"""1 to 10. No development set is a reason to make a network surer than it is: it may be easier than the world."""


def best_temperature(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> float:
    """The one of CANDIDATES with the least cross-entropy (Guo et al., On calibration of modern neural networks, 2017).

    :param logits: (N, 4)
    :param weights: (N,), how much each sample counts.
    """
    losses = torch.stack([
        functional.cross_entropy(logits / t, labels, reduction='none') @ weights for t in CANDIDATES
    ])
    return float(CANDIDATES[losses.argmin()])


def even(labels: torch.Tensor, groups: np.ndarray) -> torch.Tensor:
    """(N,) weights of sum 1 by which every label counts the same, and in it every group."""
    weights = torch.zeros(len(labels))
    for label in labels.unique():
        of_label = [(labels == label) & torch.from_numpy(groups == group) for group in np.unique(groups)]
        present = [rows for rows in of_label if rows.any()]
        for rows in present:
            weights[rows] = 1 / (len(present) * rows.sum())
    return weights / weights.sum()


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """(N, 4), what they are after their logits are divided by a temperature."""
    powers = probabilities.astype(np.float64) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def of_modalities(development: Mapping[str, EncodedSource]) -> dict[str, float]:
    """The temperature of each encoder's own opinion.

    That of voice is 1: its committee is less sure where its members disagree. A temperature found on two corpora made
    worse what it is on a third (docs/results.md, "How sure").

    :param development: by modality; the opinions are of encoders that did not learn from these samples.
    """
    return {m: 1.0 if m == AUDIO else of_source(source) for m, source in development.items()}


def of_source(source: EncodedSource) -> float:
    """The best temperature of its opinions, every label and group counting the same."""
    return best_temperature(source.opinions, source.labels, even(source.labels, source.groups))


def of_subsets(development: Mapping[str, EncodedSource], single: Mapping[str, float], seed: int) -> dict[str, float]:
    """The temperature of each subset of the modalities, for a fusion that says what `pooled` does.

    That of several modalities is never below that of any of them. Voice, words and movement of one person do not tell
    the same independently of each other: in UNRELATED of the samples only one of them tells anything.

    :param single: of each modality (`of_modalities`).
    """
    joined = join(list(development.values()), JOINED, np.random.default_rng(seed), unrelated=UNRELATED)
    weights = torch.full((JOINED,), 1 / JOINED)
    return {
        subset: single[subset] if subset in single
        else max(best_temperature(logits, joined.labels, weights), *(single[m] for m in subset.split('+')))
        for subset, logits in zip(subsets(tuple(single)), pooled(joined.opinions, single), strict=True)
    }

