# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""People who sit are made as anatomy allows, and told from clips of others who do not."""
import numpy as np
import pytest
from support.body import STANDING

from smern_ros.skeleton.features import model_input
from smern_ros.spec import Joint
from smern_ros.training.corpora import Motion
from smern_ros.training.skeleton import posture_trainer, windows


def walking(content: str, take: int, frames: int = 100) -> Motion:
    """Hanging arms that swing."""
    swing = 0.15 * np.sin(np.arange(frames) / 5 + take)
    positions = np.repeat(STANDING[None], frames, axis=0)
    positions[:, [Joint.LEFT_ELBOW, Joint.LEFT_WRIST], 2] += np.stack([swing / 2, swing], axis=1)
    positions[:, [Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST], 2] -= np.stack([swing / 2, swing], axis=1)
    return Motion('here', f'{content}_{take}', content, 'neutral', 30.0, positions.astype(np.float32))


CLIPS = [walking('walk', take) for take in range(3)]


@pytest.fixture(scope='module')
def taught():
    return posture_trainer.fit(windows.windows(CLIPS, (48, 64), variants=2), CLIPS, 0)


def test_what_was_learnt_counts_but_for_a_little_and_who_sits_does_not(taught):
    learnt = [taught.unlikeness(s.x, s.visible) <= 0 for s in windows.windows(CLIPS, (48, 64), variants=2)]
    others = [taught.unlikeness(*model_input(w)) for w in posture_trainer.seated(CLIPS, 100, np.random.default_rng(5))]
    assert np.mean(learnt) > 0.85
    assert np.mean(np.array(others) > 0) > 0.9


def test_another_take_of_the_same_counts(taught):
    new = windows.windows([walking('walk', 9)], (64,), variants=4)
    assert np.mean([taught.unlikeness(s.x, s.visible) <= 0 for s in new]) > 0.8


def test_the_same_clips_and_seed_teach_the_same(taught):
    again = posture_trainer.fit(windows.windows(CLIPS, (48, 64), variants=2), CLIPS, 0)
    assert again == taught


def test_arms_keep_their_length_and_reach_no_further():
    arm = STANDING[[Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST]]
    upper, fore = np.linalg.norm(np.diff(arm, axis=0), axis=1)
    for hand in np.random.default_rng(0).normal(0, 0.4, (50, 3)):
        elbow, wrist = posture_trainer._reach(arm, hand, np.array([0.5, 1.0, 0.1]))
        assert np.linalg.norm(elbow - arm[0]) == pytest.approx(upper)
        assert np.linalg.norm(wrist - elbow) == pytest.approx(fore)
        near = np.linalg.norm(hand - arm[0])
        if abs(upper - fore) + 1e-2 < near < upper + fore - 1e-2:
            np.testing.assert_allclose(wrist, hand, atol=1e-6)
