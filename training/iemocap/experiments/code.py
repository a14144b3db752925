# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The code that a run depends on: what was computed by other code is another run."""
from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from smern_ros.models import NETWORKS
from smern_ros.training.iemocap.experiments.train_network import TRAINERS

PACKAGE = 'smern_ros'
_RUNS = f'{PACKAGE}.training.iemocap.experiments.runs'


@cache
def code_of(model: str) -> str:
    """16 hex digits of the sources of all modules of this package by which a run of the network called `model` is made:
    its own module, those of its trainer and of the runs, and what these import.
    """
    modules = {name.partition(':')[0] for name in (NETWORKS[model], TRAINERS.get(model, _RUNS), _RUNS)}
    files = {path for module in modules for path in _imported(module)}
    contents = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return hashlib.sha256(''.join(contents).encode()).hexdigest()[:16]


def _imported(module: str) -> set[Path]:
    """Files of a module and of all modules of this package that it imports, directly or by others."""
    found: dict[str, Path] = {}
    left = [module]
    while left:
        name = left.pop()
        path = None if name in found else _file(name)
        if path is not None:
            found[name] = path
            parents = name.split('.')[:-1]
            left += ['.'.join(parents[:n + 1]) for n in range(len(parents))]
            left += _imports(ast.parse(path.read_bytes()))
    return set(found.values())


def _file(name: str) -> Path | None:
    """None if this is no module but something in one."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _imports(node: ast.AST) -> Iterator[str]:
    """Names in this package that may be modules. What is imported for types alone changes no result."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == 'TYPE_CHECKING':
        return
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or '', *(f'{node.module}.{alias.name}' for alias in node.names)]
    else:
        names = []
    yield from (name for name in names if name.split('.')[0] == PACKAGE)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child)
