# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""CNN over the motion capture of face, head and hands [49] (paper, section IV-D, table 1)."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from smern_ros.models.checks import check_config, check_shape

CHANNELS = (32, 64, 64, 128, 128)


class MocapCNN(nn.Module):
    """Five convolutions of 3x3 with stride 2, each followed by dropout and ReLU; a layer of 256; 1,654,724 parameters.

    The layers are those of the published code of [49]; the paper only names them. Where that pads the
    end of an even side ("same" of its library), this pads one on every side, which gives the same sizes.
    """

    INPUTS = ('mocap',)

    @dataclass(frozen=True)
    class Config:
        frames: int = 200  # equal parts of the utterance, whatever its duration
        values: int = 189  # 165 of the face, 18 of the hands, 6 of the head
        hidden: int = 256
        labels: int = 4
        dropout: float = 0.2

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
            for inputs, outputs in zip((1, *CHANNELS), CHANNELS, strict=False)
        )
        height, width = (-(-size // 2 ** len(CHANNELS)) for size in (config.frames, config.values))
        self.fc = nn.Linear(CHANNELS[-1] * height * width, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, config.labels)

    def forward(self, mocap: torch.Tensor) -> torch.Tensor:
        """
        :param mocap: (B, 200, 189) normalised; zero where a marker is lost.
        :return: (B, 4) logits.
        """
        check_shape('mocap', mocap, None, self.config.frames, self.config.values)
        image = mocap[:, None]                                                 # (B, 1, 200, 189)
        for convolution in self.convolutions:
            image = functional.relu(self.dropout(convolution(image)))          # (B, C, h/2, w/2)
        hidden = functional.relu(self.fc(self.dropout(image.flatten(1))))      # (B, 5376) -> (B, 256)
        return self.output(self.dropout(hidden))                               # (B, 4)
