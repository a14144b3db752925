# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Streaming resampler with a delay of 3 ms."""
from __future__ import annotations

from math import gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from smern_ros.audio.pcm import require_rate

ZERO_CROSSINGS = 48  # of the sinc on either side, at the lower of the two rates
ROLL_OFF = 0.94      # the passband's end, of the lower rate's Nyquist frequency
KAISER_BETA = 8.6    # stop band at -85 dB
MAX_PHASES = 1024    # positions between two input samples; rates without a common divisor use the nearest
BLOCK = 4096         # output samples computed at once, which bounds the memory


class Resampler:
    """Band-limited interpolation by a windowed sinc.

    Output sample k is the signal at k / `to_rate` seconds from the first input sample. The delay is half a filter (48
    samples of the lower rate). The output does not depend on chunk sizes.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        """:raises ValueError: for a rate that no microphone has."""
        require_rate(from_rate)
        require_rate(to_rate)
        common = gcd(from_rate, to_rate)
        self._up, self._down = to_rate // common, from_rate // common
        self._phases = min(self._up, MAX_PHASES)
        self._half = int(np.ceil(ZERO_CROSSINGS * max(1.0, from_rate / to_rate)))  # input samples on either side
        self._kernels = self._design(min(1.0, to_rate / from_rate) * ROLL_OFF)
        self.reset()

    def reset(self) -> None:
        """Restart: the next sample is the first."""
        self._history = np.zeros(self._half, np.float32)  # begins `half` samples before input sample `_begin`
        self._begin = 0
        self._produced = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """:param samples: (N,) float32
        :return: (M,) float32, all output that is now determined
        """
        if self._up == self._down:
            return samples
        self._history = np.concatenate([self._history, samples])
        received = self._begin + len(self._history) - self._half
        # Output k lies between the inputs floor(k * down / up) and the next; it needs `half` samples after the former.
        ready = -((self._half - received) * self._up // self._down)
        blocks = [
            self._interpolate(np.arange(k, min(k + BLOCK, ready))) for k in range(self._produced, ready, BLOCK)
        ]
        self._produced = max(ready, self._produced)
        self._forget()
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)

    def flush(self) -> np.ndarray:
        """Return the remaining output, as if silence followed, and restart."""
        if self._up == self._down:
            return np.zeros(0, np.float32)
        output = self.push(np.zeros(self._half, np.float32))
        self.reset()
        return output

    def _design(self, cutoff: float) -> np.ndarray:
        """(phases + 1, 2 * half): for each position from one input sample to the next, the weights of those around."""
        fraction = np.linspace(0, 1, self._phases + 1)[:, None]
        distance = fraction - np.arange(1 - self._half, self._half + 1)  # in input samples
        window = np.i0(KAISER_BETA * np.sqrt(np.clip(1 - (distance / self._half) ** 2, 0, 1))) / np.i0(KAISER_BETA)
        kernels = np.sinc(distance * cutoff) * window
        return (kernels / kernels.sum(axis=1, keepdims=True)).astype(np.float32)

    def _interpolate(self, outputs: np.ndarray) -> np.ndarray:
        """The output samples of these numbers."""
        position = outputs * self._down
        # The first weight belongs to input floor(position) - half + 1, which lies one further into the history.
        first = position // self._up - self._begin + 1
        around = sliding_window_view(self._history, 2 * self._half)[first]
        phase = (position % self._up * self._phases + self._up // 2) // self._up  # rounded
        return np.einsum('ij,ij->i', around, self._kernels[phase])

    def _forget(self) -> None:
        """Drop the input that no coming output needs."""
        passed = self._produced * self._down // self._up - self._begin
        if passed > 0:
            self._history = self._history[passed:].copy()
            self._begin += passed
