# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Message definitions, which a bag contains so that it can be read without the packages. Needs no ROS."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from smern_ros.utils.resources import share

OURS = 'smern_ros'
_SEPARATOR = '=' * 80 + '\nMSG: '


@dataclass(frozen=True)
class Definition:
    """Definition of a message type and the types in it."""

    text: str   # as .msg, followed by the types in it; those of this package with their comments
    hash: str   # RIHS01_..., differs between versions of a type


class Definitions:
    """Definitions of the messages of this package, from its .msg files, and of those of ROS 2."""

    def __init__(self) -> None:
        """:raises FileNotFoundError: if the package's .msg files were not installed."""
        self._store = get_typestore(Stores.ROS2_KILTED)
        self._ours = {f'{OURS}/msg/{file.stem}': file for file in sorted(share('msg').glob('*.msg'))}
        types: dict = {}
        for name, file in self._ours.items():
            types.update(get_types_from_msg(file.read_text('utf-8'), name))
        self._store.register(types)

    def of(self, type_name: str) -> Definition:
        """:param type_name: such as sensor_msgs/msg/Image. :raises ValueError: if the type is unknown."""
        if type_name not in self._store.fielddefs:
            raise ValueError(f'unknown message type {type_name!r}; expected one of smern_ros or of ROS 2 itself')
        text, _ = self._store.generate_msgdef(type_name, ros_version=2)
        root, *others = text.split(_SEPARATOR)
        parts = [self._verbatim(type_name, root)]
        for other in others:
            name, _, content = other.partition('\n')
            package, _, short = name.partition('/')
            parts.append(f'{_SEPARATOR}{name}\n' + self._verbatim(f'{package}/msg/{short}', content))
        return Definition(''.join(parts), self._store.hash_rihs01(type_name))

    def _verbatim(self, type_name: str, text: str) -> str:
        """Text of the .msg file if the type is of this package, else `text`."""
        file: Path | None = self._ours.get(type_name)
        return text if file is None else file.read_text('utf-8')
