# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is measured of predictions."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BINS = 15
"""Of the expected calibration error and of the reliability diagram."""


@dataclass(frozen=True)
class Figures:
    """How well probabilities fit the labels of `count` samples."""

    count: int
    uar: float                              # unweighted average recall, 0..1; chance is 1 / labels
    war: float                              # weighted average recall: the fraction that was right
    ece: float                              # expected calibration error, 0..1
    confusion: tuple[tuple[int, ...], ...]  # rows: the label, columns: the prediction


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same confidence: a point of the reliability diagram."""

    count: int
    confidence: float  # mean, 0..1
    right: float       # the fraction that was, 0..1


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) int64; rows: the label, columns: the prediction."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


def unweighted_average_recall(confusion: np.ndarray) -> float:
    """Mean over the classes that occur of the fraction of each that was found."""
    totals = confusion.sum(axis=1)
    occurs = totals > 0
    return float((np.diag(confusion)[occurs] / totals[occurs]).mean())


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> tuple[Bin, ...]:
    """Equal bins of confidence from 0 to 1, without the empty ones."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels

    def filled() -> Iterator[Bin]:
        index = np.minimum((confidence * bins).astype(int), bins - 1)
        for i in np.unique(index):
            inside = index == i
            yield Bin(int(inside.sum()), float(confidence[inside].mean()), float(right[inside].mean()))

    return tuple(filled())


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """Mean distance of confidence and fraction right over equal bins of confidence, each weighed by its samples."""
    found = reliability(labels, probabilities, bins)
    return sum(b.count * abs(b.confidence - b.right) for b in found) / sum(b.count for b in found)


def calibration_error_by_chance(probabilities: np.ndarray, bins: int = BINS, draws: int = 200) -> float:
    """The `expected_calibration_error` that samples with these confidences have on average if each is right with just
    that probability: few samples in a bin are never right exactly as often as they say."""
    confidence = probabilities.max(axis=1)
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    generator = np.random.default_rng(0)
    distances = [
        np.abs(np.bincount(index, confidence - (generator.random(len(index)) < confidence), bins)).sum()
        for _ in range(draws)
    ]
    return float(np.mean(distances) / len(index))


def measure(labels: np.ndarray, probabilities: np.ndarray) -> Figures:
    """
    :param labels: (N,) int, N >= 1.
    :param probabilities: (N, classes), each row of sum 1.
    """
    if len(labels) == 0 or probabilities.shape[:1] != labels.shape:
        raise ValueError(f'{len(labels)} labels and {probabilities.shape} probabilities; wanted one row a label')
    confusion = confusion_matrix(labels, probabilities.argmax(axis=1), probabilities.shape[1])
    return Figures(
        count=len(labels),
        uar=unweighted_average_recall(confusion),
        war=float(np.trace(confusion) / len(labels)),
        ece=expected_calibration_error(labels, probabilities),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
    )
