# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Simple references for speech and movement: statistics of the same features through scikit-learn."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smern_ros.spec import SPEC
from smern_ros.training.audio.audio_trainer import LabelledSpeech

SVM_C = 0.003
"""Of 0.0001 to 0.03 the best on the development speakers of both corpora of speech together, of 0.003, 0.01 and 0.1 on
the development contents of movement."""
TREES = 300


def speech_functionals(spoken: Sequence[LabelledSpeech]) -> np.ndarray:
    """(N, 113): mean and deviation of the MFCC as recorded, and the prosodic values."""
    recorded = [s.versions[0] for s in spoken]
    return np.stack([np.concatenate([f.mfcc.mean(axis=0), f.mfcc.std(axis=0), f.prosody]) for f in recorded])


def normalised_by_speaker(values: np.ndarray, speakers: Sequence[str]) -> np.ndarray:
    """Each speaker's values less their mean, in their deviations, over all of the speaker's utterances."""
    out, of = np.empty_like(values), np.array(speakers)
    for speaker in set(speakers):
        own = values[of == speaker]
        out[of == speaker] = (own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-6)
    return out


def skeleton_functionals(windows: Sequence[np.ndarray]) -> np.ndarray:
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


def mean_postures(windows: Sequence[np.ndarray]) -> np.ndarray:
    """Where each joint is on average.

    :param windows: each (T, 30), zero where a joint is hidden.
    :return: (N, 30)
    """
    return np.stack([x.mean(axis=0) for x in windows])


def linear_svm(
    learn: np.ndarray, labels: Sequence[int], test: np.ndarray, max_iter: int = 1000
) -> np.ndarray:
    """(N, 4) float32: a softmax of distances to the planes of a linear support vector machine. Not calibrated."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    machine = make_pipeline(
        StandardScaler(), LinearSVC(C=SVM_C, class_weight='balanced', max_iter=max_iter, random_state=0)
    )
    distances = machine.fit(learn, labels).decision_function(test)
    shares = np.exp(distances - distances.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def extra_trees(learn: np.ndarray, labels: Sequence[int], test: np.ndarray) -> np.ndarray:
    """(N, 4) float32: probabilities of extremely randomised trees."""
    from sklearn.ensemble import ExtraTreesClassifier

    trees = ExtraTreesClassifier(
        TREES, min_samples_leaf=2, max_features=0.3, class_weight='balanced', random_state=0
    )
    return trees.fit(learn, labels).predict_proba(test).astype(np.float32)
