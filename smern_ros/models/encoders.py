# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""First phase of SMERN and SMERN-GA: the three encoders as parts of a larger network (paper, section III-C)."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import nn

from smern_ros.models.are import ARE
from smern_ros.models.checks import check_config
from smern_ros.models.smacn import SMACN
from smern_ros.models.tre import TRE

Encoder = TypeVar('Encoder', ARE, TRE, SMACN)


def without_output(encoder: Encoder) -> Encoder:
    """`encoder` with nothing but `features`: in a larger network nothing would train an output layer of its own."""
    del encoder.output
    return encoder


class Encoders(nn.Module):
    """MFCC, prosody, words and movement -> the vectors A, T and v_s.

    The weights of an encoder that was trained alone fit in: `encoders.are.load_state_dict(are.state_dict(),
    strict=False)`.
    """

    INPUTS = (*ARE.INPUTS, *TRE.INPUTS, *SMACN.INPUTS)

    @dataclass(frozen=True)
    class Config:
        mfcc: int = 39
        prosody: int = 35
        words: int = 3747     # rows of the embedding, padding and unknown words included
        embedding: int = 300
        hidden: int = 200     # of both GRUs
        audio: int = 200      # size of A
        text: int = 200       # size of T
        dropout_audio: float = 0.3
        dropout_text: float = 0.7
        smacn: SMACN.Config = field(default_factory=SMACN.Config)

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.are = without_output(ARE(ARE.Config(
            mfcc=config.mfcc, prosody=config.prosody, hidden=config.hidden, out=config.audio,
            dropout=config.dropout_audio,
        )))
        self.tre = without_output(TRE(TRE.Config(
            words=config.words, embedding=config.embedding, hidden=config.hidden, out=config.text,
            dropout=config.dropout_text,
        )))
        self.smacn = without_output(SMACN(config.smacn))

    def forward(
        self,
        mfcc: torch.Tensor,
        mfcc_lengths: torch.Tensor,
        prosody: torch.Tensor,
        words: torch.Tensor,
        word_lengths: torch.Tensor,
        skeleton: torch.Tensor,
        visible: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Parameters as of the `features` of ARE, TRE and SMACN.

        :return: (B, 200), (B, 200), (B, 256)
        """
        return (
            self.are.features(mfcc, mfcc_lengths, prosody),
            self.tre.features(words, word_lengths),
            self.smacn.features(skeleton, visible),
        )
