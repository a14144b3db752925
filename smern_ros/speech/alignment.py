# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Times of tokens by dynamic time warping over a Whisper decoder's cross-attention (OpenAI, timing.py)."""
from __future__ import annotations

import numpy as np
from scipy.signal import medfilt

MEDIAN_WIDTH = 7  # positions


def token_starts(attention: np.ndarray) -> np.ndarray:
    """The position at which each token begins.

    :param attention: (heads, tokens, positions) of the alignment heads; row i is the decoder's step
        that predicts token i; positions are those with speech.
    :return: (tokens,) int, non-decreasing, the first 0.
    """
    mean, deviation = attention.mean(1, keepdims=True), attention.std(1, keepdims=True)
    contrast = (attention - mean) / np.maximum(deviation, 1e-9)  # what all tokens attend to has no information
    smooth = np.stack([[medfilt(row, MEDIAN_WIDTH) for row in head] for head in contrast])
    return _warp(-smooth.mean(0))


def _warp(cost: np.ndarray) -> np.ndarray:
    """:param cost: (tokens, positions). :return: where the cheapest monotonic path enters each row."""
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    step = np.zeros((rows + 1, columns + 1), np.int8)  # 0: both, 1: next token, 2: next position
    for i in range(1, rows + 1):
        above, here = total[i - 1], total[i]
        for j in range(1, columns + 1):
            options = (above[j - 1], above[j], here[j - 1])
            step[i, j] = best = options.index(min(options))
            here[j] = cost[i - 1, j - 1] + options[best]
    starts = np.zeros(rows, int)
    i, j = rows, columns
    while i > 0:
        starts[i - 1] = j - 1
        move = step[i, j]
        i -= move != 2
        j -= move != 1
    return starts
