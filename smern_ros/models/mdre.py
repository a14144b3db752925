# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Multimodal dual recurrent encoder (paper, section III-C; base model [30])."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.models.are import ARE
from smern_ros.models.checks import check_config, check_sequences, check_shape
from smern_ros.models.initial import word_embedding
from smern_ros.models.recurrent import DropoutGRU
from smern_ros.models.tre import TRE


class MDRE(nn.Module):
    """A GRU each over MFCC and words; layers halve the final states (MFCC with prosody); an output layer reads both.

    The paper gives no sizes: 235 -> 117, 200 -> 100 and 217 -> 4 are those of the published code of [30], and so is
    that the halving layers are linear, without activation.
    """

    INPUTS = (*ARE.INPUTS, *TRE.INPUTS)

    @dataclass(frozen=True)
    class Config:
        mfcc: int = 39
        prosody: int = 35
        words: int = 3747     # rows of the embedding, padding and unknown words included
        embedding: int = 300
        hidden: int = 200
        labels: int = 4
        dropout_audio: float = 0.3  # on the input and on the output of each GRU, as in [30]
        dropout_text: float = 0.7

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        audio, text = config.hidden + config.prosody, config.hidden
        self.embedding = word_embedding(config.words, config.embedding)
        self.audio_encoder = DropoutGRU(config.mfcc, config.hidden, config.dropout_audio)
        self.text_encoder = DropoutGRU(config.embedding, config.hidden, config.dropout_text)
        self.audio = nn.Linear(audio, audio // 2)
        self.text = nn.Linear(text, text // 2)
        self.output = nn.Linear(audio // 2 + text // 2, config.labels)

    def forward(
        self,
        mfcc: torch.Tensor,
        mfcc_lengths: torch.Tensor,
        prosody: torch.Tensor,
        words: torch.Tensor,
        word_lengths: torch.Tensor,
    ) -> torch.Tensor:
        """
        :param mfcc: (B, T, 39) normalised, padded at the end.
        :param mfcc_lengths: (B,) int64, valid frames, 1..T.
        :param prosody: (B, 35) normalised.
        :param words: (B, N) int64 rows of the vocabulary, padded at the end with any of them.
        :param word_lengths: (B,) int64, valid words, 1..N.
        :return: (B, 4) logits.
        """
        check_shape('prosody', prosody, len(mfcc), self.config.prosody)
        check_sequences(mfcc, mfcc_lengths, words, word_lengths, self.config.mfcc)
        audio_state = self.audio_encoder(mfcc, mfcc_lengths)                   # (B, 200)
        text_state = self.text_encoder(self.embedding(words), word_lengths)    # (B, 200)
        audio = self.audio(torch.cat([audio_state, prosody], dim=1))           # (B, 235) -> (B, 117)
        text = self.text(text_state)                                           # (B, 100)
        return self.output(torch.cat([audio, text], dim=1))                    # (B, 217) -> (B, 4)
