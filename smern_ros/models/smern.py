# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Skeletal movement-enhanced emotion recognition network (paper, section III-C, fig. 2)."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from smern_ros.models.checks import check_shape
from smern_ros.models.encoders import Encoders


class SMERN(nn.Module):
    """ARE, TRE and SMACN; a layer halves each of their vectors, and the output layer reads them concatenated.

    Our choice, not given in the paper: the halving layers have ReLU, and dropout with the rate of SMACN at the same
    places as in our SMERN-GA, so that the two differ in the fusion alone. Both phases are trained together.
    """

    INPUTS = Encoders.INPUTS

    @dataclass(frozen=True)
    class Config(Encoders.Config):
        labels: int = 4
        dropout: float = 0.5

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        sizes = (config.audio, config.text, config.smacn.out)
        self.encoders = Encoders(config)
        self.audio, self.text, self.skeleton = (nn.Linear(size, size // 2) for size in sizes)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(sum(size // 2 for size in sizes), config.labels)

    def fuse(self, audio: torch.Tensor, text: torch.Tensor, skeleton: torch.Tensor) -> torch.Tensor:
        """The second phase alone.

        :param audio: (B, 200) of ARE.
        :param text: (B, 200) of TRE.
        :param skeleton: (B, 256) of SMACN.
        :return: (B, 4) logits.
        """
        halves = []
        for name, vector in (('audio', audio), ('text', text), ('skeleton', skeleton)):
            layer = getattr(self, name)
            check_shape(name, vector, len(audio), layer.in_features)
            halves.append(functional.relu(layer(self.dropout(vector))))        # (B, 100), (B, 100), (B, 128)
        return self.output(self.dropout(torch.cat(halves, dim=1)))             # (B, 328) -> (B, 4)

    def forward(self, *features: torch.Tensor) -> torch.Tensor:
        """:return: (B, 4) logits. Parameters as of `Encoders`, in the order of INPUTS."""
        return self.fuse(*self.encoders(*features))
