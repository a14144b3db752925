# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reader of ROS 2 bags, MCAP or sqlite3: a folder or one of its files. All sizes are checked. Needs no ROS."""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from smern_ros.bag import mcap_file, order, sqlite_file
from smern_ros.bag.contents import MAX_MESSAGE, ZSTD_MAGIC, CutOff, Message, Topic, decompress
from smern_ros.bag.errors import BagError
from smern_ros.bag.mcap_file import McapFile
from smern_ros.bag.sqlite_file import SqliteFile

METADATA = 'metadata.yaml'
MAX_METADATA = 1 << 20
"""Bytes."""
MAX_FILES = 10_000
MAX_REPORTED = 3
"""Most problems of a bag named in an error."""
_KINDS: dict[bytes, type[McapFile] | type[SqliteFile]] = {mcap_file.MAGIC: McapFile, sqlite_file.MAGIC: SqliteFile}
_SUFFIXES = ('.mcap', '.db3', '.mcap.zstd', '.db3.zstd')
"""Suffixes of bag files; of files with the same stem the first is read."""


class _Compressed(BagError):
    """A file compressed as a whole, which is not supported."""


class BagReader:
    """A bag and its topics.

    :raises BagError: if it does not exist, is no bag, or exceeds a limit.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hashes: dict[str, str] = {}   # of message types by topic, if the bag has them
        self.notes: list[str] = []         # what is unusual, without loss of messages
        self._problems: list[BagError] = []    # with loss of messages
        self._files: list[McapFile | SqliteFile] = []
        for file in self._find_files() if path.is_dir() else [path]:
            try:
                self._files.append(_open(file))
            except _Compressed:
                raise
            except BagError as error:
                self._problems.append(error)
        if not self._files:
            raise self._problems[0]
        self.topics = self._merged()

    @property
    def problems(self) -> list[BagError]:
        """Parts of the bag that cannot be read, as far as known before its messages are read."""
        return [*self._problems, *(problem for file in self._files for problem in file.problems)]

    def messages(self, topics: Collection[str]) -> Iterator[Message]:
        """Yield all readable messages of these topics in the order of recording.

        :raises CutOff: after the last one, if a file was cut off.
        :raises BagError: after the last one, if something else could not be read.
        """
        wanted = {self.topics[name] for name in topics if name in self.topics}
        problems = self.problems
        parts = [part for file in self._files for part in file.parts(wanted)]
        for message in order.in_time_order(parts, problems):
            if message.data.startswith(ZSTD_MAGIC):  # which no CDR begins with
                what = f'a message of {message.topic.name} in {self.path}'
                try:
                    message = dataclasses.replace(message, data=decompress(message.data, 'zstd', MAX_MESSAGE, what))
                except BagError as error:
                    if len(problems) < MAX_REPORTED:
                        problems.append(error)
                    continue
            yield message
        if problems:
            text = '; '.join(dict.fromkeys(map(str, problems[:MAX_REPORTED])))
            raise (CutOff if all(isinstance(p, CutOff) for p in problems) else BagError)(text)

    def _merged(self) -> dict[str, Topic]:
        """Topics by name; of several with the same name one in CDR, then the one with most messages."""
        counted: dict[Topic, Topic] = {}
        for topic in (topic for file in self._files for topic in file.topics):
            known = counted.get(topic, dataclasses.replace(topic, count=0))
            counted[topic] = dataclasses.replace(known, count=known.count + topic.count,
                                                 type_hash=known.type_hash or topic.type_hash)
        by_name: dict[str, Topic] = {}
        for topic in sorted(counted.values(), key=lambda topic: (topic.encoding != 'cdr', -topic.count)):
            used = by_name.setdefault(topic.name, topic)
            if used is not topic and topic.count:
                self.notes.append(f'{topic.name} has types {used.type_name[:80]} ({used.encoding[:40]}) and '
                                  f'{topic.type_name[:80]} ({topic.encoding[:40]}); ignoring the latter')
            if topic.type_hash:
                self.hashes.setdefault(topic.name, topic.type_hash)
        return by_name

    # --- files --------------------------------------------------------------------------------------------------

    def _find_files(self) -> list[Path]:
        """Files of the bag in order: those in metadata.yaml, then all others."""
        try:
            names = {f.name for f in self.path.iterdir() if not f.name.startswith('.')}
        except OSError as error:
            raise BagError(f'{self.path} cannot be read: {error.strerror}') from error
        best: dict[str, str] = {}      # by stem: a decompressed or converted bag has each file twice
        for suffix in _SUFFIXES:
            for name in names:
                if name.endswith(suffix):
                    best.setdefault(name.removesuffix(suffix), name)
        listed = self._metadata_files()
        chosen: dict[str, str] = {}
        for name in listed:
            stem = next((name.removesuffix(suffix) for suffix in reversed(_SUFFIXES) if name.endswith(suffix)), name)
            if name in names and not name.endswith('.zstd'):
                chosen.setdefault(stem, name)
            elif stem in best:
                chosen.setdefault(stem, best[stem])
            else:
                self._problems.append(BagError(f'there is no file {self.path / name}, which {METADATA} lists'))
        for stem in sorted(best.keys() - chosen.keys(), key=lambda stem: _natural(best[stem])):
            chosen[stem] = best[stem]
            if listed:
                self.notes.append(f'{self.path / best[stem]} is not listed in {METADATA}; playing it, too')
        if not chosen:
            raise BagError(f'{self.path} is no bag: it has no .mcap or .db3 file')
        return [self.path / name for name in chosen.values()][:MAX_FILES]

    def _metadata_files(self) -> list[str]:
        """Names of the files in metadata.yaml; empty if it does not exist or is damaged."""
        file = self.path / METADATA
        if not file.exists():  # the recorder was killed
            return []
        try:
            metadata = _metadata(file)
        except BagError as error:
            self.notes.append(f'{error}; reading all files of the folder')
            return []
        names = metadata.get('relative_file_paths')
        if not isinstance(names, list) or not 0 < len(names) <= MAX_FILES or not all(isinstance(n, str) for n in names):
            self.notes.append(f'{file} has no valid relative_file_paths; reading all files of the folder')
            return []
        self.hashes = dict(_hashes(metadata))
        return [PureWindowsPath(name).name for name in names]  # old bags have paths, maybe of Windows


def _natural(name: str) -> list[str | int]:
    """Sort key by which bag_10 comes after bag_9."""
    return [int(part) if k % 2 else part for k, part in enumerate(re.split(r'([0-9]+)', name))]


class _Loader(yaml.SafeLoader):
    """Loader without merge keys, with which a small file can take all memory."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        pass


def _metadata(file: Path) -> dict[str, Any]:
    if not file.is_file():  # reading a pipe would block
        raise BagError(f'{file} is no regular file')
    try:
        with file.open('rb') as stream:
            text = stream.read(MAX_METADATA + 1)
        if len(text) > MAX_METADATA:
            raise ValueError(f'it has more than {MAX_METADATA} bytes')
        metadata = yaml.load(text, _Loader)['rosbag2_bagfile_information']
    except (OSError, yaml.YAMLError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BagError(f'{file} is not what ros2 bag writes: {str(error)[:200]}') from None
    if not isinstance(metadata, dict):
        raise BagError(f'{file} is not what ros2 bag writes: it has no fields')
    return metadata


def _hashes(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    listed = metadata.get('topics_with_message_count')
    for one in listed if isinstance(listed, list) else []:
        topic = one.get('topic_metadata') if isinstance(one, dict) else None
        if isinstance(topic, dict):
            yield _text(topic.get('name')), _text(topic.get('type_description_hash'))


def _text(value: Any) -> str:
    """The value if it is text, else ''. YAML aliases can make other values very large when formatted."""
    return value if isinstance(value, str) else ''


def _open(file: Path) -> McapFile | SqliteFile:
    if not file.is_file():  # reading a pipe or device would block
        raise BagError(f'there is no file {file}')
    try:
        with file.open('rb') as stream:
            start = stream.read(16)
    except OSError as error:
        raise BagError(f'{file} cannot be read: {error.strerror}') from error
    if start.startswith(ZSTD_MAGIC):
        raise _Compressed(f'{file} is compressed as a whole; decompress all such files of the bag first: '
                      f'unzstd {file}')
    for magic, kind in _KINDS.items():
        if len(start) < len(magic) and magic.startswith(start):
            raise CutOff(f'{file} is cut off after {len(start)} bytes')
        if start.startswith(magic):
            return kind(file)
    raise BagError(f'{file} is no bag: neither MCAP nor sqlite3')
