"""Training the three encoders, each alone on its own source."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from smern_ros.models.are import ARE
from smern_ros.models.smacn import SMACN
from smern_ros.models.tre import TRE
from smern_ros.training import body, movement, reading
from smern_ros.training.loop import say
from smern_ros.training.samples import Samples, Size, label_of
from smern_ros.training.voice import RECIPE, Spoken, teach

DEV_WINDOW = 64
DEV_ALTERED = 3
"""Altered copies of each window in the development part: few clips make a noisy judge."""


def train_audio(samples: Samples, size: Size, seed: int) -> ARE:
    """See `voice.teach`: the recipe of the results on people never heard, here on the speakers of both corpora."""
    recipe = replace(RECIPE, variants=size.variants, epochs=size.audio_epochs or RECIPE.epochs)
    return teach(_spoken(samples, 'train'), samples.inputs, seed, recipe=recipe, report=say)


def train_text(samples: Samples, size: Size, seed: int) -> TRE:
    """See `reading.train`."""
    return reading.train(_reading(samples), epochs=size.text_epochs, seed=seed)


def train_skeleton(samples: Samples, size: Size, seed: int) -> SMACN:
    """See `body.teach`."""
    recipe = body.RECIPE if size.skeleton_steps is None else replace(body.RECIPE, steps=size.skeleton_steps)
    return body.teach(body.to_learn(samples.movement.train), samples.inputs, seed, recipe=recipe, report=say)


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
