# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Three-dimensional CNN over the skeleton sequence (paper, section IV-D, table 2)."""
from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from smern_ros.models.checks import check_config
from smern_ros.models.coordinates import ALIKE, CHOICES, first_convolution, image
from smern_ros.models.masked import COORDINATES, hide, max_pool, mean_of_seen, means_of_seen, relu_conv
from smern_ros.models.smacn import SMACN

KERNELS = ((3, 3, 3), (3, 3, 1), (5, 1, 1), (5, 1, 1))
"""Frames, joints and coordinates that each convolution spans."""


class Skeleton3DCNN(nn.Module):
    """Four convolutions of 256 channels over frames, joints and coordinates, each followed by max-pooling.

    The paper gives the channels and the count, 1350.4k, which no natural choice of kernels meets exactly. This one
    has 1,352,068 parameters, 0.1 % more: the kernels above, max-pooling of 2x2x1 that keeps the three coordinates
    apart, the mean of each over visible positions, and a layer of 128 before the output layer. Dropout, not given in
    the paper, is that of SMACN. As there, hidden joints and padding are set to zero after each convolution.

    Not in the paper: with a `stride`, each step reads the mean of so many frames, which the low-pass filter has made
    similar; `coordinates` is one of `smern_ros.models.coordinates.CHOICES`.
    """

    INPUTS = SMACN.INPUTS

    @dataclass(frozen=True)
    class Config:
        joints: int = 10
        channels: int = 256
        hidden: int = 128
        labels: int = 4
        dropout: float = 0.5
        stride: int = 1  # frames averaged to one step
        coordinates: str = field(default=ALIKE, metadata={'choices': CHOICES})

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        columns, channels = COORDINATES * config.joints, config.channels
        self.convolutions = nn.ModuleList([
            first_convolution(nn.Conv3d, config.coordinates, columns, channels, KERNELS[0]),
            *(nn.Conv3d(channels, channels, (t, j, k), padding=(t // 2, j // 2, k // 2)) for t, j, k in KERNELS[1:]),
        ])
        self.fc = nn.Linear(COORDINATES * config.channels, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, config.labels)

    def forward(self, x: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """
        :param x: (B, T, 30), x y z of each joint in turn; what is not visible is not read.
        :param visible: (B, T, 10) bool; false for hidden joints and padding. At least one true a sample.
        :return: (B, 4) logits.
        """
        shown = hide(x, visible, self.config.joints)                           # (B, T, 30)
        shown, visible = means_of_seen(self.config.stride, shown, visible)
        maps = image(shown, self.config.coordinates)                           # (B, 1, T, 30), 30 channels apart
        maps = maps.unflatten(3, (-1, COORDINATES))                            # (B, 1, T, 10, 3)
        seen = visible[:, None, ..., None].expand(maps[:, :1].shape)           # (B, 1, T, 10, 3)
        for convolution in self.convolutions:
            maps = relu_conv(convolution, maps, seen)                          # (B, 256, t, j, 3)
            maps, seen = max_pool(maps, seen, (2, 2, 1))                       # (B, 256, t/2, j/2, 3)
        pooled = mean_of_seen(maps, seen, (2, 3)).flatten(1)                   # (B, 768)
        hidden = functional.relu(self.fc(self.dropout(pooled)))                # (B, 128)
        return self.output(self.dropout(hidden))                               # (B, 4)
