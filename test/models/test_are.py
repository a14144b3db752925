"""The audio encoder as ours: coarser steps, and statistics over time instead of the final state."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros import models

torch.manual_seed(0)
STATISTICS = models.build('are', hidden=12, stride=4, pooling='statistics').eval()
LAST = models.build('are', hidden=12, stride=4).eval()


def utterances(lengths, padding=0):
    generator = torch.Generator().manual_seed(0)
    mfcc = torch.randn(len(lengths), max(lengths) + padding, 39, generator=generator)
    return mfcc, torch.tensor(lengths), torch.randn(len(lengths), 35, generator=generator)


@pytest.mark.parametrize('network', [STATISTICS, LAST], ids=['statistics', 'last'])
@settings(deadline=None, max_examples=15)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4), padding=st.integers(0, 10))
def test_an_utterance_sounds_the_same_alone_and_padded_in_a_batch(network, lengths, padding):
    mfcc, n, prosody = utterances(lengths, padding)
    together = network(mfcc, n, prosody)
    for i, length in enumerate(lengths):
        alone = network(mfcc[i : i + 1, :length], n[i : i + 1], prosody[i : i + 1])
        assert torch.allclose(alone[0], together[i], atol=1e-5)


@pytest.mark.parametrize('network', [STATISTICS, LAST], ids=['statistics', 'last'])
def test_every_frame_is_heard(network):
    mfcc, n, prosody = utterances([22])
    mfcc.requires_grad_()
    network(mfcc, n, prosody).sum().backward()
    assert (mfcc.grad.abs().sum(dim=2) > 0).all()


def test_an_utterance_of_one_frame_has_a_finite_gradient():
    mfcc, n, prosody = utterances([1, 5])
    STATISTICS(mfcc, n, prosody).sum().backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in STATISTICS.parameters())


def test_the_means_that_the_gru_reads_leave_padding_out():
    mfcc, _, prosody = utterances([5])
    longer = torch.cat([mfcc, torch.full((1, 3, 39), 1e6)], dim=1)
    five = torch.tensor([5])
    assert torch.allclose(LAST(longer, five, prosody), LAST(mfcc, five, prosody), atol=1e-5)


@pytest.mark.parametrize('wrong', [{'pooling': 'sum'}, {'stride': 0}])
def test_what_it_does_not_know_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        models.build('are', **wrong)
