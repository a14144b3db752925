# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""LSTM with attention over the skeleton sequence (paper, section IV-D, table 2)."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.models.checks import check_config
from smern_ros.models.masked import COORDINATES, hide, means_of_seen, seen_frames, within
from smern_ros.models.smacn import SMACN


class SkeletonLSTMAttention(nn.Module):
    """LSTM of 512 units with five attention heads over the frames; 1,126,916 parameters, as in the paper (1126.9k).

    The paper states that the outputs of all steps are weighted and summed. Five vectors of 512, each with its own
    weighted sum, and an output layer over all five give its count exactly. Our choice, not given in the paper: the
    score is the dot product of vector and output; dropout has the rate of SMACN, before the output layer. Hidden
    joints are zero.

    Not in the paper: with a `stride`, each step reads the mean of so many frames.
    """

    INPUTS = SMACN.INPUTS

    @dataclass(frozen=True)
    class Config:
        joints: int = 10
        hidden: int = 512
        layers: int = 1
        heads: int = 5
        labels: int = 4
        dropout: float = 0.5
        stride: int = 1  # frames averaged to one step

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.lstm = nn.LSTM(COORDINATES * config.joints, config.hidden, config.layers, batch_first=True)
        self.score = nn.Linear(config.hidden, config.heads, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.heads * config.hidden, config.labels)

    def forward(self, x: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """
        :param x: (B, T, 30), x y z of each joint in turn; what is not visible is not read.
        :param visible: (B, T, 10) bool; false for hidden joints and padding. At least one true a sample.
        :return: (B, 4) logits.
        """
        shown = hide(x, visible, self.config.joints)                            # (B, T, 30)
        shown, visible = means_of_seen(self.config.stride, shown, visible)
        states, _ = self.lstm(shown)                                            # (B, T, 512)
        valid = within(seen_frames(visible), shown.shape[1])                    # (B, T)
        score = self.score(states).masked_fill(~valid[..., None], float('-inf'))
        alpha = score.softmax(dim=1).transpose(1, 2)                            # (B, 5, T)
        summed = (alpha @ states).flatten(1)                                    # (B, 2560)
        return self.output(self.dropout(summed))                                # (B, 4)
