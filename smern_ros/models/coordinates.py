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

ALIKE, APART = CHOICES = ('alike', 'apart')


def first_convolution(
    kind: type[nn.Conv2d] | type[nn.Conv3d], coordinates: str, columns: int, channels: int, kernel: tuple[int, ...]
) -> nn.Conv2d | nn.Conv3d:
    """Of an `image`, of odd kernel, keeping its size.

    :param columns: coordinates of all joints, 3 each.
    """
    padding = tuple(size // 2 for size in kernel)
    convolution = kind(1 if coordinates == ALIKE else columns, channels, kernel, padding=padding)  # type: ignore[arg-type]
    if coordinates == APART:
        # At each place all channels but one are zero: to begin with, the kernels are as large as for that one alone.
        nn.init.normal_(convolution.weight, std=math.prod(kernel) ** -0.5)
    return convolution


def image(shown: torch.Tensor, coordinates: str) -> torch.Tensor:
    """
    :param shown: (B, T, V), zero where not seen.
    :return: (B, 1, T, V), or (B, V, T, V) if the coordinates are apart.
    """
    if coordinates == ALIKE:
        return shown[:, None]
    return torch.diag_embed(shown).permute(0, 3, 1, 2)
