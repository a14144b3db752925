# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A dear step is done once, and again when what it depends on has changed."""
import subprocess
import sys

import pytest
import torch

from smern_ros import models
from smern_ros.training.common.cache import (
    AUDIO_FEATURES,
    SKELETON_FEATURES,
    SPEECH_ENCODER,
    SPEECH_RECOGNITION,
    Stages,
)

CODE = ('smern_ros.spec',)


@pytest.fixture
def made():
    return []


@pytest.fixture
def step(tmp_path, made):
    def do(depends=1, code=CODE):
        def make():
            made.append(depends)
            return {'x': torch.arange(3.0)}

        stages = Stages(tmp_path, depends)
        return stages.tensors('step', code, make), stages.seconds

    return do


def test_it_is_done_once_and_the_time_that_it_took_is_remembered(step, made):
    first, took = step()
    again, remembered = step()
    assert torch.equal(first['x'], again['x'])
    assert (made, remembered) == ([1], took)


def test_it_is_done_again_for_other_samples_or_other_code(step, made):
    step()
    step(depends=2)
    step(code=('smern_ros.values',))
    assert made == [1, 2, 1]


def test_what_is_interrupted_leaves_nothing_that_could_be_taken_for_done(tmp_path, step, made):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path, 1).tensors('step', CODE, interrupted)
    step()
    assert made == [1]


def test_a_network_comes_back_as_it_was(tmp_path):
    def train():
        return models.build('smern_ga', node=8, out=4, dropout=0.1)

    first, again = (Stages(tmp_path, 1).network('smern_ga', CODE, train) for _ in range(2))
    assert again.config == first.config
    assert not again.training
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])


@pytest.mark.parametrize('package, entries, named', [
    ('smern_ros.audio', ['features'], AUDIO_FEATURES),
    ('smern_ros.speech', ['encoder'], SPEECH_ENCODER),
    ('smern_ros.skeleton', ['features', 'window'], SKELETON_FEATURES),
    ('smern_ros.speech', ['recogniser', 'whisper_ct2'], SPEECH_RECOGNITION),
])
def test_every_module_that_the_features_need_is_named(package, entries, named):
    program = f'import sys; {"; ".join(f"import {package}.{e}" for e in entries)}; print(*sys.modules)'
    loaded = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in loaded if name.startswith(f'{package}.')} == set(named)
