# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Figures are scikit-learn's, and the test is Student's."""
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.spec import LABELS
from smern_ros.training.iemocap.experiments.integrate import METRICS, Predictions, compare, score, summarise


def predictions(labels, said, first=0):
    labels = np.array(labels, np.int64)
    ids = np.array([f'u{first + i}' for i in range(len(labels))])
    return Predictions(ids, labels, np.eye(len(LABELS), dtype=np.float32)[np.array(said, np.int64)])


@st.composite
def labelled(draw):
    labels = [0, 1, 2, 3, *draw(st.lists(st.integers(0, 3), max_size=60))]
    said = draw(st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels)))
    return labels, said


@settings(deadline=None)  # the first call imports scikit-learn
@given(labelled())
def test_figures_are_those_of_scikit_learn(pair):
    sklearn = pytest.importorskip('sklearn.metrics')
    labels, said = pair
    scores = score(predictions(labels, said))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        assert scores.wap == pytest.approx(sklearn.precision_score(labels, said, average='weighted', zero_division=0))
        assert scores.war == pytest.approx(sklearn.recall_score(labels, said, average='weighted'))
        assert scores.uar == pytest.approx(sklearn.balanced_accuracy_score(labels, said))
    assert np.array_equal(scores.confusion, sklearn.confusion_matrix(labels, said, labels=range(4)))


@given(st.lists(labelled(), min_size=1, max_size=4))
def test_folds_are_integrated_before_they_are_measured(folds):
    parts = [predictions(labels, said, first=1000 * k) for k, (labels, said) in enumerate(folds)]
    together = predictions([n for labels, _ in folds for n in labels], [n for _, said in folds for n in said])
    assert score(Predictions.integrated(parts)) == score(together)


def test_an_utterance_tested_twice_is_refused():
    with pytest.raises(ValueError, match='u0 is tested in several folds'):
        Predictions.integrated([predictions([0, 1, 2, 3], [0] * 4)] * 2)
    with pytest.raises(ValueError, match='no fold'):
        Predictions.integrated([])


def test_a_label_that_is_never_tested_is_named():
    with pytest.raises(ValueError, match='neutral'):
        score(predictions([0, 1, 2], [0, 1, 2]))


def test_the_spread_is_that_of_a_sample():
    assert summarise([0.1, 0.2, 0.3]).std == pytest.approx(0.1)
    assert math.isnan(summarise([0.1]).std)
    with pytest.raises(ValueError, match='no values'):
        summarise([])


def test_students_own_figures():
    """Of the sleep data of Student (1908), two independent groups: t = -1.8608, p = 0.0792."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = compare(first, second)
    assert (found.difference, found.t, found.p) == pytest.approx((-1.58, -1.8608, 0.07919), abs=5e-5)


@pytest.mark.parametrize(
    ('first', 'second', 'p'),
    [
        ([0.5], [0.6], math.nan), ([0.5, 0.5], [0.5, 0.5], 1), ([0.5, 0.5], [0.4, 0.4], 0),
        ([0.5, 0.5], [0.4, 0.6], 1), ([0.25, 0.25], [0.25, 0.35], 0.42265),
    ],
)
def test_what_has_no_spread_is_told_apart_without_warnings(first, second, p):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert compare(first, second).p == pytest.approx(p, nan_ok=True)


def test_the_figures_of_the_tables_have_these_names():
    scores = score(predictions([0, 1, 2, 3], [0, 1, 2, 3]))
    assert [getattr(scores, name) for name in METRICS] == [1, 1, 1]


def test_networks_together_add_their_log_probabilities_utterance_by_utterance():
    first = Predictions(np.array(['a', 'b', 'c']), np.array([0, 1, 2]), np.array(
        [[.4, .3, .2, .1], [.1, .5, .3, .1], [.25, .25, .25, .25]], np.float32
    ))
    second = Predictions(np.array(['c', 'a']), np.array([2, 0]), np.array(
        [[.1, .1, .7, .1], [.2, .6, .1, .1]], np.float32
    ))
    both = Predictions.together([first, second])
    assert both.ids.tolist() == ['a', 'c'] and both.labels.tolist() == [0, 2]
    np.testing.assert_allclose(both.probabilities[0], np.array([.08, .18, .02, .01]) / .29, rtol=1e-5)
    np.testing.assert_allclose(both.probabilities[1], [.1, .1, .7, .1], rtol=1e-5)
    assert Predictions.together([first]) is first
