# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Converts features to normalised tensors of bounded length, for training and inference."""
from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import torch

from smern_ros.models.person_statistics import NOBODY, PersonStatistics, PriorWeights
from smern_ros.spec import SPEC, FeatureSpec
from smern_ros.text.tokens import tokenise
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.values import AudioFeatures, SkeletonWindow

MAX_SKELETON_FRAMES = 300
"""10 s; of a longer window the last frames are used. It bounds the time of a prediction."""

LIMIT = 6.0
"""Standard deviations to which normalised inputs are clipped, so that outliers do not dominate."""

NO_WORDS = Vocabulary([])
"""For networks without an embedding of words."""

F0_MEAN = SPEC.prosody.index('f0_mean')
"""Index of a value that is zero if no frame of the utterance is voiced."""


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of each input over the training data, one number a dimension."""

    mfcc_mean: tuple[float, ...]
    mfcc_std: tuple[float, ...]
    prosody_mean: tuple[float, ...]
    prosody_std: tuple[float, ...]
    speech_mean: tuple[float, ...]
    speech_std: tuple[float, ...]
    skeleton_mean: tuple[float, ...]
    skeleton_std: tuple[float, ...]

    def check(self, spec: FeatureSpec) -> None:
        """:raises ValueError: unless there is one finite number a dimension and every deviation is above zero."""
        sizes = _sizes(spec)
        for field in dataclasses.fields(self):
            values = getattr(self, field.name)
            wanted = sizes[field.name.split('_')[0]]
            if len(values) != wanted:
                raise ValueError(f'normalisation: {field.name} has {len(values)} values; expected {wanted}')
            for i, value in enumerate(values):
                if not math.isfinite(value) or (field.name.endswith('std') and value <= 0):
                    raise ValueError(f'normalisation: {field.name}[{i}] is {value}; expected finite and above 0')

    @classmethod
    def identity(cls, spec: FeatureSpec = SPEC) -> Normalisation:
        """Normalisation that changes nothing."""
        return cls(*(value for n in _sizes(spec).values() for value in ((0.0,) * n, (1.0,) * n)))


def _sizes(spec: FeatureSpec) -> dict[str, int]:
    """Numbers of each normalised input, in the order of the fields of `Normalisation`."""
    return {
        'mfcc': spec.mfcc, 'prosody': len(spec.prosody), 'speech': spec.speech, 'skeleton': 3 * len(spec.joints),
    }


class InputEncoder:
    """Converts the evidence of one utterance to the inputs of the encoders, without a batch dimension.

    Inputs with a weight in `person_prior` are normalised by the person's statistics, this utterance included.
    """

    def __init__(
        self,
        normalisation: Normalisation,
        vocabulary: Vocabulary = NO_WORDS,
        spec: FeatureSpec = SPEC,
        person_prior: PriorWeights = NOBODY,
    ):
        """
        :param vocabulary: of `text`.
        :param person_prior: weight of the training data in the statistics of a person.
        """
        normalisation.check(spec)
        self.spec = spec
        self.normalisation = normalisation
        self.vocabulary = vocabulary
        self.person_prior = person_prior
        self._scale = {
            name: tuple(
                np.asarray(getattr(normalisation, f'{name}_{part}'), np.float32) for part in ('mean', 'std')
            )
            for name in _sizes(spec)
        }

    def audio(
        self, features: AudioFeatures, person: PersonStatistics | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None:
        """MFCC (T, 39), prosody (35,), speech (768,); None without a voiced frame.

        Missing features of the speech encoder are zero. Of a long utterance the first `max_audio_frames` are read, as
        in the base model [30]; the prosodic values are of the whole.

        :param person: statistics of the speaker without this utterance; None: unknown.
        :raises ValueError: for another shape, or for numbers that are not finite.
        """
        if not self._is_voiced(features):
            return None
        person = _join(person, self.person_statistics(features))
        return (
            self.normalise('mfcc', features.mfcc[: self.spec.max_audio_frames], person),
            self.normalise('prosody', features.prosody, person),
            torch.zeros(self.spec.speech) if features.speech is None
            else self.normalise('speech', features.speech, person),
        )

    def text(self, text: str) -> torch.Tensor | None:
        """(N,) int64 rows of the vocabulary; None if no word is known."""
        tokens = tokenise(text, self.spec.max_words)
        if not self.vocabulary.knows_any_word(tokens):
            return None
        return torch.tensor(self.vocabulary.rows(tokens))

    def skeleton(
        self, window: SkeletonWindow, person: PersonStatistics | None = None
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """(T, 30) zero where not visible, (T, 10) bool; None if no joint is visible in any frame.

        :param person: statistics of the person without this window; None: unknown.
        :raises ValueError: for another shape, or for numbers that are not finite.
        """
        return self.movement(*self._model_input(window), person)

    def movement(
        self, x: np.ndarray, visible: np.ndarray, person: PersonStatistics | None = None
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """As `skeleton`, of a window that went through `model_input`.

        :param x: (T, 30), not normalised.
        :param visible: (T, 10) bool.
        """
        person = _join(person, self._movement_statistics(x, visible))
        x, visible = x[-MAX_SKELETON_FRAMES:], visible[-MAX_SKELETON_FRAMES:]
        if not visible.any():
            return None
        seen = torch.from_numpy(np.array(visible))  # a copy: features on disk may be mapped read-only
        return self.normalise('skeleton', x, person) * seen.repeat_interleave(3, dim=1), seen

    def person_statistics(
        self, features: AudioFeatures | None = None, window: SkeletonWindow | None = None
    ) -> PersonStatistics:
        """The statistics of one utterance, of the inputs in `person_prior`; without unvoiced speech and hidden joints.
        """
        statistics = PersonStatistics()
        if features is not None and self._is_voiced(features):
            speech = None if features.speech is None else features.speech[None]
            for name, values in (('mfcc', features.mfcc), ('prosody', features.prosody[None]), ('speech', speech)):
                if name in self.person_prior.names and values is not None:
                    statistics = statistics.add(name, values)
        if window is not None:
            statistics = _join(statistics, self._movement_statistics(*self._model_input(window)))
        return statistics

    def _movement_statistics(self, x: np.ndarray, visible: np.ndarray) -> PersonStatistics:
        if 'skeleton' not in self.person_prior.names:
            return PersonStatistics()
        return PersonStatistics().add('skeleton', x, visible.repeat(3, axis=1))

    def normalise(self, name: str, values: np.ndarray, person: PersonStatistics | None = None) -> torch.Tensor:
        """
        :param values: (..., D) of 'mfcc', 'prosody', 'speech' or 'skeleton'.
        :param person: statistics of the person, these values included; None: unknown.
        """
        mean, std = self._scale[name]
        weight = getattr(self.person_prior, name)
        if person is not None and weight is not None:
            moments = getattr(person, name)
            shrunk = moments.shrunk_to(mean.astype(np.float64), std.astype(np.float64), weight)
            mean, std = (part.astype(np.float32) for part in shrunk)
        return torch.from_numpy(np.clip((values - mean) / std, -LIMIT, LIMIT).astype(np.float32))

    def _is_voiced(self, features: AudioFeatures) -> bool:
        _check_array('mfcc', features.mfcc, None, self.spec.mfcc)
        _check_array('prosody', features.prosody, len(self.spec.prosody))
        if features.speech is not None:
            _check_array('speech', features.speech, self.spec.speech)
        return len(features.mfcc) > 0 and features.prosody[F0_MEAN] != 0

    def _model_input(self, window: SkeletonWindow) -> tuple[np.ndarray, np.ndarray]:
        from smern_ros.skeleton.features import model_input

        _check_array('positions', window.positions, None, len(self.spec.joints), 3)
        return model_input(window, self.spec)


def _join(*parts: PersonStatistics | None) -> PersonStatistics:
    return PersonStatistics.joined([part for part in parts if part is not None])


def _check_array(name: str, values: np.ndarray, *wanted: int | None) -> None:
    fits = values.ndim == len(wanted) and all(w is None or w == s for w, s in zip(wanted, values.shape, strict=True))
    if not fits:
        shape = ' x '.join('any' if w is None else str(w) for w in wanted)
        raise ValueError(f'{name} has shape {values.shape}; expected {shape}')
    if not np.isfinite(values).all():
        raise ValueError(f'{name} has values that are not finite')
