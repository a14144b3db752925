# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""First convolution over a skeleton sequence, with shared or separate kernels for the coordinates.

The paper's image of a sequence has one channel (`ALIKE`): a kernel does not know which coordinate it reads, and must
infer it from the neighbours, which takes many samples. `APART`, not in the paper, puts each coordinate into its own
channel, zero in the columns of all others, so that each coordinate has its own kernels.
"""
from __future__ import annotations

import math

import torch
from torch import nn

from smern_ros.models.initial import normal_

ALIKE, APART = CHOICES = ('alike', 'apart')

Convolution = type[nn.Conv2d] | type[nn.Conv3d]


class ConvolutionApart(nn.Module):
    """A convolution with separate kernels and bias for each coordinate."""

    def __init__(self, kind: Convolution, columns: int, channels: int, kernel: tuple[int, ...]):
        super().__init__()
        padding = tuple(size // 2 for size in kernel)
        self.convolution = kind(columns, channels, kernel, padding=padding, bias=False)  # type: ignore[arg-type]
        self.bias = nn.Parameter(torch.zeros(channels, columns))
        # At each position all channels but one are zero, so the weights are scaled as for one channel.
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
    """Convolution of an `image`, with odd kernel, that keeps its size.

    :param columns: coordinates of all joints, 3 each.
    """
    if coordinates == APART:
        return ConvolutionApart(kind, columns, channels, kernel)
    return kind(1, channels, kernel, padding=tuple(size // 2 for size in kernel))  # type: ignore[arg-type]


def image(shown: torch.Tensor, coordinates: str) -> torch.Tensor:
    """Image of a skeleton sequence for `first_convolution`.

    :param shown: (B, T, V), zero where not visible.
    :return: (B, 1, T, V), or (B, V, T, V) if the coordinates are apart.
    """
    if coordinates == ALIKE:
        return shown[:, None]
    return torch.diag_embed(shown).permute(0, 3, 1, 2)
