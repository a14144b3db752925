# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The networks of table 2: as large as the paper counted, and blind to what the camera did not see."""
import dataclasses

import pytest
import torch
from support.networks import logits, narrow, utterance

from smern_ros import models

OTHERS = ('lstm', 'lstm_att', 'cnn', 'cnn3d')


def count(name):
    return sum(p.numel() for p in models.build(name).parameters())


@pytest.mark.parametrize(('name', 'parameters'), [('lstm', 3_217_412), ('lstm_att', 1_126_916)])
def test_the_recurrent_ones_have_the_papers_number_of_parameters(name, parameters):
    assert count(name) == parameters


@pytest.mark.parametrize(('name', 'papers'), [('cnn', 940_800), ('cnn3d', 1_350_400)])
def test_the_convolutional_ones_have_nearly_the_papers_number_of_parameters(name, papers):
    assert count(name) == pytest.approx(papers, rel=0.02)


def test_the_network_for_motion_capture_has_the_number_of_parameters_of_its_authors():
    assert count('mocap') == 1_654_724


@pytest.mark.parametrize('name', OTHERS)
def test_where_a_hidden_joint_was_said_to_be_changes_nothing(name):
    network, sample = narrow(name), utterance(1, 1, 30)
    seen = sample.visible.repeat_interleave(3, dim=1)
    elsewhere = dataclasses.replace(sample, skeleton=sample.skeleton.masked_fill(~seen, float('nan')))
    assert torch.equal(logits(network, sample), logits(network, elsewhere))


@pytest.mark.parametrize('name', OTHERS)
def test_the_last_visible_frame_is_seen_even_after_a_while_out_of_sight(name):
    network, sample = narrow(name), utterance(1, 1, 30)
    sample.visible[10:28] = False
    sample.visible[29, 4] = True
    changed = sample.skeleton.clone()
    changed[29, 12:15] += 3
    assert not torch.allclose(
        logits(network, sample), logits(network, dataclasses.replace(sample, skeleton=changed)), atol=1e-6
    )


@pytest.mark.parametrize('name', OTHERS)
def test_frames_at_the_end_in_which_nobody_is_seen_say_nothing(name):
    network, sample = narrow(name), utterance(1, 1, 30)
    sample.visible[19, 4], sample.visible[20:] = True, False
    cut = dataclasses.replace(sample, skeleton=sample.skeleton[:20], visible=sample.visible[:20])
    assert torch.allclose(logits(network, sample), logits(network, cut), atol=1e-6)


@pytest.mark.parametrize('name', OTHERS)
def test_the_order_of_the_frames_matters(name):
    sample = utterance(1, 1, 30)
    turned = dataclasses.replace(sample, skeleton=sample.skeleton.flip(0), visible=sample.visible.flip(0))
    assert not torch.allclose(logits(narrow(name), sample), logits(narrow(name), turned), atol=1e-6)


@pytest.mark.parametrize('name', OTHERS)
def test_a_sample_without_any_visible_joint_is_refused(name):
    sample = utterance(1, 1, 5)
    with pytest.raises(ValueError, match='no visible joint'):
        logits(narrow(name), dataclasses.replace(sample, visible=torch.zeros(5, 10, dtype=torch.bool)))


@pytest.mark.parametrize('name', OTHERS)
def test_a_wrong_number_of_joints_is_named(name):
    with pytest.raises(ValueError, match=r'visible has shape \(1, 4, 9\); expected 1 x 4 x 10'):
        narrow(name)(torch.zeros(1, 4, 30), torch.ones(1, 4, 9, dtype=torch.bool))


def test_motion_capture_of_another_size_is_named():
    with pytest.raises(ValueError, match=r'mocap has shape \(1, 200, 165\); expected any x 20 x 18'):
        narrow('mocap')(torch.zeros(1, 200, 165))
