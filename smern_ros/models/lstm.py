# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""LSTM over the skeleton sequence (paper, section IV-D, table 2)."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.models.checks import check_config
from smern_ros.models.masked import COORDINATES, hide, means_of_seen, seen_frames
from smern_ros.models.recurrent import last_state
from smern_ros.models.smacn import SMACN


class SkeletonLSTM(nn.Module):
    """LSTM of two layers of 512 units over the frames; 3,217,412 parameters, as in the paper (3217.4k).

    Our choice, not given in the paper: the classified state is that after the last frame with a visible joint; dropout
    has the rate of SMACN, between the layers and before the output layer. Hidden joints are zero.

    Not in the paper: with a `stride`, each step reads the mean of so many frames.
    """

    INPUTS = SMACN.INPUTS

    @dataclass(frozen=True)
    class Config:
        joints: int = 10
        hidden: int = 512
        layers: int = 2
        labels: int = 4
        dropout: float = 0.5
        stride: int = 1  # frames averaged to one step

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.lstm = nn.LSTM(
            COORDINATES * config.joints, config.hidden, config.layers, batch_first=True,
            dropout=config.dropout if config.layers > 1 else 0.0,  # torch warns of dropout with a single layer
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, config.labels)

    def forward(self, x: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """
        :param x: (B, T, 30), x y z of each joint in turn; what is not visible is not read.
        :param visible: (B, T, 10) bool; false for hidden joints and padding. At least one true a sample.
        :return: (B, 4) logits.
        """
        shown = hide(x, visible, self.config.joints)                   # (B, T, 30)
        shown, visible = means_of_seen(self.config.stride, shown, visible)
        state = last_state(self.lstm, shown, seen_frames(visible))     # (B, 512)
        return self.output(self.dropout(state))                        # (B, 4)
