# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Both phases of SMERN-GA as one network (paper, section III-D, fig. 3), for the experiments."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.models.encoders import Encoders
from smern_ros.models.smern_ga import SmernGA


class WholeSmernGA(nn.Module):
    """ARE, TRE and SMACN, and the graph attention over their vectors.

    `encoders.are`, `encoders.tre`, `encoders.smacn` and `fusion` are the networks of a checkpoint, the encoders without
    output layers of their own.
    """

    INPUTS = Encoders.INPUTS

    @dataclass(frozen=True)
    class Config(Encoders.Config):
        node: int = 128
        out: int = 64
        heads: int = 4
        labels: int = 4
        dropout: float = 0.5

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.encoders = Encoders(config)
        self.fusion = SmernGA(SmernGA.Config(
            audio=config.audio, text=config.text, skeleton=config.smacn.out, node=config.node, out=config.out,
            heads=config.heads, labels=config.labels, dropout=config.dropout,
        ))

    def fuse(self, audio: torch.Tensor, text: torch.Tensor, skeleton: torch.Tensor) -> torch.Tensor:
        """The second phase alone, with every modality present. Parameters and what it returns as of `SMERN.fuse`."""
        present = torch.ones(len(audio), 3, dtype=torch.bool, device=audio.device)
        return self.fusion(audio, text, skeleton, present).logits              # (B, 4)

    def forward(self, *features: torch.Tensor) -> torch.Tensor:
        """:return: (B, 4) logits. Parameters as of `Encoders`, in the order of INPUTS."""
        return self.fuse(*self.encoders(*features))
