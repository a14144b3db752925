"""How much what an encoder is shown is like what it has learnt from, rather than like what is known to be unlike it.

A network is as sure of what it has never seen as of what it has: somebody who sits and talks is told by four emotions
of people who walk, bow and wave. The distance to what was learnt (Lee et al. 2018) does not tell them from contents
left out, for the features of both lie among those learnt. Examples of what is unlike, without any label, tell more, but
only of people who are seen like them: with head and shoulders in the picture the area under the ROC curve was 0.74 and
0.82 on films not fitted on, with both arms in it 0.50.

Sources: D. Hendrycks, M. Mazeika, T. Dietterich: Deep anomaly detection with outlier exposure, ICLR 2019, for the
examples; K. Lee, K. Lee, H. Lee, J. Shin: A simple unified framework for detecting out-of-distribution samples and
adversarial attacks, NeurIPS 2018, for one covariance that all share. Ours: it is shrunk (there are few clips), which
makes it Fisher's linear discriminant, and the encoder itself is left as it is.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

SHRINKAGE = 0.3
"""Share of the identity in the covariance."""
KNOWN = 0.8
"""Share of the windows of contents that were left out which count fully."""
UNLIKE = 0.9
"""Share of the windows unlike all that was learnt, of those that do not count fully, which do not count at all."""


@dataclass(frozen=True, eq=False)
class Familiarity:
    """A direction in the space of the features, 1 kB for 256, and where on it evidence stops to count.

    Up to the score `near` evidence counts fully, from `far` on not at all, in between linearly.
    """

    direction: np.ndarray    # (D,) float32
    offset: float            # subtracted: the score is 0 for the mean of what was learnt, 1 for that of what is unlike
    near: float = math.inf
    far: float = math.inf

    def __post_init__(self) -> None:
        if self.direction.ndim != 1 or not np.isfinite(self.direction).all() or not math.isfinite(self.offset):
            raise ValueError('familiarity: the direction is no vector of finite numbers with a finite offset')
        if not self.near <= self.far:
            raise ValueError(f'familiarity: near is {self.near} and far is {self.far}; near must not be above far')

    def score(self, vectors: np.ndarray) -> np.ndarray:
        """How unlike what was learnt: 0 on average for that, 1 for what is unlike.

        :param vectors: (..., D) features of the encoder.
        :return: (...) float32
        :raises ValueError: for another number of features.
        """
        vectors = np.asarray(vectors, np.float32)
        if vectors.shape[-1:] != self.direction.shape:
            raise ValueError(f'a vector has {len(self.direction)} features, got the shape {vectors.shape}')
        return vectors @ self.direction - np.float32(self.offset)

    def share(self, vector: np.ndarray) -> float:
        """What the evidence of this vector counts, 0..1: the factor of its log-probabilities.

        :param vector: (D,) features of the encoder. Of one that holds something else than numbers nothing counts.
        """
        score = float(self.score(vector))
        if not math.isfinite(score):
            return 0.0
        if score <= self.near:
            return 1.0
        return (self.far - score) / (self.far - self.near) if score < self.far else 0.0

    def scaled(self, known: np.ndarray, unlike: np.ndarray) -> Familiarity:
        """The same with its scale set.

        :param known: (N, D) of contents that were not learnt from and are to count: KNOWN of them do so fully.
        :param unlike: (M, D) of what is unlike; if none of it is beyond `near`, evidence stops to count there.
        """
        near = float(np.quantile(self.score(known), KNOWN))
        beyond = self.score(unlike)
        beyond = beyond[beyond > near]
        return replace(self, near=near, far=float(np.quantile(beyond, 1 - UNLIKE)) if len(beyond) else near)

    def arrays(self) -> dict[str, np.ndarray]:
        """float32, of which `from_arrays` makes the same again."""
        return {'direction': self.direction, 'scale': np.array([self.offset, self.near, self.far], np.float32)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Familiarity:
        """:raises ValueError: for arrays that are missing, do not fit together or hold no numbers."""
        missing = {'direction', 'scale'} - set(arrays)
        if missing:
            raise ValueError(f'familiarity: {", ".join(sorted(missing))} is missing')
        if arrays['scale'].shape != (3,):
            raise ValueError(f'familiarity: scale has the shape {arrays["scale"].shape}; wanted (3,)')
        return cls(np.asarray(arrays['direction'], np.float32), *(float(value) for value in arrays['scale']))


def fit(learnt: np.ndarray, unlike: np.ndarray, *, shrinkage: float = SHRINKAGE) -> Familiarity:
    """
    :param learnt: (N, D) features of the windows learnt from, as a camera sees them.
    :param unlike: (M, D) of windows that are unlike them, such as real people who sit or talk. They need no label.
    :param shrinkage: above 0, so that fewer windows than features are enough.
    :return: without a scale: all counts fully until it is `scaled`.
    :raises ValueError: for other shapes, numbers that are not finite, or if the two have the same mean.
    """
    learnt, unlike = np.asarray(learnt, np.float64), np.asarray(unlike, np.float64)
    if learnt.ndim != 2 or unlike.ndim != 2 or learnt.shape[1] != unlike.shape[1] or not len(learnt) or not len(unlike):
        raise ValueError(f'wanted features (N, D) and (M, D), got {learnt.shape} and {unlike.shape}')
    if not (np.isfinite(learnt).all() and np.isfinite(unlike).all()):
        raise ValueError('a feature is not finite')
    here, there = learnt.mean(axis=0), unlike.mean(axis=0)
    apart = np.concatenate([learnt - here, unlike - there])
    covariance = apart.T @ apart / len(apart)                                         # (D, D)
    size = len(covariance)
    average = max(float(np.trace(covariance)) / size, float(np.finfo(np.float32).tiny))
    covariance = (1 - shrinkage) * covariance + shrinkage * average * np.eye(size)
    direction = np.linalg.solve(covariance, there - here)                             # (D,)
    length = float(direction @ (there - here))
    if length <= 0:
        raise ValueError('what was learnt and what is unlike it have the same mean')
    direction /= length
    return Familiarity(direction.astype(np.float32), float(direction @ here))
