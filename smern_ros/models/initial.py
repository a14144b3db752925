# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Initialisation of weights."""
from __future__ import annotations

import math

import torch
from torch import nn


def normal_(weight: torch.Tensor, std: float = 1.0) -> None:
    """As `torch.nn.init.normal_`, but does nothing on the meta device, on which checkpoints are built.

    There torch would import its compiler, which takes longer than all other imports.
    """
    if not weight.is_meta:
        nn.init.normal_(weight, std=std)


def xavier_(weight: torch.Tensor, inputs: int, outputs: int) -> None:
    """Uniform initialisation of Glorot and Bengio for a matrix of `inputs` x `outputs`.

    `torch.nn.init.xavier_uniform_` takes both sizes from the shape, which gives too small weights if the tensor holds
    several matrices.
    """
    bound = math.sqrt(6 / (inputs + outputs))
    nn.init.uniform_(weight, -bound, bound)


def attention(size: int, heads: int) -> nn.MultiheadAttention:
    """Multi-head attention of torch, batch first, without bias. One tensor holds its query, key and value matrices."""
    layer = nn.MultiheadAttention(size, heads, bias=False, batch_first=True)
    xavier_(layer.in_proj_weight, size, size)
    return layer


def word_embedding(words: int, size: int) -> nn.Embedding:
    """Embedding from (..., N) int64 rows to (..., N, size), initialised from a standard normal distribution."""
    vectors = torch.empty(words, size)
    normal_(vectors)
    return nn.Embedding.from_pretrained(vectors, freeze=False)
