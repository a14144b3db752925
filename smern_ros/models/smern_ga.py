# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Skeletal movement-enhanced emotion recognition network with graph attention (paper, section III-D, fig. 3)."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import nn

from smern_ros.models.checks import check_config, check_shape
from smern_ros.models.graph_attention import GraphAttention


class Fused(NamedTuple):
    logits: torch.Tensor     # (B, 4)
    attention: torch.Tensor  # (B, K, N, N) alpha_ij of eq. 7, one a head; N is 3, or 2 without a skeleton


class SmernGA(nn.Module):
    """Second phase of SMERN-GA: from the vectors of ARE, TRE and SMACN to an emotion.

    The modalities are nodes of a graph. A missing one is masked in each softmax and zero in the output layer.
    """

    @dataclass(frozen=True)
    class Config:
        audio: int = 200
        text: int = 200
        skeleton: int = field(default=256, metadata={'least': 0})  # 0: a network without skeletons
        node: int = 128
        out: int = 64
        heads: int = 4
        labels: int = 4
        dropout: float = 0.5

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.audio = nn.Linear(config.audio, config.node)
        self.text = nn.Linear(config.text, config.node)
        self.skeleton = nn.Linear(config.skeleton, config.node) if config.skeleton else None
        self.graph = GraphAttention(GraphAttention.Config(config.node, config.out, config.heads))
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear((3 if config.skeleton else 2) * config.out, config.labels)

    def forward(
        self, audio: torch.Tensor, text: torch.Tensor, skeleton: torch.Tensor, present: torch.Tensor
    ) -> Fused:
        """
        :param audio: (B, 200) of ARE. The vector of a missing modality is not read.
        :param text: (B, 200) of TRE.
        :param skeleton: (B, 256) of SMACN; (B, 0) for a network without skeletons.
        :param present: (B, 3) bool, in the order of `smern_ros.spec.MODALITIES`; at least one true per sample.
        """
        batch = len(present)
        check_shape('present', present, None, 3)
        nodes = []
        for i, (name, vector) in enumerate((('audio', audio), ('text', text), ('skeleton', skeleton))):
            check_shape(name, vector, batch, getattr(self.config, name))
            node = getattr(self, name)
            if node is not None:
                masked = vector.masked_fill(~present[:, i, None], 0.0)
                nodes.append(node(self.dropout(masked)))                      # (B, 128)
        read = present[:, : len(nodes)]                                       # (B, N): the skeleton is the last
        out, alpha = self.graph(torch.stack(nodes, dim=1), read)              # (B, N, 64), (B, K, N, N)
        logits = self.output(self.dropout(out.flatten(1)))                    # (B, 64 N) -> (B, 4)
        return Fused(logits, alpha)
