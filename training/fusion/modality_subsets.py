# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What each subset of the modalities is worth, on test samples that were joined by label.

No one was recorded with all modalities. A voice, a comment and a movement of different people are joined because
they have the same label, so they mislead independently of each other, which one person's do not: the figures of several
modalities show that the fusion makes use of what is there, not how often it would be right about people.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.spec import AUDIO, LABELS
from smern_ros.training.common.metrics import Figures, measure
from smern_ros.training.fusion.calibrate import tempered
from smern_ros.training.fusion.distill import EncodedSource, join
from smern_ros.training.open_model.evaluate import PERSON_KNOWN, Alone

JOININGS = (0, 1, 2, 3, 4)
"""Seeds: figures are mean and deviation over them. They share the test samples, so the deviation is of the joining."""
PER_LABEL = 100
"""Joined samples of each label in a joining."""
TOLERANCE = 0.01
"""UAR by which a subset may be worse than the best of its modalities alone."""
JOINED = 'joined by label'



@dataclass(frozen=True, eq=False)
class SubsetPredictions:
    """Of the samples of one joining, all (N, 4)."""

    labels: np.ndarray                   # (N,)
    fused: Mapping[str, np.ndarray]      # by subset, what the predictor says
    untempered: Mapping[str, np.ndarray]  # the same with every temperature 1
    own: Mapping[str, np.ndarray]        # by modality, what the encoder's own output layer says

    def best_alone(self, subset: str) -> np.ndarray:
        """Of the one of its modalities that is right most often alone, by the fusion or by its own output layer."""
        candidates = [predicted[m] for m in subset.split('+') for predicted in (self.own, self.fused)]
        return max(candidates, key=lambda probabilities: measure(self.labels, probabilities).uar)


@dataclass(frozen=True)
class Subset:
    """Figures of one subset, one a joining."""

    name: str
    fused: tuple[Figures, ...]
    untempered: tuple[Figures, ...]
    best_alone: tuple[Figures, ...]

    @property
    def shortfall(self) -> float:
        """UAR by which it is worse than the best of its modalities alone, on average over the joinings."""
        return float(np.mean([b.uar for b in self.best_alone]) - np.mean([f.uar for f in self.fused]))


def sources(encoded: Sequence[Alone], predictor: EmotionPredictor, *, person_known: bool) -> list[EncodedSource]:
    """The encoded test parts of each modality that it reads; within a modality each source is drawn equally often."""
    found = []
    known = any(part.source.endswith(PERSON_KNOWN) for part in encoded) and person_known
    for modality in predictor.checkpoint.modalities:
        parts = [
            part for part in encoded
            if part.modality == modality and (modality != AUDIO or part.source.endswith(PERSON_KNOWN) == known)
        ]
        rows = [
            (vector, label, part.source)
            for part in parts for vector, label in zip(part.vectors, part.labels, strict=True) if vector is not None
        ]
        vectors = torch.stack([vector for vector, _, _ in rows])
        with torch.inference_mode():
            opinions = getattr(predictor.checkpoint, modality).output(vectors)
        found.append(
            EncodedSource(vectors, opinions, [int(label) for _, label, _ in rows], [source for *_, source in rows])
        )
    return found


def predict(
    predictor: EmotionPredictor, test: Sequence[EncodedSource], seed: int, per_label: int = PER_LABEL
) -> SubsetPredictions:
    """One joining, through the predictor that a robot runs."""
    joined = join(test, per_label * len(LABELS), np.random.default_rng(seed))
    modalities, temperatures = predictor.checkpoint.modalities, predictor.checkpoint.temperatures
    fused: dict[str, list[np.ndarray]] = {subset: [] for subset in temperatures}
    for vectors in zip(*joined.vectors, strict=True):
        given = dict(zip(modalities, vectors, strict=True))
        for subset in temperatures:
            fused[subset].append(predictor.fuse({m: given[m] for m in subset.split('+')}).probabilities)
    stacked = {subset: np.stack(of) for subset, of in fused.items()}
    return SubsetPredictions(
        labels=joined.labels.numpy(),
        fused=stacked,
        untempered={s: tempered(p, 1 / temperatures[s]) for s, p in stacked.items()},
        own={m: opinion.softmax(dim=1).numpy() for m, opinion in zip(modalities, joined.opinions, strict=True)},
    )


def figures(joinings: Sequence[SubsetPredictions]) -> list[Subset]:
    """Of each subset, over several joinings."""
    return [
        Subset(
            subset,
            tuple(measure(j.labels, j.fused[subset]) for j in joinings),
            tuple(measure(j.labels, j.untempered[subset]) for j in joinings),
            tuple(measure(j.labels, j.best_alone(subset)) for j in joinings),
        )
        for subset in joinings[0].fused
    ]


def violations(subsets: Sequence[Subset]) -> list[str]:
    """Of the rule that no subset is worse than the best of its modalities alone by more than TOLERANCE."""
    return [
        f'{s.name} is {100 * s.shortfall:.1f} points of UAR below the best of its modalities alone'
        for s in subsets if s.shortfall > TOLERANCE
    ]


def verdict(subsets: Sequence[Subset]) -> str:
    """One sentence: whether the rule holds, and where it does not."""
    broken = violations(subsets)
    if not broken:
        return f'No subset is below the best of its modalities alone by more than {100 * TOLERANCE:.0f} point of UAR.'
    return f'Broken: {"; ".join(broken)}.'
