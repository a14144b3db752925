# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The frames every audio feature is computed on: one each 10 ms, the k-th centred on sample k * shift."""
from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def count(samples: int, shift: int) -> int:
    """Frames of a signal of that many samples; at least one."""
    return samples // shift + 1


def centred(samples: np.ndarray, *, length: int, shift: int) -> np.ndarray:
    """Cut a signal into overlapping frames.

    The signal is continued with zeros on both sides, so that a frame exists for each centre 0, shift, 2 * shift, ...
    within the signal, whatever the frame's length: contours of different frame lengths run in step.

    :param samples: (N,)
    :return: (N // shift + 1, length), a read-only view where possible
    """
    half = length // 2
    padded = np.pad(samples, (half, length - half))
    return sliding_window_view(padded, length)[::shift][: count(len(samples), shift)]
