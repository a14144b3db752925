# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Multi-head graph attention over the modalities (paper, section III-D, eq. 7 and 8)."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from smern_ros.models.checks import check_config, check_shape
from smern_ros.models.initial import xavier_

LEAK = 0.2
"""Negative slope of the LeakyReLU, as in graph attention networks [35]."""


class GraphAttention(nn.Module):
    """Attention of each present node to all present nodes, itself included; the mean over the heads (eq. 7 and 8)."""

    @dataclass(frozen=True)
    class Config:
        inputs: int = 128  # F_in
        out: int = 64      # F_out
        heads: int = 4     # K

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.weight = nn.Parameter(torch.empty(config.heads, config.inputs, config.out))  # W^k of eq. 7, transposed
        self.from_node = nn.Parameter(torch.empty(config.heads, config.out))              # first half of a
        self.to_node = nn.Parameter(torch.empty(config.heads, config.out))                # second half of a
        self.bias = nn.Parameter(torch.zeros(config.out))                                 # b of eq. 8
        xavier_(self.weight, config.inputs, config.out)
        for half in (self.from_node, self.to_node):
            xavier_(half, 2 * config.out, 1)  # a maps the W v of two nodes to one score

    def forward(self, nodes: torch.Tensor, present: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """
        :param nodes: (B, N, 128) the vectors v_i; those not present must be finite and have no effect.
        :param present: (B, N) bool, at least one true a sample.
        :return: v'_i (B, N, 64), zero for nodes not present; attention alpha_ij (B, K, N, N): row i sums
            to 1 over the present j if i is present, all else is zero.
        """
        check_shape('nodes', nodes, None, None, self.config.inputs)
        check_shape('present', present, *nodes.shape[:2])
        if not bool(present.any(dim=1).all()):
            raise ValueError('a sample has no present node; at least one modality is needed')
        h = torch.einsum('bni,kio->bkno', nodes, self.weight)                 # (B, K, N, 64)  W v
        # a^T [W v_i || W v_j] is a sum of a part of i and a part of j.
        source = (h * self.from_node[:, None]).sum(-1)                        # (B, K, N)
        target = (h * self.to_node[:, None]).sum(-1)                          # (B, K, N)
        score = functional.leaky_relu(source[..., :, None] + target[..., None, :], LEAK)  # (B, K, N, N)
        score = score.masked_fill(~present[:, None, None, :], float('-inf'))
        alpha = score.softmax(dim=-1) * present[:, None, :, None]             # (B, K, N, N)   eq. 7
        mixed = (alpha @ h).mean(dim=1)                                       # (B, N, 64)     1/K sum over k
        out = functional.elu(mixed + self.bias)                               # (B, N, 64)     eq. 8
        return out * present[..., None], alpha
