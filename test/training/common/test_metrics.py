# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The figures are what their names say."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.training.common.metrics import (
    Bin,
    calibration_error_by_chance,
    confusion_matrix,
    expected_calibration_error,
    measure,
    reliability,
    unweighted_average_recall,
)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=50))
def test_unweighted_average_recall_gives_each_class_that_occurs_the_same_say(pairs):
    labels, predictions = np.array(pairs).T
    recalls = [np.mean(predictions[labels == c] == c) for c in set(labels)]
    assert unweighted_average_recall(confusion_matrix(labels, predictions, 4)) == pytest.approx(np.mean(recalls))


def test_always_neutral_is_chance_however_frequent_neutral_is():
    labels = np.array([3] * 90 + [0, 1, 2])
    figures = measure(labels, np.tile([0.0, 0.0, 0.0, 1.0], (93, 1)))
    assert figures.uar == 0.25
    assert figures.war == pytest.approx(90 / 93)
    assert figures.confusion[3] == (0, 0, 0, 90)


def test_calibration_error_is_the_gap_between_confidence_and_truth():
    labels = np.array([0, 0, 0, 1])
    sure = np.tile([1.0, 0.0], (4, 1))
    fair = np.tile([0.75, 0.25], (4, 1))
    assert expected_calibration_error(labels, sure) == pytest.approx(0.25)
    assert expected_calibration_error(labels, fair) == pytest.approx(0)


def test_the_reliability_diagram_puts_like_confidence_together_and_leaves_empty_bins_out():
    labels = np.array([0, 0, 1, 0])
    probabilities = np.array([[0.52, 0.48], [0.51, 0.49], [0.52, 0.48], [1.0, 0.0]])
    low, high = reliability(labels, probabilities)
    assert low == Bin(3, pytest.approx(1.55 / 3), pytest.approx(2 / 3))
    assert high == Bin(1, 1.0, 1.0)


def test_labels_without_probabilities_are_refused():
    with pytest.raises(ValueError, match='wanted one row a label'):
        measure(np.array([0, 1]), np.ones((1, 4)))


@pytest.mark.parametrize('count', [50, 300, 3000])
def test_the_error_by_chance_is_that_of_labels_drawn_from_the_probabilities(count):
    generator = np.random.default_rng(count)
    probabilities = generator.dirichlet([1.2] * 4, count)
    errors = [
        expected_calibration_error(np.array([generator.choice(4, p=p) for p in probabilities]), probabilities)
        for _ in range(20)
    ]
    tolerance = 3 * np.std(errors) / 20**0.5
    assert calibration_error_by_chance(probabilities) == pytest.approx(np.mean(errors), abs=tolerance)
