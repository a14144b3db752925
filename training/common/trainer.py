# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fitting a network to batches until the development set stops getting better."""
from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

Batch = tuple[tuple[torch.Tensor, ...], torch.Tensor]
"""What the network takes, and (B,) int64 labels."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set, and the development set after it."""

    train_loss: float
    dev_loss: float
    dev_uar: float


def clip_norm(parameters: Iterable[nn.Parameter]) -> None:
    nn.utils.clip_grad_norm_(parameters, 5.0)


def say(text: str) -> None:
    print(time.strftime('%H:%M:%S'), text, flush=True)


def class_weights(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """(classes,) inverse to how often each occurs, mean 1, so that each class counts the same."""
    counts = torch.bincount(labels, minlength=classes).clamp(min=1).float()
    weights = 1 / counts
    return weights / weights.mean()


def fit(
    name: str,
    network: nn.Module,
    batches: Callable[[int], Iterable[Any]],
    dev: Callable[[], Iterable[Batch]],
    *,
    optimiser: torch.optim.Optimizer,
    weights: torch.Tensor | None,
    epochs: int,
    patience: int,
    low_precision: bool = False,
    knows: bool = False,
    label_smoothing: float = 0.05,
    clip: Callable[[Iterable[nn.Parameter]], object] = clip_norm,
    parts: Callable[[Any], Iterable[Batch]] = lambda batch: (batch,),
    report: Callable[[str], object] = say,
) -> tuple[Epoch, ...]:
    """Train `network` in place; it ends with the weights that had the lowest loss on the development set.

    :param batches: of the epoch with this number.
    :param weights: (classes,) of the cross-entropy; None if all count the same.
    :param patience: epochs without improvement after which to stop.
    :param low_precision: compute in bfloat16 where that is precise enough: three times as fast on recent processors.
    :param knows: it has learnt before: its weights as they are given are the first of which the best are kept.
    :param clip: bounds the gradients before each step.
    :param parts: of a batch, computed one after the other, for the gradient of the whole takes more memory. A batch
        is a `Batch` unless these are given.
    :param report: told of each epoch.
    :return: what came of each epoch.
    :raises ValueError: if a loss is no finite number any more.
    """
    history: list[Epoch] = []
    best = evaluate(network, dev(), weights)[0] if knows else float('inf')
    best_state, waited = copy.deepcopy(network.state_dict()), 0
    for epoch in range(epochs):
        network.train()
        total, seen = 0.0, 0
        for batch in batches(epoch):
            of_batch = list(parts(batch))
            size = sum(len(labels) for _, labels in of_batch)
            optimiser.zero_grad()
            for inputs, labels in of_batch:
                with torch.autocast(labels.device.type, dtype=torch.bfloat16, enabled=low_precision):
                    logits = network(*inputs)
                loss = functional.cross_entropy(logits.float(), labels, weights, label_smoothing=label_smoothing)
                (loss * (len(labels) / size)).backward()
                total, seen = total + float(loss.detach()) * len(labels), seen + len(labels)
            clip(network.parameters())
            optimiser.step()
        loss_dev, uar = evaluate(network, dev(), weights)
        history.append(Epoch(total / seen, loss_dev, uar))
        if not math.isfinite(total + loss_dev):
            raise ValueError(f'{name} diverged in epoch {epoch + 1}: {history[-1]}; a lower learning rate may help')
        report(
            f'{name} epoch {epoch + 1}/{epochs}: train loss {total / seen:.3f}, dev loss {loss_dev:.3f}, UAR {uar:.3f}'
        )
        if loss_dev < best:
            best, best_state, waited = loss_dev, copy.deepcopy(network.state_dict()), 0
        else:
            waited += 1
            if waited >= patience:
                break
    network.load_state_dict(best_state)
    network.eval()
    return tuple(history)


@torch.inference_mode()
def evaluate(network: nn.Module, batches: Iterable[Batch], weights: torch.Tensor | None) -> tuple[float, float]:
    """Weighted cross-entropy and unweighted average recall."""
    network.eval()
    predicted, truth = zip(*((network(*inputs), labels) for inputs, labels in batches), strict=True)
    logits, labels = torch.cat(predicted), torch.cat(truth)
    right = logits.argmax(dim=1) == labels
    recalls = [right[labels == c].float().mean() for c in labels.unique()]
    return float(functional.cross_entropy(logits, labels, weights)), float(torch.stack(recalls).mean())
