# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training the encoders of text and skeleton, each alone on its own source; that of audio is `voice.teach`."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from smern_ros.models.smacn import SMACN
from smern_ros.models.words import Words
from smern_ros.training.common.trainer import say
from smern_ros.training.open_model.dataset import Samples
from smern_ros.training.open_model.samples import Size, label_of
from smern_ros.training.skeleton import skeleton_augment, skeleton_trainer
from smern_ros.training.text import text_trainer

DEV_WINDOW = 64
DEV_ALTERED = 3
"""Altered copies of each window in the development part: few clips make a noisy judge."""


def train_text(samples: Samples, size: Size, seed: int) -> Words:
    """See `sentences.train`."""
    return text_trainer.train_words(samples.reading, epochs=size.text_epochs, seed=seed)


def train_skeleton(samples: Samples, size: Size, seed: int) -> SMACN:
    """See `body.teach`."""
    recipe = (
        skeleton_trainer.RECIPE
        if size.skeleton_steps is None
        else replace(skeleton_trainer.RECIPE, steps=size.skeleton_steps)
    )
    return skeleton_trainer.train_smacn(
        skeleton_trainer.to_learn(samples.movement.train), samples.inputs, seed, recipe=recipe, report=say
    )


def text_items(samples: Samples, part: str) -> tuple[list, list[int]]:
    """Vectors and label of each comment with a word."""
    return text_trainer.items(samples.reading, part)


def skeleton_dev_items(samples: Samples) -> tuple[list, list[int]]:
    """Tensors and label of each window for development: as captured, and altered as a camera may see it."""
    generator = np.random.default_rng(0)
    items, labels = [], []
    for piece in skeleton_augment.pieces(samples.movement.dev, DEV_WINDOW):
        altered = [skeleton_augment.as_seen(piece, generator) for _ in range(DEV_ALTERED)]
        for item in map(samples.inputs.skeleton, [skeleton_augment.as_captured(piece), *altered]):
            if item is not None:
                items.append(item)
                labels.append(label_of(piece.motion))
    return items, labels
