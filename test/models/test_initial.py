# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What weights are at first: as torch draws them, and without what is not needed to load others over them."""
import subprocess
import sys

import torch
from torch import nn

from smern_ros.models.initial import attention, word_embedding


def test_vectors_are_drawn_as_torchs_own_are():
    torch.manual_seed(0)
    own = nn.Embedding(50, 8)
    torch.manual_seed(0)
    ours = word_embedding(50, 8)
    assert torch.equal(ours.weight, own.weight) and ours.weight.requires_grad and ours.padding_idx is None


def test_queries_keys_and_values_are_drawn_as_a_matrix_each_though_they_lie_in_one():
    torch.manual_seed(0)
    x = torch.randn(500, 200)
    for matrix in attention(200, 4).in_proj_weight.chunk(3):
        assert abs((x @ matrix.T).var().item() - 1) < 0.05


def test_a_checkpoint_is_loaded_without_torchs_compiler():
    code = ('import sys; from smern_ros.emotion.predictor import EmotionPredictor; '
            'EmotionPredictor.load(); print("torch._dynamo" in sys.modules)')
    out = subprocess.run([sys.executable, '-c', code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == 'False'
