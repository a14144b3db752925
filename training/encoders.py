"""Training the three encoders, each alone on its own source."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from smern_ros import models
from smern_ros.models.are import ARE
from smern_ros.models.smacn import SMACN
from smern_ros.models.tre import TRE
from smern_ros.spec import LABELS
from smern_ros.training import movement, reading
from smern_ros.training.loop import Batch, fit, say
from smern_ros.training.samples import (
    Samples,
    Size,
    in_length_buckets,
    label_of,
    skeleton_batch,
)
from smern_ros.training.voice import RECIPE, Spoken, known_items, teach

RATE = 1e-3
"""Of Adam, as the paper's."""
WINDOWS = (48, 64, 96)
"""Frames of a training window: 1.6 to 3.2 s."""
DEV_WINDOW = 64
DEV_ALTERED = 3
"""Altered copies of each window in the development part: few clips make a noisy judge."""
STILL = 0.3
"""Of the neutral windows, how many show somebody who hardly moves; the corpus has nobody who does."""


def train_audio(samples: Samples, size: Size, seed: int) -> ARE:
    """See `voice.teach`: the recipe of the results on people never heard, here on the speakers of both corpora."""
    recipe = replace(RECIPE, variants=size.variants, epochs=size.audio_epochs or RECIPE.epochs)
    return teach(_spoken(samples, 'train'), samples.inputs, seed, recipe=recipe, report=say)


def train_text(samples: Samples, size: Size, seed: int) -> TRE:
    """See `reading.train`."""
    return reading.train(_reading(samples), epochs=size.text_epochs, seed=seed)


def train_skeleton(samples: Samples, size: Size, seed: int) -> SMACN:
    """On random windows, altered anew each time, as many of each label."""
    torch.manual_seed(seed)
    network = models.build('smacn')
    dev = list(_ordered(*skeleton_dev_items(samples), lambda item: len(item[0]), skeleton_batch, 16))

    def batches(epoch: int) -> Iterator[Batch]:
        generator = np.random.default_rng([seed, epoch])
        for _ in range(size.skeleton_samples // 32):
            yield skeleton_batch(*random_windows(samples, 32, generator))

    fit(
        'skeleton', network, batches, lambda: dev,
        optimiser=torch.optim.AdamW(network.parameters(), RATE / 2, weight_decay=0.01),
        weights=torch.ones(len(LABELS)), epochs=size.skeleton_epochs, patience=8, low_precision=True,
    )
    return network


def random_windows(samples: Samples, count: int, generator: np.random.Generator) -> tuple[list, list[int]]:
    """`count` windows of one length from the training contents, altered, and their labels, as many of each."""
    frames = int(generator.choice(WINDOWS))
    by_label: list[list[movement.Piece]] = [[] for _ in LABELS]
    for piece in movement.pieces(samples.movement.train, frames):
        by_label[label_of(piece.motion)].append(piece)
    items, labels = [], []
    while len(items) < count:
        label = len(items) % len(LABELS)
        piece = by_label[label][generator.integers(len(by_label[label]))]
        if LABELS[label] == 'neutral' and generator.random() < STILL:
            shown = movement.standing_still(piece.motion, frames, generator)
        else:
            shown = movement.as_seen(piece, generator)
        item = samples.inputs.skeleton(shown)
        if item is not None:
            items.append(item)
            labels.append(label)
    return items, labels


def audio_items(samples: Samples, part: str) -> tuple[list, list[int]]:
    """Tensors and label of each utterance: for training a list of its versions, else as recorded."""
    items, labels = known_items(_spoken(samples, part), samples.inputs, np.random.default_rng(0))
    return items if part == 'train' else [versions[0] for versions in items], labels


def _spoken(samples: Samples, part: str) -> list[Spoken]:
    return [
        Spoken(clip, versions)
        for clip, versions in zip(getattr(samples.speech, part), samples.features[part], strict=True)
    ]


def text_items(samples: Samples, part: str) -> tuple[list, list[int]]:
    """Tensors and label of each comment with a known word; unless it is to be tested, a second time as if misheard."""
    return reading.items(_reading(samples), part, garbled=part != 'test')


def _reading(samples: Samples) -> reading.Reading:
    return reading.Reading(samples.text, samples.pretraining, samples.vocabulary, samples.embedding)


def skeleton_dev_items(samples: Samples) -> tuple[list, list[int]]:
    """Tensors and label of each window for development: as captured, and altered as a camera may see it."""
    generator = np.random.default_rng(0)
    items, labels = [], []
    for piece in movement.pieces(samples.movement.dev, DEV_WINDOW):
        altered = [movement.as_seen(piece, generator) for _ in range(DEV_ALTERED)]
        for item in map(samples.inputs.skeleton, [movement.as_captured(piece), *altered]):
            if item is not None:
                items.append(item)
                labels.append(label_of(piece.motion))
    return items, labels


def _ordered(items: list, labels: list[int], length, batch, size: int = 64) -> Iterator[Batch]:
    return in_length_buckets(items, labels, length, batch, size, np.random.default_rng(0))
