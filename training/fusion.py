"""Training the second phase: modalities joined by label, any of them missing; and the temperatures."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from smern_ros import models
from smern_ros.checkpoint import SUBSETS
from smern_ros.models.smern_ga import SmernGA
from smern_ros.spec import LABELS, MODALITIES
from smern_ros.training.loop import Batch, fit

BATCH = 128
DEV_SAMPLES = 400
"""Of each label and subset."""


class Source:
    """Encoded samples of one modality, by label."""

    def __init__(self, vectors: torch.Tensor, labels: Sequence[int]):
        """
        :param vectors: (N, D)
        :param labels: N of 0..3, each at least once.
        """
        index = torch.tensor(labels)
        self.by_label = [vectors[index == label] for label in range(len(LABELS))]
        if any(len(v) == 0 for v in self.by_label):
            raise ValueError('a source lacks a label altogether; samples cannot be joined by label')

    def draw(self, labels: np.ndarray, generator: np.random.Generator) -> torch.Tensor:
        """(B, D) a random sample of each label."""
        rows = [self.by_label[label][generator.integers(len(self.by_label[label]))] for label in labels]
        return torch.stack(rows)


def joined(sources: Sequence[Source], present: torch.Tensor, generator: np.random.Generator) -> Batch:
    """One sample for each row of `present` (B, 3): each modality from somebody else, all with the same label."""
    labels = generator.permutation(np.arange(len(present)) % len(LABELS))
    return (*(source.draw(labels, generator) for source in sources), present), torch.from_numpy(labels)


def masks() -> torch.Tensor:
    """(7, 3) bool, which modalities each of SUBSETS has."""
    return torch.tensor([[m in subset.split('+') for m in MODALITIES] for subset in SUBSETS])


def train_fusion(train: Sequence[Source], dev: Sequence[Source], epochs: int, samples: int, seed: int) -> SmernGA:
    """Each subset of the modalities as often as any other, so that none is relied upon."""
    torch.manual_seed(seed)
    network = models.build('smern_ga')
    dev_batches = [batch for _, batch in dev_by_subset(dev, seed)]

    def batches(epoch: int) -> Iterator[Batch]:
        generator = np.random.default_rng([seed, epoch])
        for _ in range(max(samples // BATCH, 1)):
            yield joined(train, masks()[generator.integers(len(SUBSETS), size=BATCH)], generator)

    logits = _Logits(network)
    fit(
        'fusion', logits, batches, lambda: dev_batches,
        optimiser=torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.01),
        weights=torch.ones(len(LABELS)), epochs=epochs, patience=5,
    )
    return network


def dev_by_subset(dev: Sequence[Source], seed: int) -> list[tuple[str, Batch]]:
    """For each of SUBSETS, samples of the development sets joined by label."""
    generator = np.random.default_rng(seed)
    count = DEV_SAMPLES * len(LABELS)
    return [(s, joined(dev, mask.expand(count, -1), generator)) for s, mask in zip(SUBSETS, masks(), strict=True)]


@torch.inference_mode()
def find_temperatures(network: SmernGA, dev: Sequence[Source], seed: int) -> dict[str, float]:
    """For each subset the temperature with the least cross-entropy on the development sets, but never below 1.

    A small development set may be easier than the world (two contents of movement, two speakers); that is no reason
    to make the network surer than it is. Nor is that of several modalities below that of any of them alone: samples
    joined by label know nothing of how often voice, words and movement of one person agree by mistake.
    """
    candidates = torch.logspace(0, 1, 101)
    found = {}
    for subset, (inputs, labels) in dev_by_subset(dev, seed):
        logits = network(*inputs).logits
        losses = torch.stack([functional.cross_entropy(logits / t, labels) for t in candidates])
        best = float(candidates[losses.argmin()])
        found[subset] = max([best, *(found[m] for m in subset.split('+') if m in found)])
    return found


class _Logits(nn.Module):
    """The network as `fit` takes it: what it returns is the logits."""

    def __init__(self, network: SmernGA):
        super().__init__()
        self.network = network

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.network(*inputs).logits
