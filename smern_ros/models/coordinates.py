# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How a convolution tells the coordinates of a skeleton from each other.

The paper's image of a sequence has one channel, over which the kernels slide: of a number they know what stands beside
it, not whether it is the height of a wrist or the depth of the nose. It takes many samples to learn that from what
stands beside. `APART`, ours, puts each coordinate into a channel of its own, zero in the columns of all others, so that
the same convolution has kernels of its own for each.
"""
from __future__ import annotations

import math

import torch
from torch import nn

from smern_ros.models.initial import normal_

ALIKE, APART = CHOICES = ('alike', 'apart')

Convolution = type[nn.Conv2d] | type[nn.Conv3d]


class ConvolutionApart(nn.Module):
    """A convolution with kernels and a bias of its own for each coordinate."""

    def __init__(self, kind: Convolution, columns: int, channels: int, kernel: tuple[int, ...]):
        super().__init__()
        padding = tuple(size // 2 for size in kernel)
        self.convolution = kind(columns, channels, kernel, padding=padding, bias=False)  # type: ignore[arg-type]
        self.bias = nn.Parameter(torch.zeros(channels, columns))
        # At each place all channels but one are zero: to begin with, the kernels are as large as for that one alone.
        normal_(self.convolution.weight, std=math.prod(kernel) ** -0.5)

    def forward(self, apart: torch.Tensor) -> torch.Tensor:
        """
        :param apart: (B, V, T, ...), as `image` makes it.
        :return: (B, C, T, ...)
        """
        maps = self.convolution(apart)
        return maps + self.bias.view(len(self.bias), 1, *maps.shape[3:])


def first_convolution(
    kind: Convolution, coordinates: str, columns: int, channels: int, kernel: tuple[int, ...]
) -> nn.Module:
    """Of an `image`, of odd kernel, keeping its size.

    :param columns: coordinates of all joints, 3 each.
    """
    if coordinates == APART:
        return ConvolutionApart(kind, columns, channels, kernel)
    return kind(1, channels, kernel, padding=tuple(size // 2 for size in kernel))  # type: ignore[arg-type]


def image(shown: torch.Tensor, coordinates: str) -> torch.Tensor:
    """
    :param shown: (B, T, V), zero where not seen.
    :return: (B, 1, T, V), or (B, V, T, V) if the coordinates are apart.
    """
    if coordinates == ALIKE:
        return shown[:, None]
    return torch.diag_embed(shown).permute(0, 3, 1, 2)
