# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The shipped voice encoder: what it reads, and what it does without the speech encoder."""
import pytest
import torch

from smern_ros import models


@pytest.fixture
def network():
    torch.manual_seed(0)
    return models.build('voice').eval()


def inputs(length=22):
    generator = torch.Generator().manual_seed(0)
    return (torch.randn(1, length, 39, generator=generator), torch.tensor([length]),
            torch.randn(1, 35, generator=generator), torch.randn(1, 768, generator=generator))


def test_every_frame_the_prosody_and_the_speech_encoder_are_heard(network):
    mfcc, n, prosody, speech = inputs()
    for tensor in (mfcc, prosody, speech):
        tensor.requires_grad_()
    network(mfcc, n, prosody, speech).sum().backward()
    assert (mfcc.grad.abs().sum(dim=2) > 0).all() and prosody.grad.all() and speech.grad.all()


def test_without_the_speech_encoder_another_layer_reads_the_rest(network):
    mfcc, n, prosody, speech = inputs()
    with_speech = network(mfcc, n, prosody, speech)
    without = network(mfcc, n, prosody, torch.zeros_like(speech))
    with torch.no_grad():
        network.whole.weight.zero_()
    assert torch.equal(without, network(mfcc, n, prosody, torch.zeros_like(speech)))
    assert not torch.allclose(with_speech, network(mfcc, n, prosody, speech))


def test_an_utterance_of_one_frame_has_a_finite_gradient(network):
    network(*inputs(1)).sum().backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in network.parameters())


def test_another_number_of_features_is_named(network):
    mfcc, n, prosody, speech = inputs()
    with pytest.raises(ValueError, match=r'speech has shape \(1, 767\); expected 1 x 768'):
        network(mfcc, n, prosody, speech[:, 1:])


def committee(*logits):
    """Of members each of which says the same whatever is heard."""
    network = models.build('voice', members=len(logits)).eval()
    with torch.no_grad():
        network.output.weight.copy_(torch.eye(4, network.config.out))
        network.output.bias.zero_()
        for layer in (network.whole, network.acoustic):
            layer.weight.zero_()
            layer.bias.zero_()
            layer.bias[: 4 * len(logits)] = torch.tensor(logits).flatten()
    with torch.no_grad():
        return network(*inputs())[0]


SAD, HAPPY = [0.0, 4.0, 1.0, 0.0], [4.0, 0.0, 1.0, 0.0]


def test_members_who_agree_say_together_what_one_says():
    assert torch.allclose(committee(SAD), torch.tensor(SAD))
    assert torch.allclose(committee(SAD, SAD, SAD), torch.tensor(SAD), atol=1e-6)


def test_members_who_disagree_say_the_mean_of_their_probabilities():
    each = torch.tensor([SAD, HAPPY]).softmax(dim=1)
    together = committee(SAD, HAPPY).softmax(dim=0)
    assert torch.allclose(together, each.mean(dim=0), atol=1e-6)
    assert together.max() < each.max() / 1.8
