# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Text Recurrent Encoder (paper, section III-C; base model [30])."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.models.checks import check_config, check_lengths, check_shape
from smern_ros.models.initial import word_embedding
from smern_ros.models.recurrent import init_orthogonal, last_state


class TRE(nn.Module):
    """Computes the vector T (B, 200) of words: embedding, GRU, and a fully connected layer on its final state."""

    INPUTS = ('words', 'word_lengths')

    @dataclass(frozen=True)
    class Config:
        words: int = 3747     # rows of the embedding, padding and unknown words included; [30] has 3747
        embedding: int = 300  # GloVe (paper, section IV-B)
        hidden: int = 200
        out: int = 200
        labels: int = 4
        dropout: float = 0.7  # on the input and on the output of the GRU, as in [30]

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(config.dropout)
        self.embedding = word_embedding(config.words, config.embedding)
        self.gru = nn.GRU(config.embedding, config.hidden, batch_first=True)
        self.fc = nn.Linear(config.hidden, config.out)
        self.output = nn.Linear(config.out, config.labels)
        init_orthogonal(self.gru)

    def features(self, words: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The vector T.

        :param words: (B, N) int64 rows of the vocabulary, padded at the end with any of them.
        :param lengths: (B,) int64, valid words, 1..N.
        :return: (B, 200)
        """
        check_shape('words', words, None, None)
        check_lengths('lengths', lengths, *words.shape)
        vectors = self.dropout(self.embedding(words))                  # (B, N, 300)
        state = last_state(self.gru, vectors, lengths)                 # (B, 200)
        return torch.tanh(self.fc(self.dropout(state)))                # (B, 200)

    def forward(self, words: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """:return: (B, 4) logits, from words alone."""
        return self.output(self.features(words, lengths))
