# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional CNN over the skeleton sequence (paper, section IV-D, table 2)."""
from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from smern_ros.models.checks import check_config
from smern_ros.models.coordinates import ALIKE, CHOICES, first_convolution, image
from smern_ros.models.masked import COORDINATES, hide, max_pool, mean_of_seen, means_of_seen, relu_conv
from smern_ros.models.smacn import SMACN


class SkeletonCNN(nn.Module):
    """Four convolutions of 64, 128, 256 and 512 channels over frames and coordinates, each followed by max-pooling.

    The paper gives the channels and the count, 940.8k, which no natural choice of kernels meets exactly. This one has
    928,900 parameters, 1.3 % fewer: one convolution of 5x5 over frames and coordinates, three of 5x1 over frames, as
    in our SMACN, 2x2 max-pooling, the mean over visible positions, and a layer of 128 before the output layer. Dropout,
    not given in the paper, is that of SMACN. As there, hidden joints and padding are zero after each convolution.

    Not in the paper: with a `stride`, each step reads the mean of so many frames, which the low-pass filter has made
    similar; `coordinates` is one of `smern_ros.models.coordinates.CHOICES`.
    """

    INPUTS = SMACN.INPUTS

    @dataclass(frozen=True)
    class Config:
        joints: int = 10
        first_channels: int = 64  # doubled from layer to layer
        layers: int = 4
        kernel: int = 5           # odd, so that the sequence keeps its length
        hidden: int = 128
        labels: int = 4
        dropout: float = 0.5
        stride: int = 1           # frames averaged to one step
        coordinates: str = field(default=ALIKE, metadata={'choices': CHOICES})

        def __post_init__(self):
            check_config(self)
            if self.kernel % 2 == 0:
                raise ValueError(f'SkeletonCNN.Config: kernel is {self.kernel}; it must be odd')

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        channels = [config.first_channels * 2**i for i in range(config.layers)]
        size, edge = config.kernel, config.kernel // 2
        self.convolutions = nn.ModuleList([
            first_convolution(
                nn.Conv2d, config.coordinates, COORDINATES * config.joints, channels[0], (size, size)
            ),
            *(nn.Conv2d(c, 2 * c, (size, 1), padding=(edge, 0)) for c in channels[:-1]),
        ])
        self.fc = nn.Linear(channels[-1], config.hidden)
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
        seen = visible.repeat_interleave(COORDINATES, dim=2)[:, None]          # (B, 1, T, 30)
        for convolution in self.convolutions:
            maps = relu_conv(convolution, maps, seen)                          # (B, C, t, v)
            maps, seen = max_pool(maps, seen, (2, 2))                          # (B, C, t/2, v/2)
        pooled = mean_of_seen(maps, seen, (2, 3))                              # (B, 512)
        hidden = functional.relu(self.fc(self.dropout(pooled)))                # (B, 128)
        return self.output(self.dropout(hidden))                               # (B, 4)
