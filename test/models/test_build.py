# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every network: built by name, checked, and all of it learns."""
from pathlib import Path

import pytest
import torch
from support.networks import utterance

from smern_ros import models
from smern_ros.models.batch import Batch

SAMPLES = [utterance(*size, seed=i, mocap=(200, 189)) for i, size in enumerate([(9, 9, 40), (4, 4, 20), (1, 1, 3)])]


def inputs_of(name, network):
    if name == 'smern_ga':
        return *(torch.randn(3, n) for n in (200, 200, 256)), torch.ones(3, 3, dtype=torch.bool)
    return Batch.of(SAMPLES).inputs(network)


def logits_of(out):
    return getattr(out, 'logits', out)


@pytest.mark.parametrize('name', models.NETWORKS)
def test_a_gradient_reaches_every_parameter(name):
    torch.manual_seed(0)
    network = models.build(name).train()
    logits = logits_of(network(*inputs_of(name, network)))
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2])).backward()
    silent = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


@pytest.mark.parametrize('name', models.NETWORKS)
def test_the_order_of_a_batch_means_nothing(name):
    torch.manual_seed(0)
    network = models.build(name).eval()
    inputs, order = inputs_of(name, network), torch.tensor([2, 0, 1])
    straight, moved = (logits_of(network(*tensors)) for tensors in (inputs, [t[order] for t in inputs]))
    assert torch.allclose(straight[order], moved, atol=1e-5)


@pytest.mark.parametrize('name', [name for name in models.NETWORKS if name != 'smern_ga'])
def test_an_utterance_gives_the_same_logits_alone_and_in_a_batch_at_full_size(name):
    torch.manual_seed(0)
    network = models.build(name).eval()
    together = network(*Batch.of(SAMPLES).inputs(network))
    for i, sample in enumerate(SAMPLES):
        assert torch.allclose(network(*Batch.of([sample]).inputs(network))[0], together[i], atol=1e-5)


@pytest.mark.parametrize('name', models.NETWORKS)
def test_the_documentation_counts_the_parameters(name):
    count = sum(p.numel() for p in models.build(name).parameters())
    page = (Path(__file__).parents[2] / 'docs/model.md').read_text(encoding='utf-8')
    (row,) = [line for line in page.splitlines() if line.startswith(f'| `{name}` |')]
    assert f'{count:,}' in row


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown network 'smearn'; expected one of are, tre"):
        models.build('smearn')


def test_an_unknown_hyper_parameter_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match='are has no hyper-parameter layers; it has mfcc'):
        models.build('are', layers=2)


@pytest.mark.parametrize(('field', 'value'), [('hidden', 0), ('hidden', 10**9), ('hidden', 2.5), ('dropout', 1.0)])
def test_a_hyper_parameter_out_of_bounds_is_named(field, value):
    with pytest.raises(ValueError, match=f'{field} is {value}'):
        models.build('are', **{field: value})
