# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The colours of what somebody wears, coarse enough for light and folds: tells two people apart who cross."""
from __future__ import annotations

import numpy as np

from smern_ros.spec import Joint

HUES, GREYS = 8, 4
"""Shares of the torso: of each hue where it is colourful, of each lightness where it is not."""
COLOURFUL = 60
"""Saturation and lightness, 0..255, from which a pixel has a hue that can be told."""
SIDE = 24
"""Pixels on a side of the patch that is looked at."""


def torso_colours(image_bgr: np.ndarray, image_positions: np.ndarray) -> np.ndarray:
    """
    :param image_bgr: (H, W, 3) uint8. :param image_positions: (10, 2) pixels, as of `Body`.
    :return: (HUES + GREYS,) float32, shares of the patch between shoulders and spine, sum 1; 0 if it is not in view.
    """
    import cv2

    height, width = image_bgr.shape[:2]
    shoulders = image_positions[[Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER], 0]
    middle, half = shoulders.mean(), 0.35 * abs(shoulders[0] - shoulders[1])
    top, bottom = image_positions[Joint.THORAX, 1], image_positions[Joint.SPINE, 1]
    corners = np.nan_to_num([middle - half, middle + half + 1, top, bottom + 1], nan=0.0, posinf=0.0, neginf=0.0)
    left, right, top, bottom = np.clip(corners, 0, [width, width, height, height]).astype(int)
    if right - left < 2 or bottom - top < 2:
        return np.zeros(HUES + GREYS, np.float32)
    patch = cv2.resize(image_bgr[top:bottom, left:right], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    hue, saturation, lightness = np.moveaxis(cv2.cvtColor(patch, cv2.COLOR_BGR2HSV).astype(int), -1, 0)
    colourful = (saturation >= COLOURFUL) & (lightness >= COLOURFUL)
    bins = np.where(colourful, hue * HUES // 180, HUES + lightness * GREYS // 256)
    return np.bincount(bins.ravel(), minlength=HUES + GREYS).astype(np.float32) / SIDE**2


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The share of the torso whose colour differs, 0..1; 0 where one of them was not in view.

    :param one: (..., D), and `other`: as of `torso_colours`; broadcast.
    """
    known = (one.sum(-1) > 0) & (other.sum(-1) > 0)
    return np.where(known, np.abs(one - other).sum(-1) / 2, 0.0)
