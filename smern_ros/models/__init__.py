"""The paper's networks, one a file. `build(name)` makes one; its hyper-parameters default to the paper's."""
from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NETWORKS = {
    'are': 'smern_ros.models.are:ARE',
    'tre': 'smern_ros.models.tre:TRE',
    'smacn': 'smern_ros.models.smacn:SMACN',
    'smern_ga': 'smern_ros.models.smern_ga:SmernGA',
}
"""Where each network lives: module and class. A class takes its `Config`, a frozen dataclass, alone."""


def build(name: str, **overrides) -> nn.Module:
    """The network called `name`, with untrained weights.

    :param overrides: hyper-parameters that differ from the paper's; the fields of the network's `Config`.
    :raises ValueError: for an unknown network or hyper-parameter, or a value out of bounds.
    """
    if name not in NETWORKS:
        raise ValueError(f'no network is called {name!r}; there are {", ".join(NETWORKS)}')
    module, class_name = NETWORKS[name].split(':')
    network = getattr(importlib.import_module(module), class_name)
    known = [field.name for field in dataclasses.fields(network.Config)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ValueError(f'{name} has no hyper-parameter {", ".join(unknown)}; it has {", ".join(known)}')
    return network(network.Config(**overrides))
