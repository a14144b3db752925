# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Text encoder for contextual word vectors; not in the paper."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.models.checks import check_config, check_lengths, check_shape
from smern_ros.models.masked import within


class Words(nn.Module):
    """Computes the vector T (B, 200): a fully connected layer on mean and maximum of the word vectors.

    The pretrained encoder of the vectors reads the whole sentence, so their order is not used here.
    """

    INPUTS = ('word_vectors', 'word_vector_lengths')

    @dataclass(frozen=True)
    class Config:
        size: int = 1152      # of a word's vector
        out: int = 200
        labels: int = 4
        dropout: float = 0.5  # on the input of the layer and on the vector T, in training

        def __post_init__(self):
            check_config(self)

    mean: torch.Tensor       # (2304,), of the training data, as `deviation`
    deviation: torch.Tensor

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(config.dropout)
        self.fc = nn.Linear(2 * config.size, config.out)
        self.output = nn.Linear(config.out, config.labels)
        self.register_buffer('mean', torch.zeros(2 * config.size))
        self.register_buffer('deviation', torch.ones(2 * config.size))

    def scale(self, pooled: torch.Tensor) -> None:
        """Takes mean and deviation of what `pool` gave of all that is learnt from, (M, 2304), to normalise by."""
        self.mean.copy_(pooled.mean(dim=0))
        # Two of the encoder's values are the same for every word.
        self.deviation.copy_(pooled.std(dim=0).clamp(min=0.01))

    def pool(self, vectors: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Mean and largest of the valid vectors, side by side. Parameters as of `features`.

        :return: (B, 2304)
        """
        check_shape('vectors', vectors, None, None, self.config.size)
        check_lengths('lengths', lengths, *vectors.shape[:2])
        valid = within(lengths, vectors.shape[1])[..., None]                         # (B, N, 1)
        mean = vectors.masked_fill(~valid, 0.0).sum(dim=1) / lengths[:, None]        # (B, 1152)
        largest = vectors.masked_fill(~valid, -torch.inf).amax(dim=1)                # (B, 1152)
        return torch.cat([mean, largest], dim=1)

    def features(self, vectors: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The vector T.

        :param vectors: (B, N, 1152), padded at the end with anything finite.
        :param lengths: (B,) int64, valid vectors, 1..N.
        :return: (B, 200)
        """
        return self.encode(self.pool(vectors, lengths))

    def encode(self, pooled: torch.Tensor) -> torch.Tensor:
        """The vector T, (B, 200), of what `pool` gave."""
        return torch.tanh(self.fc(self.dropout((pooled - self.mean) / self.deviation)))

    def forward(self, vectors: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """:return: (B, 4) logits, from words alone."""
        return self.output(self.dropout(self.features(vectors, lengths)))
