# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Somebody who stands with hanging arms, whose movement every checkpoint uses."""
import numpy as np

STANDING = np.array([
    (0, 0.25, 0), (0, 0, 0), (0, -0.16, -0.17), (0, -0.17, -0.05),
    (0.17, 0, 0), (0.22, 0.25, 0.02), (0.25, 0.46, -0.03),
    (-0.17, 0, 0), (-0.22, 0.25, 0.02), (-0.25, 0.46, -0.03),
])
"""(10, 3) metres from the thorax, in the axes of the camera in front of them."""


def standing(frames: int, generator: np.random.Generator) -> np.ndarray:
    """(frames, 10, 3) float32; every joint trembles by itself."""
    return (STANDING + generator.normal(0, 0.05, (frames, *STANDING.shape))).astype(np.float32)
