# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Skeleton windows to the input of the skeleton encoder, invariant to position, body size and heading.

The paper uses raw positions and falls from 65.6 to 33.1 UAR on unseen speakers (section V).
"""
from __future__ import annotations

import numpy as np

from smern_ros.spec import SPEC, FeatureSpec, Joint
from smern_ros.values import SkeletonWindow

SHOULDER_WIDTH = 0.35
"""Metres; scales a window in which the two shoulders are never visible together."""

MIN_SHOULDER_WIDTH = 0.05
"""Metres; below it no person was measured, whatever the estimator says, and SHOULDER_WIDTH is used."""

MIN_HEADING = 0.1
"""Of the shoulder width; if the mean shoulder line is shorter than this seen from above, it has no heading."""


def model_input(window: SkeletonWindow, spec: FeatureSpec = SPEC) -> tuple[np.ndarray, np.ndarray]:
    """Normalise position, size and heading of a window (`root`, `scale` and `yaw` of the spec).

    - Root: the thorax is the origin of each frame. Where it is hidden, its position is interpolated, and held at the
      ends.
    - Scale: the window's median shoulder width is 1.
    - Yaw: turned about the vertical (the camera's y) so that the mean vector from the right to the left shoulder points
      along +x, as of a person who faces the camera. Not turned if the shoulders are never visible together.

    Scaling, moving or turning (about the vertical) the whole person changes nothing.

    :return: x (T, 30) float32, joint by joint x, y, z, 0 where not visible; visible (T, 10) bool.
    :raises ValueError: if the window's shapes are not those of the spec.
    """
    joints = len(spec.joints)
    positions, visible = np.asarray(window.positions, np.float64), np.asarray(window.visible, bool)
    if positions.ndim != 3 or positions.shape[1:] != (joints, 3) or visible.shape != positions.shape[:2]:
        raise ValueError(
            f'expected positions (T, {joints}, 3) and visible (T, {joints}), '
            f'got {positions.shape} and {visible.shape}'
        )
    positions = positions - _root(positions, visible)[:, None]
    together = visible[:, Joint.RIGHT_SHOULDER] & visible[:, Joint.LEFT_SHOULDER]
    shoulders = (positions[:, Joint.LEFT_SHOULDER] - positions[:, Joint.RIGHT_SHOULDER])[together]  # (t, 3)
    width = _width(shoulders)
    x = positions / width @ _turn(shoulders / width)
    x[~visible] = 0
    return x.reshape(len(x), 3 * joints).astype(np.float32), visible


def as_given(positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """The paper's input: raw positions. Inference uses `model_input`.

    :param positions: (T, 10, 3)
    :param visible: (T, 10) bool.
    :return: (T, 30) float32, 0 where not visible.
    """
    return np.where(visible[:, :, None], positions, 0).reshape(len(positions), -1).astype(np.float32)


def _root(positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Where the thorax is in each frame, (T, 3); the given origin if it is never visible."""
    frames = np.flatnonzero(visible[:, Joint.THORAX])
    if len(frames) == 0:
        return np.zeros((len(positions), 3))
    thorax = positions[:, Joint.THORAX]
    return np.stack([np.interp(np.arange(len(thorax)), frames, thorax[frames, d]) for d in range(3)], axis=-1)


def _width(shoulders: np.ndarray) -> float:
    """Metres that become 1."""
    if len(shoulders) == 0:
        return SHOULDER_WIDTH
    width = float(np.median(np.linalg.norm(shoulders, axis=1)))
    return width if width >= MIN_SHOULDER_WIDTH else SHOULDER_WIDTH


def _turn(shoulders: np.ndarray) -> np.ndarray:
    """The rotation about y, to be multiplied from the right, that brings the mean of (t, 3) to z = 0 and x > 0."""
    if len(shoulders) == 0:
        return np.eye(3)
    x, _, z = shoulders.mean(0)
    length = np.hypot(x, z)
    if length < MIN_HEADING:
        return np.eye(3)
    cos, sin = x / length, z / length
    return np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
