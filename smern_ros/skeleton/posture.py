# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether arms are held as they were where movement was learnt from, or otherwise, as by people who sit.

A network is as sure of what it has never seen as of what it has. Where elbow and wrist are on average tells the two
apart: logistic regression on their coordinates, squares and products, taught by examples of both (outlier exposure:
D. Hendrycks, M. Mazeika, T. Dietterich: Deep anomaly detection with outlier exposure, ICLR 2019). The encoder's own
features tell it worse.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from smern_ros.spec import Joint

SEEN = 0.5
"""Share of the frames in which a joint must be visible to count."""
_ARMS = ((Joint.LEFT_ELBOW, Joint.LEFT_WRIST, 1.0), (Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST, -1.0))


def arms(x: np.ndarray, visible: np.ndarray) -> list[np.ndarray]:
    """Of each arm whose elbow is seen its mean place, and that of the wrist if it is seen, too; +x is outwards.

    :param x: (T, 30) and `visible` (T, 10) as `smern_ros.skeleton.features.model_input` gives them, T at least 1.
    :return: at most two arrays of (6,) elbow and wrist, or (3,) the elbow alone, in shoulder widths from the thorax.
    """
    positions = x.reshape(len(x), -1, 3)
    found = []
    for elbow, wrist, outwards in _ARMS:
        joints = [joint for joint in (elbow, wrist) if visible[:, joint].mean() >= SEEN]
        if elbow in joints:
            means = [positions[visible[:, joint], joint].mean(axis=0) * (outwards, 1, 1) for joint in joints]
            found.append(np.concatenate(means))
    return found


def terms(arm: np.ndarray) -> np.ndarray:
    """1, the coordinates, and all products of two: (..., 10) of (..., 3), (..., 28) of (..., 6)."""
    i, j = np.triu_indices(arm.shape[-1])
    return np.concatenate([np.ones((*arm.shape[:-1], 1)), arm, arm[..., i] * arm[..., j]], axis=-1)


@dataclass(frozen=True)
class Posture:
    """Weights of the `terms`, by what is seen of an arm. Above 0: held unlike those learnt from."""

    elbow: tuple[float, ...]  # (10,)
    arm: tuple[float, ...]    # (28,), elbow and wrist

    def __post_init__(self) -> None:
        for field, wanted in zip(fields(self), (10, 28), strict=True):
            weights = getattr(self, field.name)
            if len(weights) != wanted or not all(map(math.isfinite, weights)):
                raise ValueError(f'posture: {field.name} has {len(weights)} weights; expected {wanted}, all finite')

    def unlikeness(self, x: np.ndarray, visible: np.ndarray) -> float:
        """Of the arm that is held more unlike those learnt from. Above 0: rather unlike than like.

        :param x: and `visible` as of `arms`.
        :return: infinity where no elbow is seen: of movement out of the picture nothing was learnt.
        """
        found = arms(x, visible)
        scores = [float(terms(arm) @ np.asarray(self.elbow if len(arm) == 3 else self.arm)) for arm in found]
        return max(scores, default=math.inf)
