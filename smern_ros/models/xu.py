# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Attention-based alignment of speech and text of Xu et al. [33], with prosody and movement (paper, section IV-D)."""
from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from smern_ros.models.checks import check_config, check_sequences, check_shape
from smern_ros.models.encoders import Encoders, without_output
from smern_ros.models.initial import attention, word_embedding
from smern_ros.models.masked import within
from smern_ros.models.recurrent import BiLSTM
from smern_ros.models.smacn import SMACN


class Xu(nn.Module):
    """Attention aligns speech with each word; a BiLSTM over both, the maximum over the words, and an output layer.

    The paper describes the alignment, the BiLSTM and the maximum; sizes, the layer before the speech encoder, eight
    heads and the dropout rate are those of a public implementation by the authors of [33], whose recurrent layers are
    GRUs. Here all are LSTMs, as the multimodal one in the paper's text. Our choice: dropout on the embedded words, the
    dense layer and the input of the output layer, and attention without bias.
    """

    INPUTS = Encoders.INPUTS

    @dataclass(frozen=True)
    class Config:
        mfcc: int = 39
        prosody: int = 35
        words: int = 3747     # rows of the embedding, padding and unknown words included
        embedding: int = 300
        dense: int = 512      # before the speech encoder
        hidden: int = 100     # of each direction of each BiLSTM; its double is a multiple of heads
        heads: int = 8
        labels: int = 4
        dropout: float = 0.5
        smacn: SMACN.Config = field(default_factory=SMACN.Config)

        def __post_init__(self):
            check_config(self)
            if 2 * self.hidden % self.heads:
                raise ValueError(f'Xu.Config: hidden is {self.hidden}; twice it is no multiple of heads, {self.heads}')

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        both = 2 * config.hidden
        self.dense = nn.Linear(config.mfcc, config.dense)
        self.speech_encoder = BiLSTM(config.dense, config.hidden)
        self.embedding = word_embedding(config.words, config.embedding)
        self.text_encoder = BiLSTM(config.embedding, config.hidden)
        self.alignment = attention(both, config.heads)
        self.multimodal = BiLSTM(2 * both, config.hidden)
        self.smacn = without_output(SMACN(config.smacn))
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(both + config.prosody + config.smacn.out, config.labels)

    def forward(
        self,
        mfcc: torch.Tensor,
        mfcc_lengths: torch.Tensor,
        prosody: torch.Tensor,
        words: torch.Tensor,
        word_lengths: torch.Tensor,
        skeleton: torch.Tensor,
        visible: torch.Tensor,
    ) -> torch.Tensor:
        """:return: (B, 4) logits. Parameters as of MDRE's `forward` and SMACN's `features`."""
        check_shape('prosody', prosody, len(mfcc), self.config.prosody)
        check_sequences(mfcc, mfcc_lengths, words, word_lengths, self.config.mfcc)
        dense = self.dropout(functional.relu(self.dense(mfcc)))                           # (B, T, 512)
        speech = self.speech_encoder(dense, mfcc_lengths)                                 # (B, T, 200)
        text = self.text_encoder(self.dropout(self.embedding(words)), word_lengths)       # (B, N, 200)
        is_frame, is_word = within(mfcc_lengths, mfcc.shape[1]), within(word_lengths, words.shape[1])
        aligned, _ = self.alignment(text, speech, speech, key_padding_mask=~is_frame, need_weights=False)
        joint = self.multimodal(torch.cat([aligned, text], dim=2), word_lengths)          # (B, N, 400) -> (B, N, 200)
        pooled = joint.masked_fill(~is_word[..., None], float('-inf')).amax(dim=1)        # (B, 200)
        parts = [pooled, prosody, self.smacn.features(skeleton, visible)]
        return self.output(self.dropout(torch.cat(parts, dim=1)))                         # (B, 491) -> (B, 4)
