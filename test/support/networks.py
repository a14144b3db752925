# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Networks and utterances for tests of any network: narrow ones, because the laws hold at any width."""
import torch

from smern_ros import models
from smern_ros.models.batch import Batch, Sample

WORDS = 50
_TEXT = {'words': WORDS, 'embedding': 12, 'hidden': 16}
_SMACN = {'first_channels': 6, 'channels': 8, 'attention_size': 10, 'heads': 3, 'out': 14}
_ENCODERS = {**_TEXT, 'audio': 10, 'text': 12, 'smacn': _SMACN}
NARROW = {
    'are': {'hidden': 16, 'out': 10},
    'tre': _TEXT,
    'smacn': _SMACN,
    'mdre': _TEXT,
    'smern': _ENCODERS,
    'smern_ga_whole': {**_ENCODERS, 'node': 8, 'out': 6, 'heads': 2},
    'cma': {**_TEXT, 'smacn': _SMACN},
    'xu': {**_TEXT, 'dense': 20, 'heads': 4, 'smacn': _SMACN},
    'lstm': {'hidden': 16},
    'lstm_att': {'hidden': 16},
    'cnn': {'first_channels': 4, 'hidden': 8},
    'cnn3d': {'channels': 8, 'hidden': 8},
    'voice': {'out': 10},
    'words': {'out': 10},
    'mocap': {'frames': 20, 'values': 18, 'hidden': 8},
}
"""Hyper-parameters of every network that goes from features to logits."""


def narrow(name: str, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return models.build(name, **NARROW[name]).eval()


def utterance(frames: int, words: int, steps: int, seed: int = 0, mocap: tuple[int, int] = (20, 18)) -> Sample:
    """An utterance of this many audio frames, words and skeleton frames, some joints of which are hidden."""
    generator = torch.Generator().manual_seed(seed)
    visible = torch.rand(steps, 10, generator=generator) > 0.3
    visible[0, 3] = True
    return Sample(
        mfcc=torch.randn(frames, 39, generator=generator),
        prosody=torch.randn(35, generator=generator),
        speech=torch.randn(768, generator=generator) * (seed % 3 != 1),  # some have none
        words=torch.randint(0, WORDS, (words,), generator=generator),
        word_vectors=torch.randn(words, 1152, generator=torch.Generator().manual_seed(seed)),
        skeleton=torch.randn(steps, 30, generator=generator),
        visible=visible,
        mocap=torch.randn(mocap, generator=generator),
    )


def logits(network: torch.nn.Module, *samples: Sample) -> torch.Tensor:
    """(B, 4)"""
    return network(*Batch.of(samples).inputs(network))
