# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Log-mel spectrogram of Whisper. As of faster-whisper, without the memory of its import."""
from __future__ import annotations

import functools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

RATE = 16000   # Hz
BANDS = 80
SHIFT = 160    # samples: a frame each 10 ms
_LENGTH = 400  # samples: 25 ms
_LINEAR_TO, _MELS_LINEAR = 1000.0, 15.0     # Slaney's scale: 200/3 Hz a mel up to 1 kHz, logarithmic above
_LOG_STEP = np.log(6.4) / 27


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Whisper's features (Radford et al. 2022, section 2.2): log10 of the power, at most 8 below its maximum, scaled.

    :param samples: (N,) float32 at 16 kHz, N > 200
    :return: (80, N // 160) float32
    """
    padded = np.pad(samples.astype(np.float32, copy=False), _LENGTH // 2, mode='reflect')
    frames = sliding_window_view(padded, _LENGTH)[::SHIFT][:-1]
    power = np.abs(np.fft.rfft(frames * _window()).astype(np.complex64)) ** 2
    bands = np.log10(np.maximum(_filters() @ power.T, 1e-10))
    return (np.maximum(bands, bands.max() - 8) + 4) / 4


@functools.cache
def _window() -> np.ndarray:
    return np.hanning(_LENGTH + 1)[:-1].astype(np.float32)


@functools.cache
def _filters() -> np.ndarray:
    """(80, 201) float32: triangles of one area each, evenly spaced on Slaney's mel scale from 0 to 8 kHz."""
    mels = np.linspace(0, _MELS_LINEAR + np.log(RATE / 2 / _LINEAR_TO) / _LOG_STEP, BANDS + 2)
    edges = np.where(
        mels < _MELS_LINEAR, mels * _LINEAR_TO / _MELS_LINEAR, _LINEAR_TO * np.exp(_LOG_STEP * (mels - _MELS_LINEAR))
    )
    bins = np.fft.rfftfreq(_LENGTH, 1 / RATE)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
