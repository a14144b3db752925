# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mean and deviation of the inputs over the training data, as `smern_ros.models.inputs.Normalisation` wants them."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from smern_ros.models.person_statistics import PriorWeights
from smern_ros.values import AudioFeatures

PERSON = PriorWeights(mfcc=500.0, prosody=4.0, speech=4.0)
"""As how many frames and utterances of a person the training data counts; chosen with the recipe in `voice`.

The utterance at hand counts as well, with about as many frames as half of that: with less weight here, more of what
makes a stranger's angry shout loud is normalised away; with more, a person must be heard for longer before it helps.
The row "a scale that follows the speaker sooner" of the results says what the difference is worth."""


def of_audio(utterances: Sequence[Sequence[AudioFeatures]]) -> dict[str, tuple[float, ...]]:
    """The audio half of a `Normalisation`: mean and deviation over all versions of these utterances."""
    features = [version for versions in utterances for version in versions]
    values = {'mfcc': np.concatenate([f.mfcc for f in features]), 'prosody': np.stack([f.prosody for f in features])}
    if speech := [f.speech for f in features if f.speech is not None]:
        values['speech'] = np.stack(speech)
    return {
        f'{name}_{part}': as_numbers(numbers)
        for name, of_all in values.items()
        for part, numbers in (('mean', of_all.mean(axis=0)), ('std', np.maximum(of_all.std(axis=0), 1e-3)))
    }


SMALLEST_DEVIATION = 0.15
"""Shoulder widths. Captured bodies are all alike; what hardly varies in them must not be magnified for others."""


def of_skeleton(moved: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, tuple[float, ...]]:
    """The skeleton's part of a `Normalisation`: mean and deviation of each coordinate where it is visible.

    :param moved: of each window what `model_input` gives: (T, 30) and (T, 10) bool.
    """
    x, visible = (np.concatenate(part) for part in zip(*moved, strict=True))
    values = np.ma.masked_array(x, ~visible.repeat(3, axis=1))
    return {
        'skeleton_mean': as_numbers(np.ma.filled(values.mean(axis=0), 0.0)),
        'skeleton_std': as_numbers(np.maximum(np.ma.filled(values.std(axis=0), 0.0), SMALLEST_DEVIATION)),
    }


def as_numbers(values: np.ndarray) -> tuple[float, ...]:
    """(D,) of single precision, exactly."""
    return tuple(float(np.float32(v)) for v in values)
