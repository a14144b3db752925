"""Skeletal movement-enhanced emotion recognition network with graph attention (paper, section III-D, fig. 3)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from smern_ros.models.checks import check_config, check_shape
from smern_ros.models.graph_attention import GraphAttention


class Fused(NamedTuple):
    logits: torch.Tensor     # (B, 4)
    attention: torch.Tensor  # (B, K, 3, 3) alpha_ij of eq. 7, one a head


class SmernGA(nn.Module):
    """Second phase of SMERN-GA: from the vectors of ARE, TRE and SMACN to an emotion.

    The modalities are nodes of a graph. A missing one is left out of every softmax and is zero in the output layer.
    """

    @dataclass(frozen=True)
    class Config:
        audio: int = 200
        text: int = 200
        skeleton: int = 256
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
        self.skeleton = nn.Linear(config.skeleton, config.node)
        self.graph = GraphAttention(GraphAttention.Config(config.node, config.out, config.heads))
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(3 * config.out, config.labels)

    def forward(
        self, audio: torch.Tensor, text: torch.Tensor, skeleton: torch.Tensor, present: torch.Tensor
    ) -> Fused:
        """
        :param audio: (B, 200) of ARE. What stands for a missing modality is not read.
        :param text: (B, 200) of TRE.
        :param skeleton: (B, 256) of SMACN.
        :param present: (B, 3) bool, in the order of `smern_ros.spec.MODALITIES`; at least one true a sample.
        """
        batch = len(present)
        check_shape('present', present, None, 3)
        nodes = []
        for i, (name, vector) in enumerate((('audio', audio), ('text', text), ('skeleton', skeleton))):
            check_shape(name, vector, batch, getattr(self.config, name))
            known = vector.masked_fill(~present[:, i, None], 0.0)
            nodes.append(getattr(self, name)(self.dropout(known)))            # (B, 128)
        out, alpha = self.graph(torch.stack(nodes, dim=1), present)           # (B, 3, 64), (B, K, 3, 3)
        logits = self.output(self.dropout(out.flatten(1)))                    # (B, 192) -> (B, 4)
        return Fused(logits, alpha)
