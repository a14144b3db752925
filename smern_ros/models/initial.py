"""What weights are before they are trained or loaded."""
from __future__ import annotations

import torch
from torch import nn


def normal_(weight: torch.Tensor, std: float = 1.0) -> None:
    """As torch.nn.init's. On the meta device, where a checkpoint's networks are first built, nothing is drawn: torch
    would import its whole compiler for that, which takes longer than all else that is loaded.
    """
    if not weight.is_meta:
        nn.init.normal_(weight, std=std)


def word_embedding(words: int, size: int) -> nn.Embedding:
    """(..., N) int64 rows to (..., N, size) vectors, of a standard normal distribution at first."""
    vectors = torch.empty(words, size)
    normal_(vectors)
    return nn.Embedding.from_pretrained(vectors, freeze=False)
