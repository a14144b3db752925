# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What weights are before they are trained or loaded."""
from __future__ import annotations

import math

import torch
from torch import nn


def normal_(weight: torch.Tensor, std: float = 1.0) -> None:
    """As torch.nn.init's. On the meta device, where a checkpoint's networks are first built, nothing is drawn: torch
    would import its whole compiler for that, which takes longer than all else that is loaded.
    """
    if not weight.is_meta:
        nn.init.normal_(weight, std=std)


def xavier_(weight: torch.Tensor, inputs: int, outputs: int) -> None:
    """Uniform, so that what `inputs` numbers give to each of `outputs` varies about as much as they do (Glorot).

    torch.nn.init's takes both from the shape, and so takes several matrices that lie in one tensor for a single, larger
    one, whose numbers are too small.
    """
    bound = math.sqrt(6 / (inputs + outputs))
    nn.init.uniform_(weight, -bound, bound)


def attention(size: int, heads: int) -> nn.MultiheadAttention:
    """torch's, batch first and without bias. The matrices of queries, keys and values lie in one tensor there."""
    layer = nn.MultiheadAttention(size, heads, bias=False, batch_first=True)
    xavier_(layer.in_proj_weight, size, size)
    return layer


def word_embedding(words: int, size: int) -> nn.Embedding:
    """(..., N) int64 rows to (..., N, size) vectors, of a standard normal distribution at first."""
    vectors = torch.empty(words, size)
    normal_(vectors)
    return nn.Embedding.from_pretrained(vectors, freeze=False)
