# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Graph attention and SMERN-GA: any subset of the modalities, none of the missing ones felt."""
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros import models
from smern_ros.models.graph_attention import GraphAttention

torch.manual_seed(0)
GRAPH = GraphAttention(GraphAttention.Config()).eval()
NETWORK = models.build('smern_ga').eval()
SUBSETS = [c for n in (1, 2, 3) for c in combinations(range(3), n)]


def present(*indices):
    mask = torch.zeros(1, 3, dtype=torch.bool)
    mask[0, list(indices)] = True
    return mask


def vectors(seed=0, batch=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, n, generator=generator) for n in (200, 200, 256)]


def test_attention_is_that_of_equation_7():
    nodes = torch.randn(1, 3, 128)
    _, alpha = GRAPH(nodes, present(0, 1, 2))
    for k in range(4):
        a = torch.cat([GRAPH.from_node[k], GRAPH.to_node[k]])
        wv = nodes[0] @ GRAPH.weight[k]
        for i in range(3):
            e = torch.stack([torch.nn.functional.leaky_relu(a @ torch.cat([wv[i], wv[j]]), 0.2) for j in range(3)])
            assert torch.allclose(alpha[0, k, i], e.exp() / e.exp().sum(), atol=1e-6)


def test_the_output_is_that_of_equation_8():
    nodes = torch.randn(1, 3, 128)
    out, alpha = GRAPH(nodes, present(0, 1, 2))
    heads = [alpha[0, k] @ (nodes[0] @ GRAPH.weight[k]) for k in range(4)]
    assert torch.allclose(out[0], torch.nn.functional.elu(sum(heads) / 4 + GRAPH.bias), atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(subset=st.sampled_from(SUBSETS), order=st.permutations(range(3)), seed=st.integers(0, 99))
def test_the_order_of_the_nodes_means_nothing_to_the_graph(subset, order, seed):
    nodes = torch.randn(1, 3, 128, generator=torch.Generator().manual_seed(seed))
    mask = present(*subset)
    out, _ = GRAPH(nodes, mask)
    moved, _ = GRAPH(nodes[:, order], mask[:, order])
    assert torch.allclose(out[:, order], moved, atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(subset=st.sampled_from(SUBSETS), seed=st.integers(0, 99))
def test_a_missing_node_is_as_if_the_graph_never_had_it(subset, seed):
    nodes = torch.randn(1, 3, 128, generator=torch.Generator().manual_seed(seed))
    out, alpha = GRAPH(nodes, present(*subset))
    kept = list(subset)
    smaller, smaller_alpha = GRAPH(nodes[:, kept], torch.ones(1, len(kept), dtype=torch.bool))
    assert torch.allclose(out[:, kept], smaller, atol=1e-6)
    assert torch.allclose(alpha[:, :, kept][..., kept], smaller_alpha, atol=1e-6)
    gone = [i for i in range(3) if i not in kept]
    assert not out[:, gone].any()
    assert not alpha[..., gone].any()


@pytest.mark.parametrize('subset', SUBSETS)
def test_every_subset_of_modalities_gives_a_finite_answer_and_attention_to_what_is_there_alone(subset):
    fused = NETWORK(*vectors(), present(*subset))
    assert fused.logits.shape == (1, 4)
    assert fused.logits.isfinite().all()
    received = fused.attention[0].sum(dim=(0, 1))
    assert received.sum().item() / (4 * len(subset)) == pytest.approx(1)
    assert set(received.nonzero().flatten().tolist()) == set(subset)


@pytest.mark.parametrize('subset', SUBSETS)
@pytest.mark.parametrize('rubbish', [3.0, float('nan')])
def test_what_stands_for_a_missing_modality_is_never_read(subset, rubbish):
    inputs = vectors()
    expected = NETWORK(*inputs, present(*subset))
    spoilt = [v if i in subset else torch.full_like(v, rubbish) for i, v in enumerate(inputs)]
    found = NETWORK(*spoilt, present(*subset))
    assert torch.equal(expected.logits, found.logits)
    assert torch.equal(expected.attention, found.attention)


def test_samples_of_a_batch_do_not_feel_each_other():
    inputs = vectors(batch=7)
    masks = torch.cat([present(*subset) for subset in SUBSETS])
    together = NETWORK(*inputs, masks)
    order = torch.tensor([3, 0, 6, 2, 5, 1, 4])
    moved = NETWORK(*(v[order] for v in inputs), masks[order])
    assert torch.allclose(together.logits[order], moved.logits, atol=1e-5)


def test_no_modality_at_all_is_refused():
    with pytest.raises(ValueError, match='at least one modality'):
        NETWORK(*vectors(), present())


@pytest.mark.parametrize(('inputs', 'out', 'heads'), [(128, 64, 4), (128, 64, 1), (40, 120, 6)])
def test_at_first_each_head_hands_on_as_much_as_comes_in_however_many_heads_there_are(inputs, out, heads):
    torch.manual_seed(0)
    nodes = torch.randn(400, 1, inputs)
    graphs = [GraphAttention(GraphAttention.Config(inputs, out, heads)) for _ in range(10)]
    share = 2 * inputs / (inputs + out)  # of the variance: Xavier's compromise with the way back
    for graph in graphs:
        for weight in graph.weight:
            assert weight.abs().max().item() == pytest.approx((6 / (inputs + out)) ** 0.5, rel=0.01)
            assert (nodes[:, 0] @ weight).var().item() == pytest.approx(share, rel=0.15)
    mixed = []  # one node attends to itself alone, so that eq. 8 takes the mean of its heads
    for graph in graphs:
        after, _ = graph(nodes, torch.ones(400, 1, dtype=torch.bool))
        mixed.append(torch.where(after < 0, (after + 1).log(), after))  # before the ELU
    assert torch.stack(mixed).var().item() == pytest.approx(share / heads, rel=0.1)


def test_at_first_the_vector_a_of_equation_7_is_as_large_as_one_that_gives_one_number_of_two_nodes():
    torch.manual_seed(0)
    graphs = [GraphAttention(GraphAttention.Config(128, 64, heads)) for heads in (1, 4, 16)]
    a = torch.cat([torch.cat([g.from_node, g.to_node], dim=1).flatten() for g in graphs])
    assert a.abs().max().item() == pytest.approx((6 / (2 * 64 + 1)) ** 0.5, rel=0.01)
    assert a.std().item() == pytest.approx((2 / (2 * 64 + 1)) ** 0.5, rel=0.05)
