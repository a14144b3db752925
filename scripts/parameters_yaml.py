# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes config/emotion.yaml from the nodes' own tables: python scripts/parameters_yaml.py > config/emotion.yaml"""
from __future__ import annotations

import importlib
from collections.abc import Iterator

import yaml

from smern_ros.deploy import graph
from smern_ros.ros.node import SmernNode
from smern_ros.ros.parameters import Parameter

HEAD = """\
# Every parameter of every node, with its default; `ros2 launch smern_ros emotion.launch.py` and `smern run` read it.
# Copy it, keep what you change, and name the copy: params_file:=my.yaml or --params-file my.yaml
# A section holds in whatever namespace its node runs. live: may be changed while the node runs.
"""
COMMENT_AT = 42
WIDTH = 120


def node_class(node: graph.GraphNode) -> type[SmernNode]:
    """The class in the node's module that bears its name."""
    module = importlib.import_module(node.module)
    (found,) = (
        c for c in vars(module).values()
        if isinstance(c, type) and issubclass(c, SmernNode) and getattr(c, 'NAME', None) == node.name
    )
    return found


def text() -> str:
    """The whole file."""
    use_sim_time = Parameter('use_sim_time', False, 'follow /clock')
    blocks = [HEAD]
    for node in graph.NODES:
        blocks += _section(f'/**/{node.name}', node.purpose, node_class(node).PARAMETERS)
    # At the end: rcl puts what the command line sets into the first section /** and lets later sections win.
    blocks += _section('/**', 'all nodes', (*SmernNode.COMMON_PARAMETERS, use_sim_time))
    return '\n'.join(blocks) + '\n'


def _section(pattern: str, purpose: str, parameters: tuple[Parameter, ...]) -> Iterator[str]:
    if parameters:
        yield f'{pattern}:  # {purpose}\n  ros__parameters:'
        for parameter in parameters:
            yield from _lines(parameter)
        yield ''


def _lines(parameter: Parameter) -> Iterator[str]:
    setting = yaml.safe_dump({parameter.name: parameter.default}, width=1000).strip()
    words = [parameter.description]
    if parameter.bounds:
        words.append('{:g}..{:g}'.format(*parameter.bounds))
    if parameter.choices:
        words.append('one of ' + ', '.join(choice or "''" for choice in parameter.choices))
    if parameter.live:
        words.append('live')
    line = f'{"    " + setting + "  ":<{COMMENT_AT}}'  # YAML wants space before a comment
    for word in '; '.join(words).split():
        sign = ' ' if '#' in line else '# '
        if len(line) + len(sign) + len(word) > WIDTH:
            yield line
            line, sign = ' ' * COMMENT_AT, '# '
        line += sign + word
    yield line


if __name__ == '__main__':
    print(text(), end='')
