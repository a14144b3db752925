# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""SMACN: padding and hidden joints change nothing, and it is the network that the paper counted."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros import models

torch.manual_seed(0)
FULL = models.build('smacn').eval()
# The laws hold at any width; a narrow one makes many examples cheap.
NARROW = models.build('smacn', first_channels=8, channels=12, attention_size=10, heads=3, out=16).eval()


def movement(frames, seed=0, batch=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, frames, 30, generator=generator)
    visible = torch.rand(batch, frames, 10, generator=generator) > 0.2
    visible[:, 0, 0] = True
    return x, visible


def test_it_has_the_papers_number_of_parameters():
    assert sum(p.numel() for p in FULL.parameters()) == 1_143_844  # 1143.8k in table 2


def test_its_feature_has_the_size_that_smern_takes():
    assert FULL.features(*movement(64)).shape == (1, 256)


@settings(deadline=None, max_examples=40)
@given(frames=st.integers(1, 70), padding=st.integers(0, 40), seed=st.integers(0, 99))
def test_padding_never_changes_a_result(frames, padding, seed):
    x, visible = movement(frames, seed)
    padded = torch.cat([x, torch.full((1, padding, 30), 7.0)], dim=1)  # whatever stands in the padding
    shown = torch.cat([visible, torch.zeros(1, padding, 10, dtype=torch.bool)], dim=1)
    assert torch.allclose(NARROW(x, visible), NARROW(padded, shown), atol=1e-5)


@pytest.mark.parametrize('frames', [1, 5, 33, 64])
def test_padding_never_changes_a_result_at_full_size(frames):
    x, visible = movement(frames)
    other_x, other_visible = movement(80, seed=3)
    batch_x, batch_visible = other_x.repeat(2, 1, 1), other_visible.repeat(2, 1, 1)
    batch_x[0, :frames], batch_visible[0, :frames] = x[0], visible[0]
    batch_visible[0, frames:] = False
    assert torch.allclose(FULL(x, visible)[0], FULL(batch_x, batch_visible)[0], atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 40), seed=st.integers(0, 99))
def test_where_a_hidden_joint_was_said_to_be_changes_nothing(frames, seed):
    x, visible = movement(frames, seed)
    elsewhere = torch.where(visible.repeat_interleave(3, dim=2), x, x + 5)
    assert torch.equal(NARROW(x, visible), NARROW(elsewhere, visible))


def test_whether_a_joint_is_visible_matters():
    x, visible = movement(30)
    visible[:] = True
    hidden = visible.clone()
    hidden[:, :, 6] = False
    assert not torch.allclose(FULL(x, visible), FULL(x, hidden))


def test_attention_is_a_distribution_over_the_visible_positions():
    x, visible = movement(50)
    visible[:, 32:] = False
    _, alpha = FULL.attend(x, visible)  # (1, 6, 4, 2)
    assert alpha.shape == (1, 6, 4, 2)
    assert torch.allclose(alpha.sum(dim=(2, 3)), torch.ones(1, 6))
    assert torch.equal(alpha[:, :, 2:], torch.zeros(1, 6, 2, 2))  # 32 frames are two cells of 16


def test_a_sample_without_any_visible_joint_is_refused():
    x, visible = movement(10, batch=2)
    visible[1] = False
    with pytest.raises(ValueError, match='no visible joint'):
        FULL(x, visible)


def test_a_wrong_number_of_joints_is_named():
    with pytest.raises(ValueError, match=r'visible has shape \(1, 4, 9\); expected 1 x 4 x 10'):
        FULL(torch.zeros(1, 4, 30), torch.ones(1, 4, 9, dtype=torch.bool))
