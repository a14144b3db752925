# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A voice whose pitch is known."""
import numpy as np

RATE = 16_000


def voice(f0, seconds=0.5):
    """Harmonics falling off as a voice's do; f0 in Hz, a number or one for each sample."""
    f0 = np.broadcast_to(f0, round(seconds * RATE))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    harmonics = sum(np.sin(k * phase) / k**1.5 for k in range(1, 11) if k * f0.max() < RATE / 2)
    return (0.2 * harmonics).astype(np.float32)
