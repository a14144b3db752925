# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The low-pass filter of the joints' positions (paper, section III-A.2: order 8, normalised cut-off 0.1).

Butterworth, as second-order sections: order 8 at this cut-off is numerically poor as one pair of polynomials.
"""
from __future__ import annotations

import functools

import numpy as np
from scipy import signal

from smern_ros.spec import SPEC, FeatureSpec


@functools.cache
def _sections(order: int, cutoff: float) -> np.ndarray:
    return signal.butter(order, cutoff, output='sos')


def sections(spec: FeatureSpec = SPEC) -> np.ndarray:
    """The spec's filter, (order / 2, 6): b0 b1 b2 a0 a1 a2 of each section."""
    return _sections(spec.filter_order, spec.filter_cutoff).copy()


def delay_frames(spec: FeatureSpec = SPEC) -> float:
    """How many frames the causal filter's output lags behind its input: its group delay at frequency 0.

    Of a section with polynomials b and a it is sum(k b_k) / sum(b_k) - sum(k a_k) / sum(a_k).
    """
    k = np.arange(3)
    b, a = sections(spec)[:, :3], sections(spec)[:, 3:]
    return float(((b @ k) / b.sum(1) - (a @ k) / a.sum(1)).sum())


def zero_phase(x: np.ndarray, spec: FeatureSpec = SPEC) -> np.ndarray:
    """Filter whole signals forwards and backwards: no delay, twice the order and attenuation (-6 dB at the cut-off).

    The signal is extended at both ends by its odd reflection, by 27 frames for order 8 or, if it is shorter, by all of
    it. A single frame is returned as it is.

    :param x: (T, ...) finite, T >= 1, one signal along the first axis for each of the others.
    :return: (T, ...) float64.
    :raises ValueError: if a value is not finite (it would spread over the whole signal) or there is no frame.
    """
    x = _finite(x)
    reflection = min(3 * (spec.filter_order + 1), len(x) - 1)
    return signal.sosfiltfilt(sections(spec), x, axis=0, padlen=reflection)


def causal(x: np.ndarray, spec: FeatureSpec = SPEC) -> np.ndarray:
    """Filter whole signals forwards: `delay_frames` late, as `CausalLowPass` frame by frame.

    Parameters, result and errors as of `zero_phase`.
    """
    x = _finite(x)
    begin = signal.sosfilt_zi(sections(spec)).reshape(-1, 2, *[1] * (x.ndim - 1)) * x[:1]
    return signal.sosfilt(sections(spec), x, axis=0, zi=begin)[0]


def _finite(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, np.float64)
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f'the low-pass filter needs at least one frame, got shape {x.shape}')
    if not np.isfinite(x).all():
        raise ValueError(
            'the low-pass filter needs finite values; filter each stretch where a joint is visible by itself'
        )
    return x


class CausalLowPass:
    """The causal filter as a stream, frame by frame at the spec's rate.

    A signal that is NaN in a frame restarts at its next value, as if it had always had that value. The output lags
    `delay_frames(spec)` frames behind the input.

    >>> lowpass = CausalLowPass((10, 3))
    >>> smooth = lowpass.push(positions)  # (10, 3) of each frame

    :param shape: of one frame, (signals, dimensions). A signal is NaN in all dimensions or in none.
    """

    def __init__(self, shape: tuple[int, int], spec: FeatureSpec = SPEC):
        self._shape = shape
        self._sections = sections(spec)
        self._rest = signal.sosfilt_zi(self._sections)[:, :, None, None]  # (sections, 2, 1, 1) after a constant 1
        self.reset()

    def reset(self) -> None:
        """Restart all signals."""
        self._state = np.zeros((len(self._sections), 2, *self._shape))
        self._running = np.zeros(self._shape[0], bool)

    def push(self, frame: np.ndarray) -> np.ndarray:
        """Filter the next frame.

        :param frame: (signals, dimensions), NaN where not seen.
        :return: (signals, dimensions) float64, NaN where not seen.
        """
        frame = np.asarray(frame, np.float64)
        if frame.shape != self._shape:
            raise ValueError(f'CausalLowPass filters frames of shape {self._shape}, got {frame.shape}')
        seen = np.isfinite(frame).all(-1)
        starting = seen & ~self._running
        self._state[:, :, starting] = self._rest * frame[starting]
        self._running = seen
        if not seen.any():
            return np.full(self._shape, np.nan)
        filtered, self._state = signal.sosfilt(
            self._sections, np.where(seen[:, None], frame, 0)[None], axis=0, zi=self._state
        )
        return np.where(seen[:, None], filtered[0], np.nan)
