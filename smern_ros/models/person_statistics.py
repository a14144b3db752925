# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mean and deviation of a person's features, for normalisation by person.

Voices and bodies differ more between people than between emotions. While a person has few observations, the statistics
are shrunk to those of the training data.
"""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np

from smern_ros.spec import SPEC

SIZES = {'mfcc': SPEC.mfcc, 'prosody': len(SPEC.prosody), 'speech': SPEC.speech, 'skeleton': 3 * len(SPEC.joints)}
"""Dimensions of the inputs that can be normalised by person."""
SMALLEST_SHARE = 0.1
"""Lower bound of a person's deviation, as a share of the training data's."""


@dataclass(frozen=True)
class PriorWeights:
    """Weight of the training data in frames ('mfcc', 'skeleton') or utterances ('prosody', 'speech') of a person.

    None: that input is not normalised by person.
    """

    mfcc: float | None = None
    prosody: float | None = None
    speech: float | None = None
    skeleton: float | None = None

    def __post_init__(self) -> None:
        for name in SIZES:
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise ValueError(f'prior weight of {name} is {value!r}; expected a number above 0, or None')

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs that are normalised by person."""
        return tuple(name for name in SIZES if getattr(self, name) is not None)


NOBODY = PriorWeights()
"""No input is normalised by person."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean and sum of squared deviations of D values, each (D,) float64."""

    count: np.ndarray
    mean: np.ndarray
    deviations: np.ndarray

    @classmethod
    def none(cls, size: int) -> Moments:
        return cls(np.zeros(size), np.zeros(size), np.zeros(size))

    @classmethod
    def of(cls, values: np.ndarray, seen: np.ndarray | None = None) -> Moments:
        """
        :param values: (T, D).
        :param seen: (T, D) bool, which values count; None: all.
        """
        values = np.asarray(values, np.float64)
        shown = np.ones(values.shape, bool) if seen is None else np.asarray(seen, bool)
        count = shown.sum(axis=0, dtype=np.float64)
        mean = np.where(shown, values, 0.0).sum(axis=0) / np.maximum(count, 1)
        return cls(count, mean, (np.where(shown, values - mean, 0.0) ** 2).sum(axis=0))

    @classmethod
    def joined(cls, parts: Iterable[Moments]) -> Moments:
        """Merge moments, by the formula of Chan, Golub and LeVeque (1983)."""
        counts, means, deviations = (np.stack(column) for column in zip(*(
            (part.count, part.mean, part.deviations) for part in parts), strict=True))
        count = counts.sum(axis=0)
        mean = (counts * means).sum(axis=0) / np.maximum(count, 1)
        return cls(count, mean, (deviations + counts * (means - mean) ** 2).sum(axis=0))

    def shrunk_to(self, mean: np.ndarray, std: np.ndarray, weight: float) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation, shrunk to a prior of `weight` observations N(mean, std²).

        With n observations of mean x̄ and squared deviations S, and k for the weight:

            mean_p = (k mean + n x̄) / (k + n)
            var_p  = (k std² + S + k n / (k + n) (x̄ - mean)²) / (k + n)

        the update of a normal distribution's conjugate prior with as much weight on the variance as on the mean
        (Gelman et al., Bayesian Data Analysis, 3rd ed., section 3.3). Without observations it is exactly the prior.
        """
        share = self.count / (self.count + weight)
        shift = self.mean - mean
        own = self.deviations / np.maximum(self.count, 1) + (1 - share) * shift**2
        variance = std**2 + share * (own - std**2)
        return mean + share * shift, np.sqrt(np.maximum(variance, (SMALLEST_SHARE * std) ** 2))


_NOTHING = {name: Moments.none(size) for name, size in SIZES.items()}


@dataclass(frozen=True, eq=False)
class PersonStatistics:
    """Moments of one person's features. Immutable; `add` returns a new object."""

    mfcc: Moments = _NOTHING['mfcc']          # of frames
    prosody: Moments = _NOTHING['prosody']    # of utterances
    speech: Moments = _NOTHING['speech']      # of utterances
    skeleton: Moments = _NOTHING['skeleton']  # of frames in which the joint was visible

    def add(self, name: str, values: np.ndarray, seen: np.ndarray | None = None) -> PersonStatistics:
        """
        :param name: 'mfcc', 'prosody', 'speech' or 'skeleton'.
        :param values: (T, D) as they come from the feature extractor.
        :param seen: (T, D) bool, which of them count; None: all.
        :raises ValueError: for another name or shape, or for numbers that are not finite.
        """
        if name not in SIZES:
            raise ValueError(f'unknown input {name!r}; expected one of {", ".join(SIZES)}')
        values = np.asarray(values)
        if values.ndim != 2 or values.shape[1] != SIZES[name] or (seen is not None and seen.shape != values.shape):
            marks = '' if seen is None else f', marked by {seen.shape}'
            raise ValueError(f'{name} has shape {values.shape}{marks}; expected any x {SIZES[name]}')
        if not np.isfinite(values if seen is None else values[seen]).all():
            raise ValueError(f'{name} has values that are not finite')
        return replace(self, **{name: Moments.joined([getattr(self, name), Moments.of(values, seen)])})

    @classmethod
    def joined(cls, parts: Iterable[PersonStatistics]) -> PersonStatistics:
        """Merge statistics of the same person, for instance of several utterances."""
        parts = [*parts]
        if not parts:
            return cls()
        return cls(*(Moments.joined(getattr(part, f.name) for part in parts) for f in fields(cls)))


UNKNOWN = PersonStatistics()
"""Statistics without observations."""
