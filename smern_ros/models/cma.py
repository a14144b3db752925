# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cross-modal attention between audio and text [32], with prosody and movement (paper, section IV-D)."""
from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn

from smern_ros.models.checks import check_config, check_sequences, check_shape
from smern_ros.models.encoders import Encoders, without_output
from smern_ros.models.initial import attention, word_embedding
from smern_ros.models.masked import within
from smern_ros.models.recurrent import DropoutGRU
from smern_ros.models.smacn import SMACN

LEAST_VARIANCE = 1e-6
"""Keeps the gradient of the standard deviation finite for constant values, as of a single word."""


class CMA(nn.Module):
    """Attention of audio to text and of text to audio; an output layer on statistics of both, prosody and SMACN.

    No code of [32] is published, and the paper describes the two attention modules and the pooling only. Our choice:
    the encoders of the base model [30] (a GRU of 200 each, with its dropout), four heads as in the paper's graph
    attention, no bias in the attention (that of the keys has no effect), and dropout with the rate of SMACN before the
    output layer.
    """

    INPUTS = Encoders.INPUTS

    @dataclass(frozen=True)
    class Config:
        mfcc: int = 39
        prosody: int = 35
        words: int = 3747     # rows of the embedding, padding and unknown words included
        embedding: int = 300
        hidden: int = 200     # of both GRUs; a multiple of heads
        heads: int = 4
        labels: int = 4
        dropout_audio: float = 0.3
        dropout_text: float = 0.7
        dropout: float = 0.5
        smacn: SMACN.Config = field(default_factory=SMACN.Config)

        def __post_init__(self):
            check_config(self)
            if self.hidden % self.heads:
                raise ValueError(f'CMA.Config: hidden is {self.hidden}; that is no multiple of heads, {self.heads}')

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embedding = word_embedding(config.words, config.embedding)
        self.audio_encoder = DropoutGRU(config.mfcc, config.hidden, config.dropout_audio)
        self.text_encoder = DropoutGRU(config.embedding, config.hidden, config.dropout_text)
        self.audio_to_text, self.text_to_audio = (attention(config.hidden, config.heads) for _ in range(2))
        self.smacn = without_output(SMACN(config.smacn))
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(4 * config.hidden + config.prosody + config.smacn.out, config.labels)

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
        audio, is_frame = self.audio_encoder.states(mfcc), within(mfcc_lengths, mfcc.shape[1])    # (B, T, 200), (B, T)
        vectors = self.embedding(words)                                                           # (B, N, 300)
        text, is_word = self.text_encoder.states(vectors), within(word_lengths, words.shape[1])   # (B, N, 200), (B, N)
        of_audio, _ = self.audio_to_text(audio, text, text, key_padding_mask=~is_word, need_weights=False)
        of_text, _ = self.text_to_audio(text, audio, audio, key_padding_mask=~is_frame, need_weights=False)
        parts = [
            statistics(of_audio, is_frame),                                                       # (B, 400)
            statistics(of_text, is_word),                                                         # (B, 400)
            prosody,                                                                              # (B, 35)
            self.smacn.features(skeleton, visible),                                               # (B, 256)
        ]
        return self.output(self.dropout(torch.cat(parts, dim=1)))                                 # (B, 1091) -> (B, 4)


def statistics(x: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Statistics pooling: mean and standard deviation over the valid steps.

    :param x: (B, T, D), finite where not valid.
    :param valid: (B, T) bool, at least one true per sample.
    :return: (B, 2*D)
    """
    weight = valid[..., None] / valid.sum(dim=1)[:, None, None]                # (B, T, 1)
    mean = (x * weight).sum(dim=1)                                             # (B, D)
    variance = ((x - mean[:, None]) ** 2 * weight).sum(dim=1)                  # (B, D)
    return torch.cat([mean, (variance + LEAST_VARIANCE).sqrt()], dim=1)        # (B, 2*D)
