# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which arms are held unlike those learnt from, by where elbow and wrist are on average."""
import math

import numpy as np
import pytest
from support.body import STANDING

from smern_ros.skeleton.posture import Posture, arms, terms
from smern_ros.spec import Joint

LEFT, RIGHT = (Joint.LEFT_ELBOW, Joint.LEFT_WRIST), (Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST)


def weights(size: int, **of: float) -> tuple[float, ...]:
    """Of the terms of an arm: `constant`, and of the squares of coordinates by their number, c0, c1, ..."""
    found = np.zeros(len(terms(np.zeros(size))))
    for name, weight in of.items():
        probe = np.zeros(size)
        if name != 'constant':
            probe[int(name[1:])] = 1.0
        square = np.flatnonzero(terms(probe))[-1]  # 1, then the coordinate, then its square
        found[square] = weight
    return tuple(found)


FORWARD = Posture(elbow=weights(3, constant=-1.0), arm=weights(6, constant=-1.0, c5=4.0))
"""Unlike: a wrist more than half a shoulder width before or behind the thorax."""


def window(frames=30, hidden=(), **moved):
    """x and visible of somebody who stands, with joints elsewhere, in shoulder widths."""
    x = np.repeat((STANDING / 0.34)[None], frames, axis=0)
    for name, place in moved.items():
        x[:, Joint[name.upper()]] = place
    visible = np.ones((frames, 10), bool)
    visible[:, list(hidden)] = False
    x[~visible] = 0
    return x.reshape(frames, 30).astype(np.float32), visible


def test_terms_are_one_the_coordinates_and_all_products_of_two():
    assert terms(np.array([2.0, 3.0, 5.0])).tolist() == [1, 2, 3, 5, 4, 6, 10, 9, 15, 25]
    assert terms(np.zeros((7, 6))).shape == (7, 28)


def test_both_arms_are_seen_from_their_own_side_and_only_where_they_are_visible():
    x, visible = window()
    left, right = arms(x, visible)
    np.testing.assert_allclose(left, right, atol=1e-6)  # who stands there is the same in a mirror
    assert left[0] > 0 and left[3] > 0                  # outwards
    visible[:10, Joint.LEFT_WRIST] = False
    x = x.reshape(30, 10, 3)
    x[:10, Joint.LEFT_WRIST] = 7.0                      # what is not visible is not read
    np.testing.assert_allclose(arms(x.reshape(30, 30), visible)[0], left, atol=1e-6)


@pytest.mark.parametrize(('hidden', 'sizes'), [
    ((), [6, 6]), ((Joint.LEFT_WRIST,), [3, 6]), ((Joint.RIGHT_WRIST, Joint.LEFT_WRIST), [3, 3]),
    ((Joint.LEFT_ELBOW,), [6]), ((*LEFT, *RIGHT), []),
])
def test_an_arm_counts_by_its_elbow(hidden, sizes):
    assert [len(arm) for arm in arms(*window(hidden=hidden))] == sizes


def test_a_joint_that_is_hidden_for_more_than_half_of_the_window_is_not_seen():
    x, visible = window(frames=20)
    visible[:10, Joint.LEFT_WRIST] = False
    assert [len(arm) for arm in arms(x, visible)] == [6, 6]
    visible[10, Joint.LEFT_WRIST] = False
    assert [len(arm) for arm in arms(x, visible)] == [3, 6]


def test_one_arm_held_unlike_those_learnt_from_is_enough():
    assert FORWARD.unlikeness(*window()) < 0
    assert FORWARD.unlikeness(*window(right_wrist=(-0.2, 0.9, -0.8))) > 0
    assert FORWARD.unlikeness(*window(left_wrist=(0.2, 0.9, -0.8))) > 0
    assert FORWARD.unlikeness(*window(left_wrist=(0.2, 0.9, -0.8), hidden=[Joint.LEFT_WRIST])) < 0


def test_movement_without_an_elbow_in_the_picture_is_unlike_all():
    assert FORWARD.unlikeness(*window(hidden=(*LEFT, *RIGHT))) == math.inf
