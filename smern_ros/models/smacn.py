# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Spatial multi-head attention-based convolutional network (paper, section III-B, eq. 1 to 6).

The paper names the layers and the number of parameters (1143.8k, table 2) but not the kernels, nor H and F. The
defaults are a reconstruction that gives 1,143,844 parameters and the 256-d feature that SMERN needs.
"""
from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from smern_ros.models.checks import check_config, check_shape
from smern_ros.models.coordinates import ALIKE, CHOICES, first_convolution, image
from smern_ros.models.masked import COORDINATES, means_of_seen


class SpatialAttention(nn.Module):
    """Attention over the positions of the feature map, several heads (eq. 2 to 6)."""

    def __init__(self, channels: int, size: int, heads: int):
        super().__init__()
        self.represent = nn.Linear(channels, size)           # W, b of eq. 2
        self.score = nn.Linear(size, heads, bias=False)      # U of eq. 3

    def forward(self, a: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """
        :param a: (B, L, C) the vectors of eq. 1.
        :param valid: (B, L) bool; other positions get no weight. At least one a sample.
        :return: v_s (B, H*C), eq. 6, and the weights (B, H, L), eq. 5.
        """
        y = torch.tanh(self.represent(a))                                      # (B, L, F)   eq. 2
        e = self.score(y).transpose(1, 2)                                      # (B, H, L)   eq. 3, 4
        alpha = e.masked_fill(~valid[:, None], float('-inf')).softmax(dim=-1)  # (B, H, L)   eq. 5
        return (alpha @ a).flatten(1), alpha                                   # (B, H*C)    eq. 6


class SMACN(nn.Module):
    """Skeleton sequence -> five convolutions -> spatial attention -> emotion.

    The sequence is an image of T frames x V joint coordinates. Hidden joints and padding are zero, and set to zero
    after each convolution, so they have no effect on visible joints.

    Not in the paper: with a `stride`, each step reads the mean of so many frames, which the low-pass filter has made
    similar; `coordinates` is one of `smern_ros.models.coordinates.CHOICES`.
    """

    INPUTS = ('skeleton', 'visible')

    @dataclass(frozen=True)
    class Config:
        joints: int = 10
        first_channels: int = 128
        channels: int = 256
        units: int = 4
        heads: int = 6             # H
        attention_size: int = 224  # F
        out: int = 256
        labels: int = 4
        dropout: float = 0.5
        stride: int = 1            # frames averaged to one step
        coordinates: str = field(default=ALIKE, metadata={'choices': CHOICES})

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        inputs = [config.first_channels] + [config.channels] * (config.units - 1)
        self.first = first_convolution(
            nn.Conv2d, config.coordinates, COORDINATES * config.joints, config.first_channels, (3, 3)
        )
        self.units = nn.ModuleList(nn.Conv2d(c, config.channels, (3, 1), padding=(1, 0)) for c in inputs)
        self.attention = SpatialAttention(config.channels, config.attention_size, config.heads)
        self.fc = nn.Linear(config.heads * config.channels, config.out)
        self.output = nn.Linear(config.out, config.labels)
        self.dropout = nn.Dropout(config.dropout)

    def attend(self, x: torch.Tensor, visible: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The emotional vector v_s of eq. 6 and the attention map of each head.

        :param x: (B, T, V) with V = 3 x joints, x y z of each joint in turn; hidden joints are not read.
        :param visible: (B, T, joints) bool; false for hidden joints and padding; at least one true per sample.
        :return: (B, H*C), (B, H, T', V')
        """
        check_shape('x', x, None, None, COORDINATES * self.config.joints)
        check_shape('visible', visible, *x.shape[:2], self.config.joints)
        if not bool(visible.flatten(1).any(dim=1).all()):
            raise ValueError('a sample has no visible joint; leave the skeleton out instead')
        hidden = ~visible.repeat_interleave(COORDINATES, dim=2)                # (B, T, V)
        shown, visible = means_of_seen(self.config.stride, x.masked_fill(hidden, 0.0), visible)
        seen = visible.repeat_interleave(COORDINATES, dim=2)[:, None]          # (B, 1, T, V)
        maps = image(shown, self.config.coordinates)                           # (B, 1, T, V), V channels apart
        maps = _relu_where(self.first(maps), seen)                             # (B, 128, T, V)
        for unit in self.units:
            maps = _relu_where(unit(maps), seen)                               # (B, 256, t, v)
            # After the ReLU no value is negative, so the zeros of hidden joints never exceed visible ones.
            maps = functional.max_pool2d(maps, 2, ceil_mode=True)              # (B, 256, t/2, v/2)
            seen = functional.max_pool2d(seen.float(), 2, ceil_mode=True) > 0  # (B, 1, t/2, v/2)
        a = maps.flatten(2).transpose(1, 2)                                    # (B, L, C)   eq. 1
        v_s, alpha = self.attention(a, seen.flatten(1))                        # (B, H*C), (B, H, L)
        return v_s, alpha.unflatten(2, maps.shape[2:])                         # (B, H, T', V')

    def features(self, x: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """:return: (B, 256), the skeleton's representation in SMERN. Parameters as of `attend`."""
        v_s, _ = self.attend(x, visible)                                       # (B, 1536)
        return functional.relu(self.fc(self.dropout(v_s)))                     # (B, 256)

    def forward(self, x: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """:return: (B, 4) logits, from movement alone. Parameters as of `attend`."""
        return self.output(self.dropout(self.features(x, visible)))            # (B, 4)


def _relu_where(maps: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """ReLU, set to zero where not visible."""
    return functional.relu(maps) * seen
