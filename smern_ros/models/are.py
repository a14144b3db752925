# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Audio Recurrent Encoder (paper, section III-C; base model [30])."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.models.checks import check_config, check_lengths, check_shape
from smern_ros.models.recurrent import init_orthogonal, last_state


class ARE(nn.Module):
    """Computes the vector A (B, 200): a GRU over MFCC, a fully connected layer on its final state and prosody."""

    INPUTS = ('mfcc', 'mfcc_lengths', 'prosody')

    @dataclass(frozen=True)
    class Config:
        mfcc: int = 39
        prosody: int = 35
        hidden: int = 200
        out: int = 200
        labels: int = 4
        dropout: float = 0.3  # on the input and on the output of the GRU, as in [30]

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(config.dropout)
        self.gru = nn.GRU(config.mfcc, config.hidden, batch_first=True)
        self.fc = nn.Linear(config.hidden + config.prosody, config.out)
        self.output = nn.Linear(config.out, config.labels)
        init_orthogonal(self.gru)

    def features(self, mfcc: torch.Tensor, lengths: torch.Tensor, prosody: torch.Tensor) -> torch.Tensor:
        """The vector A.

        :param mfcc: (B, T, 39) normalised, padded at the end.
        :param lengths: (B,) int64, valid frames, 1..T.
        :param prosody: (B, 35) normalised.
        :return: (B, 200)
        """
        check_shape('mfcc', mfcc, None, None, self.config.mfcc)
        check_shape('prosody', prosody, len(mfcc), self.config.prosody)
        check_lengths('lengths', lengths, *mfcc.shape[:2])
        state = self.dropout(last_state(self.gru, self.dropout(mfcc), lengths))      # (B, 200)
        joint = torch.cat([state, prosody], dim=1)                            # (B, 235)
        return torch.tanh(self.fc(joint))                                     # (B, 200)

    def forward(self, mfcc: torch.Tensor, lengths: torch.Tensor, prosody: torch.Tensor) -> torch.Tensor:
        """:return: (B, 4) logits, from audio alone."""
        return self.output(self.features(mfcc, lengths, prosody))
