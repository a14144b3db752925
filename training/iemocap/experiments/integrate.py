# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Figures of predictions, integrated over folds and repeated experiments (paper, section IV-D)."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smern_ros.spec import LABELS
from smern_ros.training.common.metrics import confusion_matrix
from smern_ros.training.iemocap.experiments.protocols import require_labels

METRICS = ('wap', 'uar', 'war')


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a network said of utterances that it had never seen."""

    ids: np.ndarray            # (N,) str
    labels: np.ndarray         # (N,) int64, the truth, of `spec.LABELS`
    probabilities: np.ndarray  # (N, 4) float32

    @classmethod
    def integrated(cls, folds: Sequence[Predictions]) -> Predictions:
        """Those of all folds of one experiment together.

        :raises ValueError: if an utterance was tested twice, or there is nothing.
        """
        if not folds:
            raise ValueError('no predictions to integrate; no fold is done')
        ids = np.concatenate([fold.ids for fold in folds])
        names, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            raise ValueError(f'{names[counts.argmax()]} is tested in several folds; these are not of one experiment')
        return cls(
            ids, np.concatenate([fold.labels for fold in folds]), np.concatenate([fold.probabilities for fold in folds])
        )

    @classmethod
    def together(cls, networks: Sequence[Predictions]) -> Predictions:
        """What several networks say of the same fold together: their log-probabilities are added.

        Of utterances that all were tested on: what one lacks another may have.
        """
        if len(networks) == 1:
            return networks[0]
        places = [{name: row for row, name in enumerate(n.ids.tolist())} for n in networks]
        ids = [name for name in places[0] if all(name in others for others in places)]
        rows = [[place[name] for name in ids] for place in places]
        logs = sum(np.log(np.maximum(n.probabilities[r], 1e-12)) for n, r in zip(networks, rows, strict=True))
        joint = np.exp(logs - logs.max(axis=1, keepdims=True))
        return cls(
            np.array(ids), networks[0].labels[rows[0]], (joint / joint.sum(axis=1, keepdims=True)).astype(np.float32)
        )


@dataclass(frozen=True)
class Scores:
    """Fractions 0..1."""

    count: int
    wap: float                              # weighted average precision
    uar: float                              # unweighted average recall
    war: float                              # weighted average recall, the fraction that was right
    confusion: tuple[tuple[int, ...], ...]  # rows: the label, columns: the prediction, both of `spec.LABELS`


def weighted(values: np.ndarray, counts: np.ndarray) -> float:
    """Eq. 11: the mean of a figure of each label, weighted by how many utterances truly have the label."""
    return float((values * counts).sum() / counts.sum())


def score(predictions: Predictions) -> Scores:
    """A label that is never predicted has a precision of zero.

    :raises ValueError: if a label occurs in no utterance, for its recall is unknown then.
    """
    require_labels([LABELS[label] for label in predictions.labels], 'integrated test parts')
    confusion = confusion_matrix(predictions.labels, predictions.probabilities.argmax(axis=1), len(LABELS))
    true, predicted, right = confusion.sum(axis=1), confusion.sum(axis=0), np.diag(confusion)
    precision = right / np.maximum(predicted, 1)                              # eq. 9
    recall = right / true                                                     # eq. 10
    return Scores(
        count=len(predictions.labels),
        wap=weighted(precision, true),
        uar=float(recall.mean()),
        war=weighted(recall, true),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
    )


@dataclass(frozen=True)
class Summary:
    """One figure over repeated experiments. The deviation divides by n - 1; it is nan of a single one."""

    mean: float
    std: float
    repetitions: int


def summarise(values: Sequence[float]) -> Summary:
    if not values:
        raise ValueError('no values to summarise; no repetition is done')
    return Summary(
        mean=float(np.mean(values)), std=float(np.std(values, ddof=1)) if len(values) > 1 else math.nan,
        repetitions=len(values),
    )


@dataclass(frozen=True)
class TTest:
    """Student's t-test, two-sided. `p` is nan where it cannot be known: of single experiments."""

    difference: float  # mean of the first less mean of the second
    t: float
    p: float


def compare(first: Sequence[float], second: Sequence[float]) -> TTest:
    """Of one figure of two networks, over repeated experiments taken as independent samples of equal variance.

    That is the test as Student has it; the paper does not say whether it paired its experiments. Repetitions share
    the corpus and so are less independent than the test believes: p tells of the seeds, not of other speakers.
    """
    from scipy.stats import ttest_ind_from_stats

    difference = float(np.mean(first) - np.mean(second))
    if min(len(first), len(second)) < 2:
        return TTest(difference, math.nan, math.nan)
    if np.ptp(first) == np.ptp(second) == 0:  # t would be a division by zero
        return TTest(difference, math.copysign(math.inf, difference) if difference else 0.0, float(not difference))
    # Not `ttest_ind`, which warns where one of them alone is without variance.
    t, p = ttest_ind_from_stats(
        np.mean(first), np.std(first, ddof=1), len(first), np.mean(second), np.std(second, ddof=1), len(second)
    )
    return TTest(difference, float(t), float(p))
