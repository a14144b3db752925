# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Skeleton networks as their recipe has them: several frames read as one, coordinates apart."""
import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.networks import NARROW, logits, utterance
from torch import nn

from smern_ros import models
from smern_ros.models.coordinates import ALIKE, APART, first_convolution, image
from smern_ros.models.masked import means_of_seen

CONVOLUTIONAL = ('smacn', 'cnn', 'cnn3d')
SKELETON = (*CONVOLUTIONAL, 'lstm', 'lstm_att')


def coarse(name):
    torch.manual_seed(0)
    apart = {'coordinates': APART} if name in CONVOLUTIONAL else {}
    return models.build(name, **NARROW[name], stride=4, **apart).eval()


NETWORKS = {name: coarse(name) for name in SKELETON}


@pytest.mark.parametrize('name', SKELETON)
@settings(deadline=None, max_examples=10)
@given(frames=st.integers(1, 40), padding=st.integers(1, 20), seed=st.integers(0, 99))
def test_neither_padding_nor_hidden_joints_change_what_is_said(name, frames, padding, seed):
    sample = utterance(1, 1, frames, seed)
    hidden = ~sample.visible.repeat_interleave(3, dim=1)
    padded = dataclasses.replace(
        sample,
        skeleton=torch.cat([sample.skeleton.masked_fill(hidden, float('nan')), torch.full((padding, 30), 7.0)]),
        visible=torch.cat([sample.visible, torch.zeros(padding, 10, dtype=torch.bool)]),
    )
    assert torch.allclose(logits(NETWORKS[name], sample), logits(NETWORKS[name], padded), atol=1e-5)


@pytest.mark.parametrize('name', SKELETON)
def test_a_joint_that_is_seen_in_a_single_frame_is_not_missed(name):
    sample = utterance(1, 1, 8)
    sample.visible[:] = False
    sample.visible[6, 4] = True
    elsewhere = sample.skeleton.clone()
    elsewhere[6, 12:15] += 2
    moved = dataclasses.replace(sample, skeleton=elsewhere)
    assert not torch.allclose(logits(NETWORKS[name], sample), logits(NETWORKS[name], moved), atol=1e-6)


def test_frames_read_as_one_are_the_mean_of_where_the_joint_was_seen():
    x = torch.zeros(1, 5, 6)  # two joints
    x[0, :, 0] = torch.tensor([1.0, 3.0, 0.0, 8.0, 5.0])
    visible = torch.zeros(1, 5, 2, dtype=torch.bool)
    visible[0, [0, 1, 3, 4], 0] = True
    means, seen = means_of_seen(3, x, visible)
    assert means[0, :, 0].tolist() == [2.0, 6.5]
    assert seen[0].tolist() == [[True, False], [True, False]]


def test_coordinates_that_are_apart_have_kernels_of_their_own():
    torch.manual_seed(0)
    convolution = first_convolution(nn.Conv2d, APART, 30, 5, (3, 3))
    same_everywhere = torch.ones(1, 6, 30)
    inner = convolution(image(same_everywhere, APART))[0, :, 2, 1:-1]  # (5, 28), away from the borders
    assert (inner.std(dim=1) > 0.1).all()
    alike = first_convolution(nn.Conv2d, ALIKE, 30, 5, (3, 3))(image(same_everywhere, ALIKE))[0, :, 2, 1:-1]
    assert alike.std(dim=1).max() < 1e-6


@pytest.mark.parametrize('name', CONVOLUTIONAL)
def test_a_way_to_read_coordinates_that_nobody_knows_is_refused_by_name(name):
    with pytest.raises(ValueError, match='coordinates is .sideways.; it must be one of alike, apart'):
        models.build(name, coordinates='sideways')


@pytest.mark.parametrize('name', SKELETON)
def test_a_stride_of_nothing_is_refused_by_name(name):
    with pytest.raises(ValueError, match='stride is 0'):
        models.build(name, stride=0)


@pytest.mark.parametrize(('kind', 'kernel'), [(nn.Conv2d, (3, 3)), (nn.Conv2d, (5, 5)), (nn.Conv3d, (3, 3, 3))])
def test_at_first_kernels_of_coordinates_apart_hand_on_as_much_as_comes_in(kind, kernel):
    torch.manual_seed(0)
    shown = torch.randn(20, 60, 30)
    maps = image(shown, APART)
    if kind is nn.Conv3d:
        maps = maps.unflatten(3, (10, 3))
    inside = first_convolution(kind, APART, 30, 128, kernel)(maps)[:, :, 2:-2, 2:-2]
    assert inside[..., 1:2].var().item() == pytest.approx(1, rel=0.1)
