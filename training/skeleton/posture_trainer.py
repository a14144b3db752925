# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Teaching what movement is unlike what was learnt. No people who sit were recorded; they are made of the clips."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from smern_ros.skeleton.features import model_input
from smern_ros.skeleton.posture import Posture, arms, terms
from smern_ros.spec import Joint
from smern_ros.training.corpora import Motion
from smern_ros.training.skeleton import skeleton_augment
from smern_ros.training.skeleton.windows import LabelledWindow
from smern_ros.values import SkeletonWindow

SEATED = 1500
"""Windows of people who sit that are learnt from."""
KEPT = 0.95
"""Share of the windows learnt from that count."""
FRAMES = 64
_HANDS = (
    ((0.0, 0.45), (1.1, 1.6), (0.3, 0.95)),      # in the lap
    ((-0.15, 0.3), (0.6, 1.5), (0.3, 0.85)),     # folded
    ((-0.1, 0.6), (0.7, 1.25), (0.5, 1.2)),      # on a table
    ((-0.4, -0.05), (0.4, 0.9), (0.3, 0.55)),    # arms crossed
    ((-0.1, 0.3), (-0.45, 0.1), (0.4, 0.8)),     # at the face
    ((-0.25, 0.9), (0.1, 1.2), (0.35, 1.1)),     # talking
)
"""Where the wrists of people are who sit or talk: outwards, down and forward of the thorax, in shoulder widths."""
_SIDES = (
    (1.0, Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST),
    (-1.0, Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST),
)


def fit(windows: Sequence[LabelledWindow], motions: Sequence[Motion], seed: int) -> Posture:
    """Logistic regression that tells the arms of these windows from those of people who sit.

    :param windows: the windows that the encoder learns from; KEPT of them will count.
    :param motions: their clips.
    """
    generator = np.random.default_rng(seed)
    learnt = [arms(s.x, s.visible) for s in windows]
    unlike = [arms(*model_input(window)) for window in seated(motions, SEATED, generator)]
    return Posture(*(
        _weights(*(np.array([arm for of in side for arm in of if len(arm) == size]) for side in (learnt, unlike)))
        for size in (3, 6)
    ))


def seated(motions: Sequence[Motion], count: int, generator: np.random.Generator) -> list[SkeletonWindow]:
    """People who hardly move, as a camera sees them: frames of the clips with other arms."""
    found = []
    for _ in range(count):
        motion = motions[int(generator.integers(len(motions)))]
        pose = motion.positions[generator.integers(len(motion.positions))].astype(float)
        across = (pose[Joint.LEFT_SHOULDER] - pose[Joint.RIGHT_SHOULDER]) * (1, 0, 1)
        outwards = across / np.linalg.norm(across)
        axes = np.stack([outwards, [0, 1, 0], [outwards[2], 0, -outwards[0]]])  # outwards of the left, down, forward
        for side, shoulder, elbow, wrist in _SIDES:
            place = [generator.uniform(*span) for span in _HANDS[generator.integers(len(_HANDS))]]
            hand = np.linalg.norm(across) * np.array(place) * (side, 1, 1) @ axes
            aside = np.array([side * generator.uniform(0.1, 1.0), 1.0, generator.uniform(-0.5, 0.2)]) @ axes
            pose[elbow], pose[wrist] = _reach(pose[[shoulder, elbow, wrist]], hand, aside)
        found.append(skeleton_augment.standing_still(replace(motion, positions=pose[None]), FRAMES, generator))
    return found


def _reach(arm: np.ndarray, hand: np.ndarray, aside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and wrist of an arm that reaches for `hand` as far as it can, the elbow towards `aside`.

    :param arm: (3, 3) shoulder, elbow and wrist, of which the lengths are taken.
    """
    shoulder = arm[0]
    upper, fore = np.linalg.norm(np.diff(arm, axis=0), axis=1)
    towards = hand - shoulder
    length = np.clip(np.linalg.norm(towards), abs(upper - fore) + 1e-3, 0.999 * (upper + fore))
    towards /= np.linalg.norm(towards)
    along = (upper**2 - fore**2 + length**2) / (2 * length)
    aside = aside - (aside @ towards) * towards
    out = np.sqrt(upper**2 - along**2) * aside / np.linalg.norm(aside)
    return shoulder + along * towards + out, shoulder + length * towards


def _weights(learnt: np.ndarray, unlike: np.ndarray) -> tuple[float, ...]:
    """Of the `terms` of arms; KEPT of those learnt from are at or below 0."""
    from sklearn.linear_model import LogisticRegression

    x = terms(np.concatenate([learnt, unlike]))[:, 1:]
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    labels = np.repeat([0, 1], [len(learnt), len(unlike)])
    found = LogisticRegression(max_iter=5000, class_weight='balanced').fit((x - mean) / deviation, labels)
    slopes = found.coef_[0] / deviation
    return (-float(np.quantile(terms(learnt)[:, 1:] @ slopes, KEPT)), *map(float, slopes))
