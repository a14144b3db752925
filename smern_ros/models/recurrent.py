# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recurrent layers for sequences of variable length.

Packing the sequences (`pack_padded_sequence`) makes the backward pass ten times slower on a CPU. Here the padding,
which always comes last, is processed, and its outputs are ignored.
"""
from __future__ import annotations

import torch
from torch import nn


def last_state(rnn: nn.GRU | nn.LSTM, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Output of a one-way GRU or LSTM, of its last layer, after the last valid step of each sequence.

    Padding has no effect on it: it comes after.

    :param x: (B, T, D), padded at the end with anything finite.
    :param lengths: (B,) int64, 1..T.
    :return: (B, H)
    """
    states, _ = rnn(x)                                             # (B, T, H)
    return states[torch.arange(len(x), device=x.device), lengths - 1]  # (B, H)


def init_orthogonal(gru: nn.GRU) -> None:
    """Orthogonal recurrent and input weights, as in the base model [30]."""
    for name, weight in gru.named_parameters():
        if name.startswith('weight'):
            for gate in weight.data.chunk(3):
                nn.init.orthogonal_(gate)


def reverse(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The valid steps of each sequence in reverse order; the padding stays where it is.

    :param x: (B, T, D), padded at the end.
    :param lengths: (B,) int64, 1..T.
    :return: (B, T, D); reversed again it is `x`.
    """
    steps = torch.arange(x.shape[1], device=x.device)              # (T,)
    mirrored = lengths[:, None] - 1 - steps                        # (B, T)   below zero in the padding
    order = torch.where(mirrored >= 0, mirrored, steps)            # (B, T)
    return x.gather(1, order[..., None].expand_as(x))              # (B, T, D)


class BiLSTM(nn.Module):
    """One-layer LSTM in both directions. The backward one starts at the last valid step and reads no padding."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.ahead = nn.LSTM(inputs, hidden, batch_first=True)
        self.back = nn.LSTM(inputs, hidden, batch_first=True)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """
        :param x: (B, T, D), padded at the end with anything finite.
        :param lengths: (B,) int64, 1..T.
        :return: (B, T, 2*H), finite but without meaning in the padding.
        """
        ahead, _ = self.ahead(x)                                   # (B, T, H)
        back, _ = self.back(reverse(x, lengths))                   # (B, T, H)
        return torch.cat([ahead, reverse(back, lengths)], dim=2)   # (B, T, 2*H)


class DropoutGRU(nn.Module):
    """One-layer GRU with dropout on its input and its output and an orthogonal start, as in the base model [30]."""

    def __init__(self, inputs: int, hidden: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.gru = nn.GRU(inputs, hidden, batch_first=True)
        init_orthogonal(self.gru)

    def states(self, x: torch.Tensor) -> torch.Tensor:
        """:return: (B, T, H), the output at every step of `x` (B, T, D)."""
        states, _ = self.gru(self.dropout(x))                      # (B, T, H)
        return self.dropout(states)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """:return: (B, H), the output after the last valid step. Parameters as of `last_state`."""
        return self.dropout(last_state(self.gru, self.dropout(x), lengths))
