# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Both directions of a sequence: the backward one begins where the utterance ends, not where the padding does."""
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from smern_ros.models.recurrent import BiLSTM, reverse

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def sequences(lengths, padding=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(lengths), max(lengths) + padding, 4, generator=generator), torch.tensor(lengths)


@given(lengths=LENGTHS)
def test_reversed_twice_a_sequence_is_itself(lengths):
    x, n = sequences(lengths)
    assert torch.equal(reverse(reverse(x, n), n), x)


@given(lengths=LENGTHS)
def test_reversing_begins_at_the_last_valid_step_and_leaves_the_padding(lengths):
    x, n = sequences(lengths)
    turned = reverse(x, n)
    for i, length in enumerate(lengths):
        assert torch.equal(turned[i, :length], x[i, :length].flip(0))
        assert torch.equal(turned[i, length:], x[i, length:])


@settings(deadline=None, max_examples=20)
@given(lengths=LENGTHS)
def test_both_directions_are_those_of_torchs_own_on_packed_sequences(lengths):
    torch.manual_seed(0)
    ours, theirs = BiLSTM(4, 6), torch.nn.LSTM(4, 6, batch_first=True, bidirectional=True)
    state = {**ours.ahead.state_dict(), **{f'{key}_reverse': p for key, p in ours.back.state_dict().items()}}
    theirs.load_state_dict(state)
    x, n = sequences(lengths)
    packed, _ = theirs(pack_padded_sequence(x, n, batch_first=True, enforce_sorted=False))
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    found = ours(x, n)
    for i, length in enumerate(lengths):
        assert torch.allclose(found[i, :length], expected[i, :length], atol=1e-6)
