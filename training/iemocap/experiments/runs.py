# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One run: a network trained on one fold and tested on it. A plan is a list of them, of which each has its own id."""
from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from smern_ros import models
from smern_ros.training.common.trainer import Epoch
from smern_ros.training.iemocap.experiments import network_samples, protocols
from smern_ros.training.iemocap.experiments.code import code_of
from smern_ros.training.iemocap.experiments.integrate import Predictions
from smern_ros.training.iemocap.experiments.protocols import PROTOCOLS, Fold
from smern_ros.training.iemocap.experiments.train_network import (
    TRAINERS,
    Machine,
    TrainingSettings,
    build,
    predict,
    train,
)
from smern_ros.training.iemocap.experiments.vectors import WordVectors
from smern_ros.training.iemocap.features.feature_store import FeatureSet

HERE = ''
"""In place of a run's code: that of this installation."""
NEW_SPEAKERS, BEFOREHAND = 'new_speakers', 'leave_one_session_out'
"""The protocol of figure 5, and that of the runs in which its networks learn of the other eight speakers."""


@dataclass(frozen=True)
class Run:
    """What is trained, on what and by which code. The same run gives the same predictions."""

    model: str
    protocol: str                   # of `PROTOCOLS`, or 'new_speakers'
    fold: int                       # 0 for the first
    repetition: int = 0             # 0 for the first
    seed: int = 0                   # of the whole experiment; each repetition and fold has its own come of it
    filtered: bool = True           # whether movement went through the low-pass (table 3)
    fraction: float | None = None   # of the new speakers' utterances that is learnt from (figure 5)
    pretrained: bool = False        # on the other eight speakers (figure 5)
    overrides: Mapping[str, Any] = field(default_factory=dict, hash=False)  # hyper-parameters that are not the paper's
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    code: str | None = HERE         # by which it is made (`code_of`); None: not known, of a version that did not tell

    def __post_init__(self) -> None:
        """:raises ValueError: for an unknown network or protocol, or what does not go together."""
        network_samples.fields(self.model)
        if self.code == HERE:
            object.__setattr__(self, 'code', code_of(self.model))
        if self.protocol not in (*PROTOCOLS, NEW_SPEAKERS):
            names = ', '.join((*PROTOCOLS, NEW_SPEAKERS))
            raise ValueError(f'no protocol is called {self.protocol!r}; there are {names}')
        if min(self.fold, self.repetition, self.seed) < 0:
            raise ValueError(f'fold {self.fold}, repetition {self.repetition}, seed {self.seed}: none may be below 0')
        if (self.fraction is not None) != (self.protocol == NEW_SPEAKERS):
            raise ValueError(f'a fraction goes with the protocol {NEW_SPEAKERS} and with no other; got {self}')
        if self.pretrained and self.protocol != NEW_SPEAKERS:
            raise ValueError(f'only runs of the protocol {NEW_SPEAKERS} can be pretrained; got {self}')

    @property
    def id(self) -> str:
        """For people to read, and unique: a digest of every field stands at the end."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        parts = [self.model, self.protocol]
        if self.fraction is not None:
            parts += [f'{self.fraction:g}', 'pretrained' if self.pretrained else 'scratch']
        if not self.filtered:
            parts.append('unfiltered')
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return '-'.join([*parts, f'r{self.repetition}', f'f{self.fold}', digest])

    @property
    def beforehand(self) -> Run | None:
        """The run whose network this one begins with; None if it begins with none."""
        if not self.pretrained:
            return None
        return dataclasses.replace(self, protocol=BEFOREHAND, fraction=None, pretrained=False)

    @property
    def experiment(self) -> Run:
        """The same for all folds and repetitions of an experiment."""
        return dataclasses.replace(self, fold=0, repetition=0)

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in dataclasses.asdict(self).items() if (name, value) != ('code', None)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Run:
        return cls(**{'code': None, **fields, 'settings': TrainingSettings(**fields['settings'])})

    def seeds(self, count: int) -> list[int]:
        """Of what is random in this run; networks compared with each other have the same ones."""
        sequence = np.random.SeedSequence((self.seed, self.repetition, self.fold))
        return [int(seed) for seed in sequence.generate_state(count)]


@dataclass(frozen=True, eq=False)
class Start:
    """A trained network to go on with."""

    preparation: network_samples.Preparation
    weights: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class RunOutcome:
    """What came of a run."""

    predictions: Predictions
    history: tuple[Epoch, ...]
    parameters: int
    counts: tuple[int, int, int]  # utterances learnt from, developed on, tested
    without: int                  # utterances of the fold that lack something the network needs
    seconds: float
    preparation: network_samples.Preparation
    network: nn.Module


def fold_of(run: Run, features: FeatureSet) -> tuple[Fold, int]:
    """The run's fold, less the utterances that lack something its network needs, and how many these are.

    All networks share folds: those of the whole corpus, from which each leaves out what it cannot take.

    :raises ValueError: if there is no such fold, or too little is left.
    """
    split_seed = int(np.random.SeedSequence((run.seed, run.repetition)).generate_state(1)[0])
    if run.fraction is not None:
        folds = protocols.new_speakers(features.utterances, split_seed, run.fraction)
    else:
        folds = PROTOCOLS[run.protocol](features.utterances, split_seed)
    if run.fold >= len(folds):
        raise ValueError(f'{run.protocol} has {len(folds)} folds on this corpus; there is no fold {run.fold}')
    whole = folds[run.fold]
    fold = whole.only(network_samples.usable(features, run.model))
    protocols.check(fold, features.utterances, few=run.fraction is not None)
    return fold, _size(whole) - _size(fold)


def execute(
    run: Run, features: FeatureSet, *, start: Start | None = None, vectors: WordVectors | None = None,
    machine: Machine = Machine(),
) -> RunOutcome:
    """Train and test.

    :param start: what `run.beforehand` made.
    :param vectors: to begin the embedding with; without, it begins at random.
    :raises ValueError: if the corpus is too small for the run, training diverges, or the code here is other than that
        of the run.
    """
    if run.code != code_of(run.model):
        raise ValueError(f'{run.id} is of the code {run.code}, and here is {code_of(run.model)}: it was changed since '
                         'the command began, or another machine has another version of smern_ros')
    if (start is None) != (run.beforehand is None):
        raise ValueError(f'{run.id} begins {"with" if run.pretrained else "without"} a trained network')
    began = time.monotonic()
    fold, without = fold_of(run, features)
    if start is None:
        preparation = network_samples.Preparation.of(features, fold.train, run.model, filtered=run.filtered)
    else:
        preparation = start.preparation
    weight_seed, order_seed = run.seeds(2)
    learn, dev = (network_samples.samples(features, ids, preparation, run.model) for ids in (fold.train, fold.dev))
    if run.model in TRAINERS:
        module, name = TRAINERS[run.model].split(':')
        network, history = getattr(importlib.import_module(module), name)(learn, dev, run.settings, weight_seed)
    else:
        network = build(run.model, preparation.inputs.vocabulary, dict(run.overrides), weight_seed, vectors)
        if start is not None:
            network.load_state_dict(start.weights)
        history = train(
            network, run.model, learn, dev, run.settings, order_seed, machine, pretrained=start is not None
        )
    test = network_samples.samples(features, fold.test, preparation, run.model)
    probabilities = predict(network, test, run.settings.batch, machine)
    return RunOutcome(
        predictions=Predictions(np.array(test.ids), np.array(test.labels), probabilities),
        history=history,
        parameters=sum(p.numel() for p in network.parameters()),
        counts=(len(learn), len(dev), len(test)),
        without=without,
        seconds=time.monotonic() - began,
        preparation=preparation,
        network=network.cpu(),
    )


def plan(
    names: Sequence[str], protocol: str, *, folds: int = protocols.FOLDS, repetitions: int = 10, seed: int = 0,
    **same: Any,
) -> list[Run]:
    """Runs of some networks, fold by fold and repetition by repetition, so that any beginning compares all networks.

    :param folds: fewer than five for a trial: the first ones.
    :param same: further fields that all runs share.
    """
    unknown = sorted(set(names) - set(models.NETWORKS))
    if unknown:
        raise ValueError(f'no network is called {", ".join(unknown)}; there are {", ".join(models.NETWORKS)}')
    return [
        Run(name, protocol, fold, repetition, seed, **same)
        for repetition in range(repetitions) for fold in range(folds) for name in names
    ]


def _size(fold: Fold) -> int:
    return len(fold.train) + len(fold.dev) + len(fold.test)
