# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Voice activity: silero-vad 6 (MIT), whose weights come inside its package."""
from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

FRAME = 512
"""Samples of a frame: 32 ms."""
SAMPLE_RATE = 16_000
"""Hz, of the network."""
CONTEXT = 64  # samples of the frame before, which the network sees again


class VoiceDetector:
    """Speech probability of each frame. Deterministic; recurrent over the frames."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors
        self._session = onnxruntime.InferenceSession(_weights(), options, providers=['CPUExecutionProvider'])
        self.reset()

    def reset(self) -> None:
        """Reset the recurrent state."""
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def probability(self, frame: np.ndarray) -> float:
        """:param frame: (512,) float32 in -1..1 at 16 kHz, following the one before
        :return: 0..1
        """
        heard = np.concatenate([self._context, frame])[None]
        (probability,), self._state = self._session.run(
            None, {'input': heard, 'state': self._state, 'sr': np.array(SAMPLE_RATE, np.int64)}
        )
        self._context = frame[-CONTEXT:]
        return float(probability[0])


def _weights() -> str:
    # Found, not imported: the package's own code imports torch, which this network does not need.
    package = importlib.util.find_spec('silero_vad')
    if package is None or package.origin is None:
        raise ModuleNotFoundError('silero-vad is not installed: pip install silero-vad==6.2.3')
    return str(Path(package.origin).parent / 'data' / 'silero_vad_16k_op15.onnx')
