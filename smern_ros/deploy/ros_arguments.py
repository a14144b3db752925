# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A node's ROS arguments, with parameters as the types that it declares. Needs no ROS.

ROS guesses types: `language: no` would be a boolean, `text_timeout: 2` not a float, and both be refused.
"""
from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence

import yaml

from smern_ros.deploy import parameter_file, yaml_scalars
from smern_ros.utils import paths

BEGIN, END = '--ros-args', '--'
PARAMETER, FILE, REMAPPING = ('-p', '--param'), ('--params-file',), ('-r', '--remap')
SPACE, NAME = '__ns', ('__node', '__name')


@contextlib.contextmanager
def typed(arguments: Sequence[str], node: str, declared: Mapping[str, type]) -> Iterator[list[str]]:
    """The arguments for ROS; while it reads them there are files of this process for those that they name.

    :param node: its name, unless the arguments give another.
    :param declared: the node's parameters.
    :raises ValueError, FileNotFoundError: naming the file or argument, the parameter and what is wrong.
    """
    name = _full_name(arguments, node)
    given: dict[str, str] = {}
    with contextlib.ExitStack() as files:
        words = list(arguments)
        for place, option in _options(arguments):
            if option in PARAMETER:
                words[place] = _parameter(words[place], name, declared)
            elif option in FILE:
                path = paths.expand(words[place])
                words[place] = files.enter_context(_file(parameter_file.as_declared(path, name, declared)))
                given[words[place]] = str(path)
        try:
            yield words
        except Exception as error:  # of ROS, which knows our files alone
            text = str(error)
            for ours, theirs in given.items():
                text = text.replace(ours, theirs)
            raise ValueError(text) from error


def _options(arguments: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Places of the values of ROS's options, each with its option."""
    within = False
    for place, word in enumerate(arguments):
        within = (within or word == BEGIN) and word != END
        if within and place + 1 < len(arguments) and word in (*PARAMETER, *FILE, *REMAPPING):
            yield place + 1, word


def _full_name(arguments: Sequence[str], node: str) -> str:
    space = ''
    for place, option in _options(arguments):
        left, _, right = arguments[place].partition(':=')
        if option in REMAPPING and (key := left.rpartition(':')[2]) in (SPACE, *NAME):
            space, node = (right.strip('/'), node) if key == SPACE else (space, right)
    return '/'.join(('', *filter(None, (space, node))))


def _parameter(rule: str, node: str, declared: Mapping[str, type]) -> str:
    """Of NAME:=VALUE or NODE:NAME:=VALUE."""
    left, assigned, text = rule.partition(':=')
    of, _, parameter = left.rpartition(':')
    if not assigned or (of and f'/{of}' != node):
        return rule
    try:
        parameter_file.require_known(parameter, declared)
    except ValueError as error:
        if of:
            raise ValueError(f'-p {rule}: {error}') from error
        print(f'{node}: -p {rule} is ignored: {error}', file=sys.stderr)  # a launch file may give it to all its nodes
        return rule
    try:
        value = yaml_scalars.from_command_line(text)
        if kind := {**parameter_file.OF_EVERY_NODE, **declared}.get(parameter):
            value = parameter_file.convert(parameter, value, kind)
    except ValueError as error:
        raise ValueError(f'-p {rule}: {error}') from error
    # As a list's only item it is one line, in YAML's short form.
    line = yaml.serialize(yaml.SequenceNode('tag:yaml.org,2002:seq', [value], flow_style=True), width=2**30,
                          Dumper=yaml.SafeDumper, allow_unicode=True)
    return f'{left}:={line.strip()[1:-1]}'


@contextlib.contextmanager
def _file(content: str) -> Iterator[str]:
    """A file in memory, which nothing is left of: a node's process may end at any moment."""
    with os.fdopen(os.memfd_create('parameters'), 'w', encoding='utf-8') as file:
        file.write(content)
        file.flush()
        yield f'/proc/self/fd/{file.fileno()}'
