# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Networks of the paper and of this package, one per file. `build(name)` creates one with the paper's hyper-parameters.

`smern_ga` is the second phase of SMERN-GA, from the vectors of the modalities to logits; `smern_ga_whole` has both
phases. All others compute logits from features. `smern_ros.models.batch` makes their inputs.
"""
from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

NETWORKS = {
    'are': 'smern_ros.models.are:ARE',
    'tre': 'smern_ros.models.tre:TRE',
    'words': 'smern_ros.models.words:Words',
    'smacn': 'smern_ros.models.smacn:SMACN',
    'mdre': 'smern_ros.models.mdre:MDRE',
    'smern': 'smern_ros.models.smern:SMERN',
    'smern_ga': 'smern_ros.models.smern_ga:SmernGA',
    'voice': 'smern_ros.models.voice:Voice',
    'smern_ga_whole': 'smern_ros.models.smern_ga_whole:WholeSmernGA',
    'cma': 'smern_ros.models.cma:CMA',
    'xu': 'smern_ros.models.xu:Xu',
    'lstm': 'smern_ros.models.lstm:SkeletonLSTM',
    'lstm_att': 'smern_ros.models.lstm_att:SkeletonLSTMAttention',
    'cnn': 'smern_ros.models.cnn:SkeletonCNN',
    'cnn3d': 'smern_ros.models.cnn3d:Skeleton3DCNN',
    'mocap': 'smern_ros.models.mocap:MocapCNN',
}
"""Module and class of each network. The only argument of a class is its `Config`, a frozen dataclass."""
OF_CHECKPOINTS = ('smern_ga', 'voice', 'words')
"""Networks that are parts of a checkpoint and not of the paper's experiments."""


def build(name: str, **overrides) -> Any:
    """The network called `name`, an `nn.Module` with untrained weights.

    :param overrides: hyper-parameters that differ from the paper's; the fields of the network's `Config`. Those of an
        encoder inside it are a mapping: `build('smern', words=900, smacn={'heads': 3})`.
    :raises ValueError: for an unknown network or hyper-parameter, or a value out of bounds.
    """
    network = network_class(name)
    return network(_changed(network.Config(), name, overrides))


def network_class(name: str) -> Any:
    """The class of the network called `name`, with its `Config` and `INPUTS`.

    :raises ValueError: for an unknown network.
    """
    if name not in NETWORKS:
        raise ValueError(f'unknown network {name!r}; expected one of {", ".join(NETWORKS)}')
    module, class_name = NETWORKS[name].split(':')
    return getattr(importlib.import_module(module), class_name)


def name_of(network: nn.Module) -> str:
    """The name by which `build` makes a network of this class."""
    wanted = f'{type(network).__module__}:{type(network).__qualname__}'
    return next(name for name, path in NETWORKS.items() if path == wanted)


def _changed(config: Any, name: str, overrides: Mapping[str, Any]) -> Any:
    known = [field.name for field in dataclasses.fields(config)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ValueError(f'{name} has no hyper-parameter {", ".join(unknown)}; it has {", ".join(known)}')
    values = {}
    for key, value in overrides.items():
        inner = getattr(config, key)
        is_inner = dataclasses.is_dataclass(inner) and isinstance(value, Mapping)
        values[key] = _changed(inner, f'{name}.{key}', value) if is_inner else value
    return dataclasses.replace(config, **values)
