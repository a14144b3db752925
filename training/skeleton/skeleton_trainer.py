# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Teaching the skeleton encoders: one recipe, for the shipped checkpoint and for the results on contents never seen."""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from smern_ros import models
from smern_ros.models.inputs import InputEncoder
from smern_ros.spec import LABELS
from smern_ros.training.common.normalisation import of_skeleton
from smern_ros.training.common.trainer import clip_norm
from smern_ros.training.corpora import Motion
from smern_ros.training.open_model.samples import skeleton_batch
from smern_ros.training.skeleton.windows import CAPTURED, MANNERS, MIRRORED, SEEN, STILL, LabelledWindow, windows


@dataclass(frozen=True)
class SkeletonRecipe:
    """Chosen on the development contents (docs/results.md names them), by two seeds each, which tell nothing of
    differences below three points. Telling the other styles of the same actors apart on the way was no gain. With less
    of `still`, somebody who stands there with hanging arms is called sad.

    With the `coordinates` alike attention that sums over all places does not know which coordinate it sees.
    """

    network: str = 'smacn'
    size: Mapping[str, Any] = field(default_factory=lambda: {
        'first_channels': 32, 'channels': 48, 'heads': 3, 'attention_size': 64, 'coordinates': 'apart', 'stride': 4,
    })
    still: float = 0.5           # share of the neutral windows learnt from that show somebody who hardly moves
    captured: float = 0.5        # share of all others that are as captured, mirrored or not
    steps: int = 300
    batch: int = 32
    rate: float = 2e-3           # of AdamW at its highest: a tenth of the steps up, then down along a cosine
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    memory: float = 0.98         # of the moving average of the weights, which is what is kept, a step


RECIPE = SkeletonRecipe()


def to_learn(motions: Sequence[Motion]) -> list[LabelledWindow]:
    """Windows of clips whose label is an emotion, of 1.6 to 3.2 s."""
    return windows(motions, (48, 64, 96), variants=4)


def normalisation(windows: Sequence[LabelledWindow]) -> dict[str, tuple[float, ...]]:
    """The skeleton's part of a `Normalisation`: of these windows as a camera sees them."""
    return of_skeleton((s.x, s.visible) for s in windows if s.manner == SEEN)


class Pool:
    """Windows to draw from by label, as many of each."""

    def __init__(self, windows: Sequence[LabelledWindow], inputs: InputEncoder):
        self._inputs = inputs
        self._shown: dict[tuple[str, str], list[LabelledWindow]] = {(label, m): [] for label in LABELS for m in MANNERS}
        for s in windows:
            self._shown[s.label, s.manner].append(s)

    def draw(self, count: int, recipe: SkeletonRecipe, generator: np.random.Generator) -> tuple[list, list[int]]:
        """:return: `count` items as of `InputEncoder.skeleton` and the numbers of their labels."""
        order = generator.permutation(len(LABELS))
        labels = [int(order[i % len(order)]) for i in range(count)]
        return [self._one(LABELS[label], recipe, generator) for label in labels], labels

    def _one(
        self, label: str, recipe: SkeletonRecipe, generator: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self._shown[label, STILL] and generator.random() < recipe.still:
            manner = STILL
        else:
            manner = (CAPTURED, MIRRORED)[generator.integers(2)] if generator.random() < recipe.captured else SEEN
        of_manner = self._shown[label, manner]
        chosen = of_manner[generator.integers(len(of_manner))]
        item = self._inputs.movement(chosen.x, chosen.visible)
        assert item is not None, 'a window in which nothing is visible was not kept'
        return item


def train_smacn(
    windows: Sequence[LabelledWindow], inputs: InputEncoder, seed: int, *, recipe: SkeletonRecipe = RECIPE,
    report: Callable[[str], object] = lambda text: None,
) -> nn.Module:
    """An encoder that has learnt from these windows.

    There is no early stopping: of ten contents none can be spared to judge by. The number of steps belongs to the
    recipe.

    :raises ValueError: if the loss is no finite number any more.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    network = models.build(recipe.network, **recipe.size)
    pool = Pool(windows, inputs)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _warm_cosine(step, recipe.steps))
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.memory))
    network.train()
    total = 0.0
    for step in range(1, recipe.steps + 1):
        optimiser.zero_grad()
        x, labels = skeleton_batch(*pool.draw(recipe.batch, recipe, generator))
        loss = functional.cross_entropy(network(*x), labels, label_smoothing=recipe.label_smoothing)
        loss.backward()
        clip_norm(network.parameters())
        optimiser.step()
        rate.step()
        averaged.update_parameters(network)
        total += float(loss.detach())
        if not math.isfinite(total):
            raise ValueError(f'skeleton diverged in step {step}; a lower learning rate may help')
        if step % 50 == 0:
            report(f'skeleton step {step}/{recipe.steps}: train loss {total / step:.3f}')
    network.load_state_dict(averaged.module.state_dict())
    return network.eval()


@torch.inference_mode()
def probabilities(network: nn.Module, windows: Sequence[LabelledWindow], inputs: InputEncoder) -> np.ndarray:
    """(N, 4) float32 of these windows, from the encoder's own output layer."""
    found = []
    for i in range(0, len(windows), 64):
        items = [inputs.movement(s.x, s.visible) for s in windows[i : i + 64]]
        (x, visible), _ = skeleton_batch(items, [0] * len(items))
        found.append(network(x, visible).softmax(dim=1))
    return torch.cat(found).numpy()


def _warm_cosine(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / (0.1 * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))
