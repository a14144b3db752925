# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Any bag of ROS 2, MCAP or sqlite3, a folder or one of its files. What it tells is not believed before it is checked.

Needs no ROS.
"""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from smern_ros.bag import mcap_file, order, sqlite_file
from smern_ros.bag.contents import MAX_MESSAGE, ZSTD_MAGIC, CutOff, Message, Topic, unpacked
from smern_ros.bag.errors import BagError
from smern_ros.bag.mcap_file import McapFile
from smern_ros.bag.sqlite_file import SqliteFile

METADATA = 'metadata.yaml'
MAX_METADATA = 1 << 20
"""Bytes."""
MAX_FILES = 10_000
MAX_TOLD = 3
"""Problems of a bag that are told."""
_KINDS: dict[bytes, type[McapFile] | type[SqliteFile]] = {mcap_file.MAGIC: McapFile, sqlite_file.MAGIC: SqliteFile}
_SUFFIXES = ('.mcap', '.db3', '.mcap.zstd', '.db3.zstd')
"""Of files of a bag; of those that hold the same the first is read."""


class _Packed(BagError):
    """A file that nothing of can be read."""


class BagReader:
    """A bag and its topics.

    :raises BagError: if there is no such bag, it is none, or it tells of itself what cannot be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hashes: dict[str, str] = {}   # of message types by topic, where the bag tells them
        self.notes: list[str] = []         # what is unusual and loses nothing
        self._problems: list[BagError] = []    # of what is lost
        self._files: list[McapFile | SqliteFile] = []
        for file in self._listed() if path.is_dir() else [path]:
            try:
                self._files.append(_open(file))
            except _Packed:
                raise
            except BagError as error:
                self._problems.append(error)
        if not self._files:
            raise self._problems[0]
        self.topics = self._merged()

    @property
    def problems(self) -> list[BagError]:
        """What of the bag cannot be read, as far as it is known before its messages are read."""
        return [*self._problems, *(problem for file in self._files for problem in file.problems)]

    def messages(self, topics: Collection[str]) -> Iterator[Message]:
        """Those of the topics of these names, in the order in which they were recorded: all that can be read.

        :raises CutOff: after the last one, if a file was cut off.
        :raises BagError: after the last one, if something else could not be read.
        """
        wanted = {self.topics[name] for name in topics if name in self.topics}
        problems = self.problems
        parts = [part for file in self._files for part in file.parts(wanted)]
        for message in order.in_time_order(parts, problems):
            if message.data.startswith(ZSTD_MAGIC):  # CDR begins otherwise
                what = f'a message of {message.topic.name} in {self.path}'
                try:
                    message = dataclasses.replace(message, data=unpacked(message.data, 'zstd', MAX_MESSAGE, what))
                except BagError as error:
                    if len(problems) < MAX_TOLD:
                        problems.append(error)
                    continue
            yield message
        if problems:
            told = '; '.join(dict.fromkeys(map(str, problems[:MAX_TOLD])))
            raise (CutOff if all(isinstance(p, CutOff) for p in problems) else BagError)(told)

    def _merged(self) -> dict[str, Topic]:
        """By name; of what has the same name the one that can be played, then the one with most messages."""
        counted: dict[Topic, Topic] = {}
        for topic in (topic for file in self._files for topic in file.topics):
            known = counted.get(topic, dataclasses.replace(topic, count=0))
            counted[topic] = dataclasses.replace(known, count=known.count + topic.count,
                                                 type_hash=known.type_hash or topic.type_hash)
        by_name: dict[str, Topic] = {}
        for topic in sorted(counted.values(), key=lambda topic: (topic.encoding != 'cdr', -topic.count)):
            used = by_name.setdefault(topic.name, topic)
            if used is not topic and topic.count:
                self.notes.append(f'{topic.name} is of {used.type_name[:80]} ({used.encoding[:40]}) and of '
                                  f'{topic.type_name[:80]} ({topic.encoding[:40]}); the latter is left out')
            if topic.type_hash:
                self.hashes.setdefault(topic.name, topic.type_hash)
        return by_name

    # --- files --------------------------------------------------------------------------------------------------

    def _listed(self) -> list[Path]:
        """The bag's files in their order: as metadata.yaml tells, then what else there is."""
        try:
            names = {f.name for f in self.path.iterdir() if not f.name.startswith('.')}
        except OSError as error:
            raise BagError(f'{self.path} cannot be read: {error.strerror}') from error
        best: dict[str, str] = {}      # by name without suffix: a bag that was unpacked or converted is there twice
        for suffix in _SUFFIXES:
            for name in names:
                if name.endswith(suffix):
                    best.setdefault(name.removesuffix(suffix), name)
        told = self._told()
        chosen: dict[str, str] = {}
        for name in told:
            stem = next((name.removesuffix(suffix) for suffix in reversed(_SUFFIXES) if name.endswith(suffix)), name)
            if name in names and not name.endswith('.zstd'):
                chosen.setdefault(stem, name)
            elif stem in best:
                chosen.setdefault(stem, best[stem])
            else:
                self._problems.append(BagError(f'there is no file {self.path / name}, which {METADATA} tells'))
        for stem in sorted(best.keys() - chosen.keys(), key=lambda stem: _natural(best[stem])):
            chosen[stem] = best[stem]
            if told:
                self.notes.append(f'{self.path / best[stem]} is played, too, though {METADATA} does not tell of it')
        if not chosen:
            raise BagError(f'{self.path} is no bag: it has no file of a bag')
        return [self.path / name for name in chosen.values()][:MAX_FILES]

    def _told(self) -> list[str]:
        """The names of the files by metadata.yaml; none if there is no such file, or it is broken."""
        file = self.path / METADATA
        if not file.exists():  # whoever recorded it was killed
            return []
        try:
            told = _metadata(file)
        except BagError as error:
            self.notes.append(f'{error}. The files are taken as they lie there')
            return []
        names = told.get('relative_file_paths')
        if not isinstance(names, list) or not 0 < len(names) <= MAX_FILES or not all(isinstance(n, str) for n in names):
            self.notes.append(f'{file} does not tell the files of the bag. They are taken as they lie there')
            return []
        self.hashes = dict(_hashes(told))
        return [PureWindowsPath(name).name for name in names]  # old bags tell a path, and Windows has another slash


def _natural(name: str) -> list[str | int]:
    """By which bag_10 comes after bag_9."""
    return [int(part) if k % 2 else part for k, part in enumerate(re.split(r'([0-9]+)', name))]


class _Loader(yaml.SafeLoader):
    """Refuses merges, with which a page of text takes all memory."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        pass


def _metadata(file: Path) -> dict[str, Any]:
    if not file.is_file():  # a pipe would be waited for
        raise BagError(f'{file} is no file')
    try:
        with file.open('rb') as stream:
            text = stream.read(MAX_METADATA + 1)
        if len(text) > MAX_METADATA:
            raise ValueError(f'it has more than {MAX_METADATA} bytes')
        told = yaml.load(text, _Loader)['rosbag2_bagfile_information']
    except (OSError, yaml.YAMLError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BagError(f'{file} is not what ros2 bag writes: {str(error)[:200]}') from None
    if not isinstance(told, dict):
        raise BagError(f'{file} is not what ros2 bag writes: it has no fields')
    return told


def _hashes(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    listed = told.get('topics_with_message_count')
    for one in listed if isinstance(listed, list) else []:
        topic = one.get('topic_metadata') if isinstance(one, dict) else None
        if isinstance(topic, dict):
            yield _text(topic.get('name')), _text(topic.get('type_description_hash'))


def _text(value: Any) -> str:
    """What is text; anything else, which aliases of YAML can make as large as memory when it is written out, is ''."""
    return value if isinstance(value, str) else ''


def _open(file: Path) -> McapFile | SqliteFile:
    if not file.is_file():  # a pipe or device would be waited for
        raise BagError(f'there is no file {file}')
    try:
        with file.open('rb') as stream:
            start = stream.read(16)
    except OSError as error:
        raise BagError(f'{file} cannot be read: {error.strerror}') from error
    if start.startswith(ZSTD_MAGIC):
        raise _Packed(f'{file} is compressed as a whole. Unpack what the bag has of such files, then play it: '
                      f'unzstd {file}')
    for magic, kind in _KINDS.items():
        if len(start) < len(magic) and magic.startswith(start):
            raise CutOff(f'{file} is cut off after {len(start)} bytes')
        if start.startswith(magic):
            return kind(file)
    raise BagError(f'{file} is no bag: neither MCAP nor sqlite3')
