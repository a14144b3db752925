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
    """Two layers of 512; 3,217,412 parameters, the paper's 3217.4k.

    The paper is silent on what is classified and on dropout: the state after the last frame in which a joint is
    visible, and SMACN's rate, between the layers and before the output layer. Hidden joints are zero.

    Ours: with a `stride` the mean of so many frames is read as one.
    """

    INPUTS = SMACN.INPUTS

    @dataclass(frozen=True)
    class Config:
        joints: int = 10
        hidden: int = 512
        layers: int = 2
        labels: int = 4
        dropout: float = 0.5
        stride: int = 1  # frames that are read as one

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.lstm = nn.LSTM(
            COORDINATES * config.joints, config.hidden, config.layers, batch_first=True,
            dropout=config.dropout if config.layers > 1 else 0.0,  # torch warns of dropout where nothing is between
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
