# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Operations unaffected by padding and hidden joints."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from smern_ros.models.checks import check_shape

COORDINATES = 3
SMALLEST_VARIANCE = 1e-5
"""Added to a variance before the square root, whose gradient is infinite at zero."""


def within(lengths: torch.Tensor, longest: int) -> torch.Tensor:
    """:return: (B, `longest`) bool, which steps are valid when each of the `lengths` (B,) first ones are."""
    return torch.arange(longest, device=lengths.device) < lengths[:, None]


def mean_and_deviation(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Mean and standard deviation over the valid steps, concatenated.

    :param x: (B, T, D), padded at the end with anything finite.
    :param lengths: (B,) int64, 1..T.
    :return: (B, 2*D)
    """
    valid = within(lengths, x.shape[1])[..., None]                                    # (B, T, 1)
    count = lengths[:, None]
    mean = (x * valid).sum(dim=1) / count                                             # (B, D)
    variance = ((x - mean[:, None]) ** 2 * valid).sum(dim=1) / count                  # (B, D)
    return torch.cat([mean, (variance + SMALLEST_VARIANCE).sqrt()], dim=1)


def hide(x: torch.Tensor, visible: torch.Tensor, joints: int) -> torch.Tensor:
    """Set hidden joints in `x` to zero.

    :param x: (B, T, 3*joints), x y z of each joint in turn; hidden joints are not read.
    :param visible: (B, T, joints) bool; false for hidden joints and padding. At least one true per sample.
    :raises ValueError: for other shapes, or if a sample has no visible joint.
    """
    check_shape('skeleton', x, None, None, COORDINATES * joints)
    check_shape('visible', visible, *x.shape[:2], joints)
    if not bool(visible.flatten(1).any(dim=1).all()):
        raise ValueError('a sample has no visible joint; remove it')
    return x.masked_fill(~visible.repeat_interleave(COORDINATES, dim=2), 0.0)


def means_of_seen(count: int, x: torch.Tensor, visible: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean of each joint over every `count` frames, of those in which it is visible.

    :param x: (B, T, 3*joints), zero where no joint is visible.
    :param visible: (B, T, joints) bool.
    :return: (B, ceil(T / count), 3*joints) and (B, ceil(T / count), joints) bool.
    """
    if count == 1:
        return x, visible
    short = -x.shape[1] % count
    frames = functional.pad(x, (0, 0, 0, short)).unflatten(1, (-1, count))         # (B, T/count, count, 3*joints)
    seen = functional.pad(visible, (0, 0, 0, short)).unflatten(1, (-1, count))     # (B, T/count, count, joints)
    times = seen.sum(dim=2).clamp(min=1).repeat_interleave(COORDINATES, dim=2)     # (B, T/count, 3*joints)
    return frames.sum(dim=2) / times, seen.any(dim=2)


def seen_frames(visible: torch.Tensor) -> torch.Tensor:
    """:return: (B,) int64, frames of `visible` (B, T, joints) up to the last one in which a joint is visible."""
    frames = torch.arange(1, visible.shape[1] + 1, device=visible.device)
    return (visible.any(dim=2) * frames).amax(dim=1)


def relu_conv(conv: nn.Module, image: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Convolution and ReLU, set to zero where not visible.

    :param image: (B, C, T, ...), zero where not visible.
    :param seen: (B, 1, T, ...) bool.
    """
    return functional.relu(conv(image)) * seen


def max_pool(image: torch.Tensor, seen: torch.Tensor, size: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Max-pooling of both; incomplete cells at the end are kept. A cell is visible if part of it is.

    :param image: (B, C, T, ...), not negative, so that the zeros of hidden joints never exceed visible ones.
    :param seen: (B, 1, T, ...) bool.
    """
    pool = functional.max_pool2d if len(size) == 2 else functional.max_pool3d
    return pool(image, size, ceil_mode=True), pool(seen.float(), size, ceil_mode=True) > 0


def mean_of_seen(image: torch.Tensor, seen: torch.Tensor, over: tuple[int, ...]) -> torch.Tensor:
    """Mean over the dimensions `over` of the visible cells, at least one, of an image that is zero elsewhere."""
    return image.sum(over) / seen.sum(over)
