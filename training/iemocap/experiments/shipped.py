# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The encoders of the shipped checkpoint in the paper's experiments: an extra, taught by their own trainers.

They begin with nothing but what the pretrained encoders make of an utterance. Unlike for the checkpoint, each utterance
is there as recorded alone, nobody is normalised by what else they said, and no other corpus is learnt from.
"""
from __future__ import annotations

import numpy as np
import torch

from smern_ros.models.voice import Voice
from smern_ros.models.words import Words
from smern_ros.spec import LABELS
from smern_ros.training.audio.audio_trainer import Weighted, fitted
from smern_ros.training.common.trainer import Epoch, class_weights
from smern_ros.training.iemocap.experiments.network_samples import NetworkSamples
from smern_ros.training.iemocap.experiments.train_network import TrainingSettings
from smern_ros.training.text import text_trainer

_AT_ONCE = 128  # utterances, padded to the longest


def voice(
    learn: NetworkSamples, dev: NetworkSamples, settings: TrainingSettings, seed: int
) -> tuple[Voice, tuple[Epoch, ...]]:
    """Every label counts the same. A convex problem: nothing is random, and nothing is stopped by `dev`."""
    network, rows = Voice(Voice.Config()), np.arange(len(learn))
    batches = [learn.batch(part.tolist(), 'cpu')[0] for part in np.array_split(rows, -(-len(rows) // _AT_ONCE))]
    x = torch.cat([network.joined(*batch.inputs(network)) for batch in batches])
    labels = torch.tensor(learn.labels)
    weights = class_weights(labels, len(LABELS))[labels]
    nobody = np.zeros(len(labels))
    return fitted(x, Weighted(labels, weights / weights.sum(), nobody, nobody)), ()


def words(
    learn: NetworkSamples, dev: NetworkSamples, settings: TrainingSettings, seed: int
) -> tuple[Words, tuple[Epoch, ...]]:
    """Every label counts the same; stopped by the development part."""
    recipe = text_trainer.TextRecipe(
        pretraining=0, rate=settings.learning_rate, batch=settings.batch, patience=settings.patience
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Words(Words.Config(dropout=recipe.dropout))
        read, of_dev = (
            (torch.cat([text_trainer.pool(s.word_vectors) for s in part.tensors]), torch.tensor(part.labels))
            for part in (learn, dev)
        )
        network.scale(read[0])
        history = text_trainer.learn(
            network, read, of_dev, epochs=settings.epochs, seed=seed, recipe=recipe, report=lambda _: None
        )
    return network, history
