# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Imports go one way: nodes -> ros -> core, training -> core; and in no circle."""
import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _modules():
    """File by name of the module, all of the package but generated code."""
    found = {}
    for base, prefix in ((ROOT / 'smern_ros', 'smern_ros'), (ROOT / 'training', 'smern_ros.training')):
        for file in base.rglob('*.py'):
            parts = file.relative_to(base).with_suffix('').parts
            if parts[0] in ('msg', 'srv'):
                continue
            found['.'.join([prefix, *(part for part in parts if part != '__init__')])] = file
    return found


MODULES = _modules()


def _statements(body):
    """Of a module as it is imported: not of its functions, nor what only type checkers read."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and 'TYPE_CHECKING' not in ast.dump(node.test):
            yield from _statements([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _statements([*node.body, *node.orelse, *node.finalbody])


def _imported(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            names = (f'{node.module}.{alias.name}' for alias in node.names)
            yield from (name if name in MODULES else node.module for name in names)


def _edges(*, everywhere):
    """:param everywhere: within functions, too."""
    for name, file in MODULES.items():
        tree = ast.parse(file.read_text(encoding='utf-8'))
        nodes = _statements(tree.body)
        if everywhere:
            nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
        yield from ((name, other) for other in set(_imported(nodes)) if other in MODULES and other != name)


def test_no_module_imports_itself_by_way_of_others():
    left = {name: set() for name in MODULES}
    for name, other in _edges(everywhere=False):
        left[name].add(other)
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f'circles among {sorted(left)}'


@pytest.mark.parametrize(('package', 'forbidden'), [
    ('nodes', ('training',)), ('ros', ('nodes', 'training')), ('training', ('nodes', 'ros')),
    *((core, ('nodes', 'ros', 'training')) for core in (
        'assets', 'audio', 'deploy', 'emotion', 'hri', 'media', 'models', 'skeleton', 'speech', 'text', 'utils',
        'spec', 'values')),
])
def test_imports_go_one_way(package, forbidden):
    def within(module, packages):
        return module.split('.')[1:2] and module.split('.')[1] in packages

    wrong = [
        f'{name} imports {other}' for name, other in _edges(everywhere=True)
        if within(name, (package,)) and within(other, forbidden)
    ]
    assert not wrong
