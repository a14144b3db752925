# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Dynamic time warping finds where each token begins."""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.speech.alignment import token_starts


@given(st.lists(st.integers(12, 30), min_size=2, max_size=6), st.integers(0, 100))
def test_tokens_are_found_where_they_are_attended_to(lengths, seed):
    starts = np.cumsum([0, *lengths[:-1]])
    attention = np.random.default_rng(seed).uniform(0, 0.1, (3, len(lengths), sum(lengths)))
    for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        attention[:, row, start:start + length] += 1
    assert np.abs(token_starts(attention) - starts).max() <= 3  # half the median filter


@given(st.integers(1, 8), st.integers(8, 40), st.integers(0, 100))
def test_starts_never_fall_and_begin_at_zero(tokens, positions, seed):
    starts = token_starts(np.random.default_rng(seed).random((2, tokens, positions)))
    assert starts[0] == 0 and (np.diff(starts) >= 0).all() and starts[-1] < positions
