"""How somebody holds themselves over a whole sequence, and how much they move: numbers that no convolution can miss.

Random trees that know nothing but the mean posture tell the emotions of a few dozen clips apart as well as any network
here (docs/results.md). Max-pooling over neighbouring coordinates makes it hard for SMACN to see so much.
"""
from __future__ import annotations

import torch

from smern_ros.models.masked import COORDINATES, SMALLEST_VARIANCE

STILL = 0.02
"""Standard deviations of the input; below it more or less movement hardly counts."""


def numbers(joints: int) -> int:
    """Of them, for a skeleton of so many joints."""
    return COORDINATES * joints + 1


def posture(shown: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """
    :param shown: (B, T, 3*joints), zero where not visible.
    :param visible: (B, T, joints) bool.
    :return: (B, 3*joints + 1), of each coordinate the mean over the frames in which it is visible, zero if there are
        none; and the logarithm of how far the visible ones deviate from it.
    """
    seen = visible.repeat_interleave(COORDINATES, dim=2)                                # (B, T, 3*joints)
    often = seen.sum(dim=1)                                                             # (B, 3*joints)
    mean = shown.sum(dim=1) / often.clamp(min=1)                                        # (B, 3*joints)
    variance = ((shown - mean[:, None]) ** 2 * seen).sum(dim=1) / often.clamp(min=1)    # (B, 3*joints)
    deviation = (variance + SMALLEST_VARIANCE).sqrt() * (often > 0)
    movement = deviation.sum(dim=1) / (often > 0).sum(dim=1)                            # (B,)
    return torch.cat([mean, (movement[:, None] + STILL).log() + 2], dim=1)              # + 2: about 0 on average
