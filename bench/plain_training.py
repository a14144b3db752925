# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training as one writes it first: what `bench.training` compares ours with."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from smern_ros.training.common.trainer import Batch, Epoch, fit
from smern_ros.training.iemocap.experiments.network_samples import NetworkSamples
from smern_ros.training.iemocap.experiments.train_network import CLIP_VALUE, TrainingSettings

PADDED = ('mfcc', 'words', 'skeleton', 'visible')


def train(
    network: nn.Module, model: str, learn: NetworkSamples, dev: NetworkSamples, settings: TrainingSettings, seed: int
) -> tuple[Epoch, ...]:
    """In float32, in batches in random order, each at once and padded to the longest utterance of all."""
    generator = np.random.default_rng(seed)
    longest = {
        name: max(len(getattr(s, name)) for s in (*learn.tensors, *dev.tensors))
        for name in PADDED if getattr(learn.tensors[0], name) is not None
    }

    def batches(samples: NetworkSamples, order: np.ndarray) -> Iterator[Batch]:
        for start in range(0, len(order), settings.batch):
            yield padded(network, samples, order[start : start + settings.batch].tolist(), longest)

    clip = CLIP_VALUE.get(model)
    torch.manual_seed(seed)
    return fit(
        model, network, lambda _epoch: batches(learn, generator.permutation(len(learn))),
        lambda: batches(dev, np.arange(len(dev))),
        optimiser=torch.optim.Adam(network.parameters(), settings.learning_rate), weights=None,
        epochs=settings.epochs, patience=settings.patience, label_smoothing=0.0, report=lambda _text: None,
        clip=(lambda parameters: nn.utils.clip_grad_value_(parameters, clip)) if clip else lambda _parameters: None,
    )


def padded(network: nn.Module, samples: NetworkSamples, rows: list[int], longest: dict[str, int]) -> Batch:
    """Some samples, padded to so many steps of each field."""
    batch, labels = samples.batch(rows, 'cpu')
    wide = {}
    for name, steps in longest.items():
        values = getattr(batch, name)
        missing = steps - values.shape[1]
        wide[name] = functional.pad(values, (0, missing) if values.dim() == 2 else (0, 0, 0, missing))
    return dataclasses.replace(batch, **wide).inputs(network), labels
