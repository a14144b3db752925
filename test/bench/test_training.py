# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Both ways of training learn the same; only the time differs."""
import numpy as np
import pytest
import torch

from smern_ros.training.iemocap.experiments.network_samples import Preparation, samples
from smern_ros.training.iemocap.experiments.train_network import build

SMACN = {'first_channels': 8, 'channels': 16, 'attention_size': 8, 'heads': 2, 'out': 16}
SMALL = {
    'mdre': {'hidden': 16}, 'cnn3d': {'channels': 8, 'hidden': 16},
    'smern': {'hidden': 16, 'audio': 16, 'text': 16, 'smacn': SMACN},
}


@pytest.fixture(scope='module')
def features():
    from bench.training import corpus

    return corpus(80)


@pytest.mark.parametrize('model', sorted(SMALL))
def test_padded_to_the_longest_of_all_or_of_the_batch_a_batch_is_the_same(model, features):
    from bench.plain_training import padded

    ids = [row.id for row in features.utterances]
    preparation = Preparation.of(features, ids, model)
    network = build(model, preparation.inputs.vocabulary, SMALL[model], 0).eval()
    some = samples(features, ids[:24], preparation, model)
    rows = [i for i, s in enumerate(some.tensors) if len(s.skeleton if s.mfcc is None else s.mfcc) < 200][:4]
    batch, labels = some.batch(rows, 'cpu')
    wide, same_labels = padded(network, some, rows, {
        name: steps for name, steps in {'mfcc': 750, 'words': 30, 'skeleton': 300, 'visible': 300}.items()
        if getattr(batch, name) is not None
    })
    assert max(t.shape[1] for t in wide if t.dim() == 3) >= 300
    assert torch.equal(labels, same_labels)
    gradients = []
    for inputs in (batch.inputs(network), wide):
        network.zero_grad()
        torch.nn.functional.cross_entropy(network(*inputs), labels).backward()
        gradients.append([p.grad.clone() for p in network.parameters()])
    for near, far in zip(*gradients, strict=True):
        assert torch.allclose(near, far, atol=1e-5)


def test_utterances_are_as_long_as_those_of_iemocap():
    from bench.training import corpus

    lengths = np.diff(corpus(400).skeleton_offsets) / 30  # s
    assert 4.0 < lengths.mean() < 5.0 and lengths.max() > 10


def test_the_command_trains_every_network_named_both_ways(capsys):
    from bench.training import main

    assert main(['--models', 'tre', '--learn', '64', '--batch', '8']) == 0
    out = capsys.readouterr().out
    assert '| tre |' in out and '| all |' in out and 'in 2 processes' in out
