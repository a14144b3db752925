# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small networks, and a synthetic corpus that they can learn in seconds."""
import pytest
import torch

from smern_ros.training.iemocap.experiments import synthetic
from smern_ros.training.iemocap.experiments.train_network import TrainingSettings

_SMACN = {'first_channels': 8, 'channels': 24, 'attention_size': 8, 'heads': 2, 'out': 16, 'dropout': 0.2}
_WORDS = {'hidden': 16, 'embedding': 16}
_DROPOUT = {'dropout_audio': 0.3, 'dropout_text': 0.3}
_THREE = {**_WORDS, **_DROPOUT, 'smacn': _SMACN, 'dropout': 0.2}
_SMALL = {
    'are': {'hidden': 16, 'out': 16},
    'tre': {**_WORDS, 'out': 16, 'dropout': 0.3},
    'mdre': {**_WORDS, **_DROPOUT},
    'smacn': _SMACN,
    'lstm': {'hidden': 16},
    'lstm_att': {'hidden': 16},
    'cnn': {'first_channels': 8, 'hidden': 16, 'dropout': 0.1},
    'cnn3d': {'channels': 8, 'hidden': 16, 'dropout': 0.1},
    'smern': {**_THREE, 'audio': 32, 'text': 32, 'hidden': 32},
    'smern_ga_whole': {**_THREE, 'audio': 16, 'text': 16, 'node': 16, 'out': 8},
    'cma': _THREE,
    'xu': {**_WORDS, 'smacn': _SMACN, 'dense': 16, 'dropout': 0.2},
    'mocap': {'hidden': 16, 'dropout': 0.1},
}


@pytest.fixture(scope='session')
def small():
    """Hyper-parameters by network with which it learns in seconds."""
    return _SMALL


@pytest.fixture(scope='session')
def quick():
    """Settings to go with them."""
    return TrainingSettings(epochs=30, patience=6, batch=32, learning_rate=5e-3)


@pytest.fixture(scope='session')
def plan():
    return synthetic.SyntheticCorpusSpec(
        utterances=1000, audio=0.45, text=0.5, skeleton=0.5, mocap=0.6, mocap_fraction=0.15, frames=6, seed=0
    )


@pytest.fixture(scope='session')
def corpus(plan):
    return synthetic.corpus(plan)


@pytest.fixture(autouse=True)
def one_thread():
    """What one computes alone, one computes the same beside others."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
