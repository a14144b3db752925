# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph as child processes: what the launch file does, for whoever has no `ros2 launch`. Needs no ROS itself."""
from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from smern_ros.deploy import dds, graph, parameter_file, temp_file, yaml_scalars
from smern_ros.deploy.graph import GraphNode, node
from smern_ros.deploy.supervisor import Child
from smern_ros.utils import paths
from smern_ros.utils.resources import share

LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')


@dataclass(frozen=True)
class Override:
    """A parameter's value for one node; it wins over the parameter file. The node reads it as the type it declares."""

    node: str
    parameter: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Override:
        """From NODE.PARAMETER:=VALUE.

        :raises ValueError: if the text is something else or the graph has no such node.
        """
        target, assigned, value = text.partition(':=')
        name, dot, parameter = target.partition('.')
        if not (assigned and name and dot and parameter):
            raise ValueError(f'{text!r} is not NODE.PARAMETER:=VALUE, such as fusion.text_timeout:=1.5')
        yaml_scalars.from_command_line(value)
        return cls(node(name).name, parameter, value)

    @classmethod
    def text(cls, name: str, parameter: str, value: str) -> Override:
        """Of a value that is a string, whatever it looks like: a folder named `007` is no number.

        :raises ValueError: if the graph has no such node.
        """
        return cls(node(name).name, parameter, json.dumps(value, ensure_ascii=False))


def children(
    nodes: Sequence[GraphNode],
    *,
    params_file: Path | None = None,
    overrides: Sequence[Override] = (),
    namespace: str = '',
    log_level: str = 'info',
    use_sim_time: bool = False,
    autostart: bool = True,
    part: str = graph.ALL,
    dds_profile: str | None = None,
    dds_peers: str = '',
    dds_interface: str = '',
) -> list[Child]:
    """A supervised process for each node.

    :param params_file: by default config/emotion.yaml of the package.
    :param namespace: with or without the leading slash; empty: topics stand at the root, as in /emotion_state.
    :param autostart: False leaves all nodes unconfigured, for a lifecycle manager.
    :param part: of the graph that these nodes are: one of `smern_ros.deploy.graph.PARTS`.
    :param dds_profile: see `smern_ros.deploy.dds.environment`, as for dds_peers and dds_interface.
    :raises ValueError: if the log level, DDS profile or a peer is unknown, or if the parameter file is no YAML or is
        for none of the graph's nodes.
    :raises FileNotFoundError: if the parameter file does not exist.
    """
    if log_level not in LOG_LEVELS:
        raise ValueError(f'unknown log level {log_level!r}; expected one of {LOG_LEVELS}')
    params_file = paths.expand(params_file) if params_file else share('config', 'emotion.yaml')
    space = namespace.strip('/')
    parameter_file.require_for(params_file, graph.full_names(space))
    common = ['--params-file', str(params_file), '--log-level', log_level]
    if space:
        common += ['-r', f'__ns:=/{space}']
    if use_sim_time:
        overrides = [*overrides, *(Override(n.name, 'use_sim_time', 'true') for n in nodes)]
    if not autostart:
        overrides = [*overrides, *(Override(n.name, 'autostart', 'false') for n in nodes)]
    compressing = graph.compressing(nodes, part)
    overrides = [*(Override.text(name, 'transport', 'compressed') for name in compressing), *overrides]
    if awaited := graph.awaited(nodes, part):
        overrides = [Override.text(graph.SOURCE, 'wait_for', awaited), *overrides]
    order = {n.name: graph.start_after(n, nodes) for n in nodes}
    ordered = [*(Override.text(name, 'start_after', names) for name, names in order.items() if names), *overrides]
    env = {
        **dds.environment(dds_profile, peers=dds_peers, interface=dds_interface),
        'OMP_WAIT_POLICY': 'PASSIVE',  # spinning OpenMP threads take the processors from the other nodes
        'PYTHONUNBUFFERED': '1',
    }
    # Again without an order: the others are there by then.
    first, again = ([*common, *_parameters(values, space)] for values in (ordered, overrides))
    start = [sys.executable, '-m', 'smern_ros.nodes']
    return [
        Child(
            name=n.name,
            command=[*start, n.name, '--ros-args', '--enclave', n.enclave, *first],
            command_again=[*start, n.name, '--ros-args', '--enclave', n.enclave, *again],
            env=env,
            optional=n.optional,
            may_finish=n.optional,
        )
        for n in nodes
    ]


def _parameters(overrides: Sequence[Override], namespace: str) -> list[str]:
    """ROS arguments, for this process's life. `-p` would lose against a section of the nodes' file with a name."""
    if not overrides:
        return []
    sections: dict[str, dict[str, yaml.Node]] = {}
    for o in overrides:
        section = sections.setdefault(graph.full_name(o.node, namespace), {})
        section[o.parameter] = yaml_scalars.from_command_line(o.value)
    root = _mapping({name: _mapping({parameter_file.KEY: _mapping(own)}) for name, own in sections.items()})
    text = yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True)
    return ['--params-file', temp_file.write(text, '-set.yaml')]  # which errors name


def _mapping(content: Mapping[str, yaml.Node]) -> yaml.MappingNode:
    return yaml.MappingNode(
        'tag:yaml.org,2002:map', [(yaml_scalars.to_yaml(key), value) for key, value in content.items()]
    )
