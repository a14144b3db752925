# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The shipped networks as a checkpoint that normalises by person: its answers are no better, but they differ.

It uses all movement.
"""
import dataclasses
from pathlib import Path

from smern_ros.emotion import checkpoint
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.models.person_statistics import PriorWeights

WEIGHTS = PriorWeights(mfcc=200.0, prosody=1.0, skeleton=60.0)
"""Little enough that an utterance or two change the answer."""


def personal_checkpoint(folder: Path, weights: PriorWeights = WEIGHTS) -> Path:
    """Saves it into a new folder below `folder`. :param weights: `persons.NOBODY` makes networks without a memory."""
    path = folder / 'personal'
    checkpoint.save(
        dataclasses.replace(
            checkpoint.load(checkpoint_folder()), id='personal', person_prior=weights, posture=None
        ), path
    )
    return path
