# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Values of parameters as text and YAML, read as the type that is declared: `no` is a language, 2 a time. No ROS."""
from __future__ import annotations

import contextlib
import math

import yaml

Scalar = bool | int | float | str

TEXT = 'tag:yaml.org,2002:str'
_BOOLS = {'true': True, 'yes': True, 'on': True, 'y': True, 'false': False, 'no': False, 'off': False, 'n': False}
_YAML_FLOATS = {'.inf': math.inf, '+.inf': math.inf, '-.inf': -math.inf, '.nan': math.nan}
_EXPECTED = {bool: 'true or false', int: 'a whole number', float: 'a number'}
_QUOTES = ('"', "'")


def read(text: str, kind: type[Scalar]) -> Scalar:
    """
    :param text: as it was typed, without YAML's quotes.
    :param kind: the declared type: bool, int, float or str.
    :raises ValueError: if it does not read as that.
    """
    if kind is str:
        return text
    word = text.strip().lower()
    with contextlib.suppress(ValueError, OverflowError):
        if kind is int:
            return _whole(word)
        if kind is float:
            return _YAML_FLOATS[word] if word in _YAML_FLOATS else _number(word)
        if word in _BOOLS:
            return _BOOLS[word]
    raise ValueError(f'{text!r} is not {_EXPECTED[kind]}')


def _whole(word: str) -> int:
    with contextlib.suppress(ValueError):
        return int(word, 0)  # 0x10, too
    number = float(word)  # 1e3, 8.0 and 08, too
    if number != int(number):
        raise ValueError('not whole')
    return int(number)


def _number(word: str) -> float:
    with contextlib.suppress(ValueError):
        return float(word)
    return float(int(word, 0))


def to_yaml(value: Scalar) -> yaml.ScalarNode:
    """So that ROS takes it for that type; its rules differ from PyYAML's."""
    node = yaml.SafeDumper('').represent_data(value)
    if isinstance(value, str):
        node.style = '"'
    return node


def from_command_line(text: str) -> yaml.Node:
    """A value whose type is not known yet. Quotes and lists are YAML's, all else is the text as it is: `a: b # c`.

    :raises ValueError: if a quote is open.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        if text.startswith(_QUOTES):
            raise ValueError(f'{text!r} is no value: its quote is not closed') from error
        node = None
    if isinstance(node, yaml.SequenceNode) and node.flow_style:
        return node
    if isinstance(node, yaml.ScalarNode) and node.style in _QUOTES:
        return node
    return yaml.ScalarNode(yaml.SafeLoader('').resolve(yaml.ScalarNode, text, (True, False)), text)
