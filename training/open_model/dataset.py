# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""All that a checkpoint learns from, read, split and turned into features."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from smern_ros.models.inputs import InputEncoder, Normalisation
from smern_ros.skeleton.features import model_input
from smern_ros.training.audio import audio_augment
from smern_ros.training.common.normalisation import PERSON, of_audio, of_skeleton
from smern_ros.training.common.splits import Split
from smern_ros.training.corpora import Clip, Motion, bandai
from smern_ros.training.open_model.samples import SPOKEN, Size, movement_split, smaller, speech_split
from smern_ros.training.skeleton import skeleton_augment
from smern_ros.training.text.text_trainer import Reading
from smern_ros.values import AudioFeatures


@dataclass(frozen=True, eq=False)
class Samples:
    """The sources with their features. Each has its own people; nothing was recorded together."""

    speech: Split[Clip]
    movement: Split[Motion]                         # all empty: movement is not learnt
    features: dict[str, list[list[AudioFeatures]]]  # of speech, by part: as recorded, then altered copies
    reading: Reading                                # comments
    inputs: InputEncoder


def prepare(data: Path, cache: Path, size: Size, seed: int, corpora: Sequence[ModuleType]) -> Samples:
    """Read everything. Normalisation comes of the training parts alone.

    :param corpora: what is learnt from: one or more of speech, the one of text, and the one of movement or none.
    """
    torch.manual_seed(seed)
    spoken = speech_split(data, size.clips, [corpus for corpus in SPOKEN if corpus in corpora])
    moved = smaller(movement_split(data), size.motions) if bandai in corpora else Split([], [], [])
    features = {
        part: audio_augment.features(getattr(spoken, part), size.variants if part == 'train' else 0, cache)
        for part in ('train', 'dev', 'test')
    }
    normalisation = _normalisation(features['train'], moved.train, np.random.default_rng(seed))
    return Samples(
        speech=spoken,
        movement=moved,
        features=features,
        reading=Reading.read(data, cache, comments=size.comments),
        inputs=InputEncoder(normalisation, person_prior=PERSON),
    )


def _normalisation(
    utterances: list[list[AudioFeatures]], motions: Sequence[Motion], generator: np.random.Generator
) -> Normalisation:
    seen = [model_input(skeleton_augment.as_seen(piece, generator)) for piece in skeleton_augment.pieces(motions, 64)]
    return replace(Normalisation.identity(), **of_audio(utterances), **(of_skeleton(seen) if seen else {}))
