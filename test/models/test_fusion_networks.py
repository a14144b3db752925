# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""MDRE, SMERN, CMA, Xu et al. and the whole of SMERN-GA: what they are made of."""
import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.networks import NARROW, logits, narrow, utterance

from smern_ros import models
from smern_ros.models.batch import Batch
from smern_ros.models.cma import statistics

SAMPLES = [utterance(20, 6, 30, seed=1), utterance(9, 3, 12, seed=2)]


def sizes(name, *layers):
    network = models.build(name)
    return [(getattr(network, layer).in_features, getattr(network, layer).out_features) for layer in layers]


def test_mdre_halves_and_concatenates_as_the_base_model_does():
    assert sizes('mdre', 'audio', 'text', 'output') == [(235, 117), (200, 100), (217, 4)]


def test_smern_halves_the_three_vectors_and_concatenates_them():
    assert sizes('smern', 'audio', 'text', 'skeleton', 'output') == [(200, 100), (200, 100), (256, 128), (328, 4)]


def test_prosody_and_movement_join_what_cma_and_xu_make_of_sound_and_words():
    assert sizes('cma', 'output') == [(2 * 2 * 200 + 35 + 256, 4)]
    assert sizes('xu', 'output') == [(200 + 35 + 256, 4)]


@pytest.mark.parametrize('name', ['smern', 'smern_ga_whole'])
def test_the_second_phase_alone_answers_as_the_whole_does(name):
    network, batch = narrow(name), Batch.of(SAMPLES)
    inputs = batch.inputs(network)
    assert torch.equal(network.fuse(*network.encoders(*inputs)), network(*inputs))


@pytest.mark.parametrize('name', ['smern', 'smern_ga_whole'])
def test_an_encoder_trained_alone_fits_into_the_first_phase(name):
    network = narrow(name)
    tre = models.build('tre', words=50, embedding=12, hidden=16, out=12).eval()
    found = network.encoders.tre.load_state_dict(tre.state_dict(), strict=False)
    assert found.missing_keys == []
    assert found.unexpected_keys == ['output.weight', 'output.bias']
    _, vector, _ = network.encoders(*Batch.of(SAMPLES).inputs(network))
    assert torch.equal(vector, tre.features(*Batch.of(SAMPLES).inputs(tre)))


def test_the_whole_of_smern_ga_is_the_graph_attention_over_the_three_encoders():
    network, batch = narrow('smern_ga_whole'), Batch.of(SAMPLES)
    fusion = models.build('smern_ga', audio=10, text=12, skeleton=14, node=8, out=6, heads=2).eval()
    fusion.load_state_dict(network.fusion.state_dict())
    vectors = network.encoders(*batch.inputs(network))
    expected = fusion(*vectors, torch.ones(2, 3, dtype=torch.bool)).logits
    assert torch.equal(network(*batch.inputs(network)), expected)


@pytest.mark.parametrize('name', ['mdre', 'cma', 'xu'])
def test_the_order_of_the_words_matters(name):
    sample = SAMPLES[0]
    turned = dataclasses.replace(sample, words=sample.words.flip(0))
    assert not torch.allclose(logits(narrow(name), sample), logits(narrow(name), turned), atol=1e-6)


@given(values=st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=9), padding=st.integers(0, 4))
@settings(deadline=None)
def test_statistics_pooling_is_mean_and_deviation_over_what_is_valid(values, padding):
    x = torch.tensor([*values, *[50.0] * padding])[None, :, None]
    valid = torch.arange(x.shape[1])[None] < len(values)
    expected = torch.stack([torch.tensor(values).mean(), torch.tensor(values).std(correction=0)])
    assert torch.allclose(statistics(x, valid)[0], expected, atol=2e-3)


def test_statistics_of_a_single_step_have_a_gradient():
    x = torch.ones(1, 1, 3, requires_grad=True)
    statistics(x, torch.ones(1, 1, dtype=torch.bool)).sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize('name', ['cma', 'xu'])
def test_heads_that_do_not_divide_are_refused(name):
    with pytest.raises(ValueError, match='no multiple of heads, 7'):
        models.build(name, heads=7)


@pytest.mark.parametrize('name', ['mdre', 'smern', 'cma', 'xu'])
def test_fewer_utterances_read_than_heard_are_refused(name):
    network = narrow(name)
    inputs = list(Batch.of(SAMPLES).inputs(network))
    inputs[3], inputs[4] = inputs[3][:1], inputs[4][:1]
    with pytest.raises(ValueError, match=r'words has shape|text has shape'):
        network(*inputs)


@pytest.mark.parametrize('name', NARROW)
def test_the_hyper_parameters_as_plain_data_build_the_same_network_again(name):
    network = narrow(name)
    again = models.build(name, **dataclasses.asdict(network.config))
    assert again.config == network.config
    assert again.load_state_dict(network.state_dict()).missing_keys == []


def test_an_unknown_hyper_parameter_of_an_encoder_inside_is_refused():
    with pytest.raises(ValueError, match=r'smern\.smacn has no hyper-parameter width; it has joints'):
        models.build('smern', smacn={'width': 3})


@pytest.mark.parametrize('wrong', [3, models.build('are').config])
def test_an_encoder_inside_takes_hyper_parameters_of_its_own_kind_alone(wrong):
    with pytest.raises(ValueError, match=r'smacn is .*; it must be a SMACN.Config'):
        models.build('smern', smacn=wrong)
