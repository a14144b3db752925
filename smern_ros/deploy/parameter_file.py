# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameter files of ROS: for whom they are, and their values as the types that a node declares. Needs no ROS."""
from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from smern_ros.deploy import yaml_scalars
from smern_ros.utils.file_size import require_size

LARGEST = 2**20
"""Bytes."""
KEY = 'ros__parameters'
OF_EVERY_NODE: Mapping[str, type] = {'use_sim_time': bool, 'start_type_description_service': bool}
OF_TOPICS = 'qos_overrides.'
"""What parameters of topics begin with; rclpy declares them."""
RENAMED = {
    'text_wait': 'text_timeout', 'skeleton_wait': 'skeleton_timeout', 'gestures': 'publish_gesture_states',
    'shortest': 'min_speech_duration', 'longest': 'max_utterance_duration', 'stall': 'audio_timeout',
    'occlusion': 'track_timeout',
}
"""Parameters of earlier versions, and what they are called now."""


class _Loader(yaml.SafeLoader):
    """Refuses what ROS refuses, but with the file's name."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem='ROS takes no aliases', problem_mark=mark)
        return super().compose_node(parent, index)


def load(path: Path) -> yaml.MappingNode:
    """The whole file, values not yet read.

    :raises ValueError, FileNotFoundError: naming the file and what is wrong.
    """
    if not path.is_file():
        raise FileNotFoundError(f'no parameter file {path}' + (': it is no file' if path.exists() else ''))
    try:
        require_size(path, LARGEST)
        root = yaml.compose(path.read_text(encoding='utf-8'), Loader=_Loader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise ValueError(f'the parameter file {path} cannot be read as YAML: {" ".join(str(error).split())}') from error
    for name, _ in _sections(root, path):
        if name:
            return root
    raise ValueError(f'the parameter file {path} is for no node: sections are NODE: {KEY}: PARAMETER: VALUE')


def require_for(path: Path, names: Sequence[str]) -> None:
    """Refuses a file that means none of these nodes: all would run with their defaults, and nobody would know.

    :param names: of nodes, with their namespaces, such as /robot/fusion.
    :raises ValueError, FileNotFoundError: naming the file and what is wrong.
    """
    sections = [section for section, _ in _sections(load(path), path)]
    if not any(_means(section, name) for section in sections for name in names):
        raise ValueError(f'the parameter file {path} is for none of the nodes {", ".join(names)}, but for '
                         f'{", ".join(sections)}. A section for a node in any namespace begins with /**/, as in '
                         f'/**/{names[0].rpartition("/")[2]}:')


def as_declared(path: Path, name: str, declared: Mapping[str, type]) -> str:
    """The file's content, with each value that is for this node as its type.

    :param name: with the namespace, such as /robot/fusion.
    :param declared: the node's parameters.
    :raises ValueError, FileNotFoundError: naming the file, the parameter and what is wrong.
    """
    root = load(path)
    for section, parameters in _sections(root, path):
        _write_out_empty(parameters)
        if _means(section, name):
            own = section.rpartition('/')[2] == name.rpartition('/')[2]
            try:
                _convert(parameters, '', {**OF_EVERY_NODE, **declared}, refuse_unknown=own)
            except ValueError as error:
                raise ValueError(f'{path}: {section}: {error}') from error
    return yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True)


def require_known(parameter: str, declared: Mapping[str, type]) -> None:
    """:raises ValueError: if the node has no such parameter. ROS would say nothing."""
    known = {**OF_EVERY_NODE, **declared}
    if parameter not in known and not parameter.startswith(OF_TOPICS):
        if RENAMED.get(parameter) in known:
            raise ValueError(f'parameter {parameter} is called {RENAMED[parameter]} now')
        meant = difflib.get_close_matches(parameter, known, 1)
        raise ValueError(f'unknown parameter {parameter}' + (f'; did you mean {meant[0]}?' if meant else ''))


def _sections(node: yaml.Node | None, path: Path, name: str = '') -> Iterator[tuple[str, yaml.MappingNode]]:
    """Each with the node's name or pattern, which may be nested."""
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f'the parameter file {path} is wrong at {name or "its begin"}: expected are sections '
                         f'NODE: {KEY}: PARAMETER: VALUE')
    for place, (key, value) in enumerate(node.value):
        if key.value != KEY:
            yield from _sections(value, path, f'{name}/{str(key.value).strip("/")}')
        elif isinstance(value, yaml.MappingNode):
            yield name, value
        elif value.value:
            raise ValueError(f'the parameter file {path} is wrong at {name}: {KEY} has no PARAMETER: VALUE')
        else:  # all of it is commented out, which ROS would refuse
            node.value[place] = key, yaml.MappingNode('tag:yaml.org,2002:map', [], flow_style=True)


def _means(section: str, name: str) -> bool:
    """Whether the section is for that node: * stands for one name, ** for any number."""
    words = {'*': r'/\w+', '**': r'(/\w+)*'}
    pattern = ''.join(words.get(word, '/' + re.escape(word)) for word in section.split('/')[1:])
    return re.fullmatch(pattern, name) is not None


def _write_out_empty(parameters: yaml.MappingNode) -> None:
    """ROS refuses a file with a value of which nothing is written, whoever it is for."""
    for place, (key, value) in enumerate(parameters.value):
        if isinstance(value, yaml.MappingNode):
            _write_out_empty(value)
        elif isinstance(value, yaml.ScalarNode) and not value.value:
            parameters.value[place] = key, yaml_scalars.to_yaml('')


def _convert(parameters: yaml.MappingNode, prefix: str, known: Mapping[str, type], *, refuse_unknown: bool) -> None:
    for place, (key, value) in enumerate(parameters.value):
        name = f'{prefix}{key.value}'
        if isinstance(value, yaml.MappingNode):
            _convert(value, f'{name}.', known, refuse_unknown=refuse_unknown)
        elif name in known:
            parameters.value[place] = key, convert(name, value, known[name])
        elif refuse_unknown:
            require_known(name, known)


def convert(parameter: str, value: yaml.Node, kind: type) -> yaml.ScalarNode:
    """:raises ValueError: naming the parameter and the value."""
    if not isinstance(value, yaml.ScalarNode):
        raise ValueError(f'{parameter} is a list, but must be one value')
    try:
        return yaml_scalars.to_yaml(yaml_scalars.read(value.value, kind))
    except ValueError as error:
        raise ValueError(f'{parameter}: {error}') from error
