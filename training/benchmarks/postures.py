"""Simple references for movement: statistics of the same windows through scikit-learn."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smern_ros.spec import SPEC

STRENGTH = 0.003
"""C of the machine; of 0.003, 0.01 and 0.1 the best on the development contents."""
TREES = 300


def functionals(windows: Sequence[np.ndarray]) -> np.ndarray:
    """Mean and deviation of each coordinate; mean, deviation and highest of each joint's speed and acceleration.

    :param windows: each (T, 30), in shoulder widths.
    :return: (N, 120)
    """
    found = []
    for x in windows:
        joints = x.reshape(len(x), -1, 3)
        speed = np.linalg.norm(np.diff(joints, axis=0), axis=2) * SPEC.skeleton_rate
        acceleration = np.linalg.norm(np.diff(joints, n=2, axis=0), axis=2) * SPEC.skeleton_rate**2
        statistics = [x.mean(axis=0), x.std(axis=0)]
        for values in (speed, acceleration):
            statistics += [values.mean(axis=0), values.std(axis=0), values.max(axis=0)]
        found.append(np.concatenate(statistics))
    return np.stack(found)


def postures(windows: Sequence[np.ndarray]) -> np.ndarray:
    """Where each joint is on average.

    :param windows: each (T, 30), zero where a joint is hidden.
    :return: (N, 30)
    """
    return np.stack([x.mean(axis=0) for x in windows])


def by_a_plane(learn: np.ndarray, labels: Sequence[int], test: np.ndarray) -> np.ndarray:
    """(N, 4) float32: a softmax of distances to the planes of a linear support vector machine. Not calibrated."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    machine = make_pipeline(StandardScaler(), LinearSVC(C=STRENGTH, class_weight='balanced', random_state=0))
    distances = machine.fit(learn, labels).decision_function(test)
    shares = np.exp(distances - distances.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def by_trees(learn: np.ndarray, labels: Sequence[int], test: np.ndarray) -> np.ndarray:
    """(N, 4) float32: what extremely randomised trees say of them."""
    from sklearn.ensemble import ExtraTreesClassifier

    trees = ExtraTreesClassifier(
        TREES, min_samples_leaf=2, max_features=0.3, class_weight='balanced', random_state=0
    )
    return trees.fit(learn, labels).predict_proba(test).astype(np.float32)
