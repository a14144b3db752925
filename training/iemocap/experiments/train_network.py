# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One network trained on one fold (paper, section IV-C): Adam, batches of 128, cross-entropy.

The paper is silent on when to stop: training ends when the development set has not got better for some epochs, and
the weights that were best on it are kept, as in [30]. Nothing of the test set is read before that.
"""
from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from smern_ros import models
from smern_ros.text.vocabulary import SPECIAL, Vocabulary
from smern_ros.training.common.trainer import Batch, Epoch, fit
from smern_ros.training.iemocap.experiments.network_samples import NetworkSamples
from smern_ros.training.iemocap.experiments.vectors import WordVectors
from smern_ros.training.open_model.samples import in_length_buckets

CLIP_VALUE = dict.fromkeys(('are', 'tre', 'mdre'), 10.0)
"""Bound of each gradient, of the networks of [30]. Of the others no paper says that it is bounded."""

TRAINERS = {name: f'smern_ros.training.iemocap.experiments.shipped:{name}' for name in ('voice', 'words')}
"""Networks that are not the paper's and are trained in another way: by which function, in which module."""

AT_ONCE = 6000
"""Frames of movement, on average, that a convolutional network is given at once on a CPU: the gradients of the parts of
a batch are summed. A batch of SMACN at once, 128 utterances of 10 s, takes 6 GB. Far fewer would slow down the
recurrent layers beside it."""

UNKNOWN_WORD = 0.25
"""Words without a pretrained vector begin within plus or minus this, as in [30]."""


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how; batch and learning rate are the paper's."""

    epochs: int = 100
    patience: int = 10  # epochs without a better development loss
    batch: int = 128
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        for name in ('epochs', 'patience', 'batch', 'learning_rate'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} is {getattr(self, name)}; wanted above 0')


@dataclass(frozen=True)
class Machine:
    """Where it is computed. What this changes of a result is rounding, and what dropout draws."""

    device: str = 'cpu'
    low_precision: bool = False  # bfloat16 in training

    def description(self) -> str:
        """This computer's processor or GPU and memory, and how it is used, in a line."""
        parts = [_processor(), f'{os.cpu_count()} cores', _memory(), f'{platform.system()} {platform.machine()}']
        if self.device.startswith('cuda'):
            parts.append(torch.cuda.get_device_name(self.device))
        precision = ', bfloat16 in training' if self.low_precision else ''
        return f'{", ".join(part for part in parts if part)}; trained on {self.device}{precision}'

    def require(self) -> None:
        """:raises ValueError: if there is no such device."""
        try:
            torch.empty(1, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f'device {self.device!r} cannot be used ({error}); cpu always can') from None


def build(
    model: str, vocabulary: Vocabulary, overrides: dict, seed: int, vectors: WordVectors | None = None
) -> nn.Module:
    """An untrained network whose embedding fits the vocabulary and begins with the vectors given."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sizes = {}
        if 'words' in models.network_class(model).INPUTS:
            sizes['words'] = len(vocabulary)
            if vectors is not None:
                sizes['embedding'] = vectors.size
        network = models.build(model, **{**sizes, **overrides})
        for module in network.modules():
            if isinstance(module, nn.Embedding):
                _fill(module, vocabulary, vectors)
    return network


def train(
    network: nn.Module, model: str, learn: NetworkSamples, dev: NetworkSamples, settings: TrainingSettings, seed: int,
    machine: Machine = Machine(), *, pretrained: bool = False,
) -> tuple[Epoch, ...]:
    """Train in place, on the machine's device. The same seed gives the same weights on the same kind of machine.

    :param pretrained: the network ends as it is given unless an epoch makes it better on the development part.
    :return: what came of each epoch.
    :raises ValueError: if it diverges.
    """
    network.to(machine.device)
    if machine.device == 'cpu':
        channels_last(network)
    clip = CLIP_VALUE.get(model)
    generator = np.random.default_rng(seed)
    lengths = _lengths(learn)
    at_once = _at_once(network, machine, settings.batch, learn)
    cuda = machine.device.startswith('cuda')
    low_precision = machine.low_precision and not (machine.device == 'cpu' and _of_three_dimensions(network))

    def batches(_epoch: int) -> Iterator[list[int]]:
        rows = range(len(learn))
        return in_length_buckets(
            rows, learn.labels, lengths.__getitem__, lambda of_batch, _: of_batch, settings.batch, generator
        )

    def parts(rows: list[int]) -> Iterator[Batch]:
        for part in np.array_split(rows, -(-len(rows) // at_once)):
            yield _inputs(network, learn, part.tolist(), machine.device)

    with torch.random.fork_rng(devices=[machine.device] if cuda else []), \
            torch.backends.cudnn.flags(benchmark=False, deterministic=True):
        torch.manual_seed(seed)
        return fit(
            model, network, batches, partial(_in_order, network, dev, at_once, machine.device),
            optimiser=torch.optim.Adam(network.parameters(), settings.learning_rate), weights=None,
            epochs=settings.epochs, patience=settings.patience, low_precision=low_precision, knows=pretrained,
            label_smoothing=0.0, clip=partial(_clip, clip) if clip else _leave, parts=parts, report=_say_nothing,
        )


def channels_last(network: nn.Module) -> None:
    """The layout in which a CPU convolves, pools and masks fastest. What is computed stays the same."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        elif isinstance(module, nn.Conv3d):
            module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]


@torch.inference_mode()
def predict(network: nn.Module, samples: NetworkSamples, batch: int, machine: Machine = Machine()) -> np.ndarray:
    """(N, 4) float32 probabilities, in the order of the samples."""
    network.to(machine.device).eval()
    order = _by_length(samples)
    at_once = _at_once(network, machine, batch, samples)
    logits = torch.cat([network(*inputs) for inputs, _ in _in_order(network, samples, at_once, machine.device)])
    probabilities = logits.float().softmax(dim=1).cpu().numpy()
    return probabilities[np.argsort(order)]


def _fill(embedding: nn.Embedding, vocabulary: Vocabulary, vectors: WordVectors | None) -> None:
    """Padding is zero; words without a vector are small and random, as in [30]."""
    with torch.no_grad():
        embedding.weight.uniform_(-UNKNOWN_WORD, UNKNOWN_WORD)
        embedding.weight[0] = 0
        if vectors is not None:
            for row, word in enumerate(vocabulary.words[len(SPECIAL) :], start=len(SPECIAL)):
                if word in vectors.words:
                    embedding.weight[row] = torch.from_numpy(vectors.rows[vectors.words[word]])


def _of_three_dimensions(network: nn.Module) -> bool:
    """On a CPU the gradient of a 3D convolution in bfloat16 reads memory that was never written (torch 2.13)."""
    return any(isinstance(module, nn.Conv3d) for module in network.modules())


def _at_once(network: nn.Module, machine: Machine, batch: int, samples: NetworkSamples) -> int:
    """How many utterances of such lengths."""
    convolves = any(isinstance(module, (nn.Conv2d, nn.Conv3d)) for module in network.modules())
    if not convolves or machine.device != 'cpu':
        return batch
    frames = sum(len(s.skeleton if s.mocap is None else s.mocap) for s in samples.tensors)
    return min(max(AT_ONCE * len(samples) // frames, 1), batch)


def _lengths(samples: NetworkSamples) -> list[int]:
    """Steps of each sample: what the padding of a batch is measured in."""
    return [
        max(len(t) for t in (s.mfcc, s.words, s.word_vectors, s.skeleton, s.mocap) if t is not None)
        for s in samples.tensors
    ]


def _by_length(samples: NetworkSamples) -> np.ndarray:
    return np.argsort(_lengths(samples), kind='stable')


def _in_order(network: nn.Module, samples: NetworkSamples, batch: int, device: str) -> Iterable[Batch]:
    """Batches of like length, the shortest first."""
    order = _by_length(samples)
    for start in range(0, len(order), batch):
        yield _inputs(network, samples, order[start : start + batch].tolist(), device)


def _inputs(network: nn.Module, samples: NetworkSamples, rows: list[int], device: str) -> Batch:
    batch, labels = samples.batch(rows, device)
    return batch.inputs(network), labels


def _clip(value: float, parameters: Iterable[nn.Parameter]) -> None:
    nn.utils.clip_grad_value_(parameters, value)


def _leave(_parameters: Iterable[nn.Parameter]) -> None:
    pass


def _say_nothing(_text: str) -> None:
    pass


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.machine())


def _memory() -> str:
    try:
        return f'{os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30:.0f} GiB'
    except (ValueError, OSError):
        return ''
