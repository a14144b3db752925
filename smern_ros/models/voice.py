# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Audio encoder of the shipped checkpoints: linear layers on a pretrained speech encoder, MFCC and prosody."""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.models.checks import check_config, check_lengths, check_shape
from smern_ros.models.masked import mean_and_deviation


class Voice(nn.Module):
    """Computes the vector A (B, 32): a linear layer on speech features, mean and deviation of MFCC, and prosody.

    Not in the paper; replaces its ARE. The first four numbers are the log of the mean probability of an ensemble (a
    linear opinion pool), whose members are trained on different corpora or people; it is less confident where they
    disagree. Without speech features another layer is used, trained on the rest alone.
    `smern_ros.training.audio.audio_trainer` fits the layers, which are convex problems without dropout.
    """

    INPUTS = ('mfcc', 'mfcc_lengths', 'prosody', 'speech')

    @dataclass(frozen=True)
    class Config:
        mfcc: int = 39
        prosody: int = 35
        speech: int = 768
        out: int = 32
        labels: int = 4
        members: int = 1  # of the ensemble

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        acoustic = 2 * config.mfcc + config.prosody
        rows = config.out + (config.members - 1) * config.labels
        self.whole = nn.Linear(config.speech + acoustic, rows)
        self.acoustic = nn.Linear(acoustic, rows)
        self.output = nn.Linear(config.out, config.labels)

    def features(
        self, mfcc: torch.Tensor, lengths: torch.Tensor, prosody: torch.Tensor, speech: torch.Tensor
    ) -> torch.Tensor:
        """The vector A.

        :param mfcc: (B, T, 39) normalised, padded at the end.
        :param lengths: (B,) int64, valid frames, 1..T.
        :param prosody: (B, 35) normalised.
        :param speech: (B, 768) normalised; all zero if missing.
        :return: (B, 32)
        """
        whole = self.joined(mfcc, lengths, prosody, speech)                            # (B, 881)
        acoustic = self.acoustic(whole[:, self.config.speech :])                       # (B, 4 M + 28)
        return self._pool_members(torch.where(speech.any(dim=1, keepdim=True), self.whole(whole), acoustic))

    def _pool_members(self, rows: torch.Tensor) -> torch.Tensor:
        """(B, 4 M + 28) -> (B, 32): the logits of M members become one, scaled to the mean size of the members'."""
        members, labels = self.config.members, self.config.labels
        logits = rows[:, : members * labels].unflatten(1, (members, labels))           # (B, M, 4)
        size = logits.logsumexp(dim=2, keepdim=True)                                   # (B, M, 1)
        pooled = (logits - size).logsumexp(dim=1) - math.log(members) + size.mean(dim=1)
        return torch.cat([pooled, rows[:, members * labels :]], dim=1)

    def joined(
        self, mfcc: torch.Tensor, lengths: torch.Tensor, prosody: torch.Tensor, speech: torch.Tensor
    ) -> torch.Tensor:
        """(B, 881) input of the layers: speech, mean and deviation of MFCC, prosody. Parameters as of `features`."""
        check_shape('mfcc', mfcc, None, None, self.config.mfcc)
        check_shape('prosody', prosody, len(mfcc), self.config.prosody)
        check_shape('speech', speech, len(mfcc), self.config.speech)
        check_lengths('lengths', lengths, *mfcc.shape[:2])
        return torch.cat([speech, mean_and_deviation(mfcc, lengths), prosody], dim=1)

    def forward(
        self, mfcc: torch.Tensor, lengths: torch.Tensor, prosody: torch.Tensor, speech: torch.Tensor
    ) -> torch.Tensor:
        """:return: (B, 4) logits, from audio alone."""
        return self.output(self.features(mfcc, lengths, prosody, speech))
