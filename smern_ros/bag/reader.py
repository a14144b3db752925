"""Any bag of ROS 2, MCAP or sqlite3, a folder or one of its files. What it tells is not believed before it is checked.

Needs no ROS.
"""
from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from smern_ros.bag import mcap_file, sqlite_file
from smern_ros.bag.contents import MAX_MESSAGE, Message, Topic, unpacked
from smern_ros.bag.errors import BagError
from smern_ros.bag.mcap_file import McapFile
from smern_ros.bag.sqlite_file import SqliteFile

METADATA = 'metadata.yaml'
MAX_METADATA = 1 << 20
"""Bytes."""
MAX_FILES = 10_000
_KINDS: dict[bytes, type[McapFile] | type[SqliteFile]] = {mcap_file.MAGIC: McapFile, sqlite_file.MAGIC: SqliteFile}
_SUFFIXES = ('.mcap', '.db3')


class BagReader:
    """A bag and its topics.

    :raises BagError: if there is no such bag, it is none, or it tells of itself what cannot be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._packed = False  # each message by itself
        self.hashes: dict[str, str] = {}  # of message types by topic, where metadata.yaml tells them
        self._files = [_open(file) for file in (self._listed() if path.is_dir() else [path])]
        self.topics: dict[str, Topic] = {}
        for topic in (t for file in self._files for t in file.topics):
            known = self.topics.get(topic.name, Topic(topic.name, topic.type_name))
            if known.type_name != topic.type_name:
                raise BagError(f'{path}: {topic.name} is of {known.type_name[:80]!r} and of {topic.type_name[:80]!r}')
            self.topics[topic.name] = Topic(topic.name, topic.type_name, known.count + topic.count)

    def messages(self, topics: Collection[str]) -> Iterator[Message]:
        """Those of the topics of these names, in the order in which they were recorded.

        :raises CutOff: after the last message that is whole. :raises BagError: where it is damaged.
        """
        for file in self._files:
            for message in file.messages():
                if message.topic.name not in topics:
                    continue
                if self._packed:
                    data = unpacked(message.data, 'zstd', MAX_MESSAGE, f'a message of {message.topic.name}')
                    message = Message(message.topic, message.time_ns, data)
                yield message

    def _listed(self) -> list[Path]:
        """The bag's files in their order."""
        metadata = self.path / METADATA
        if not metadata.exists():  # whoever recorded it was killed
            files = sorted(file for file in self.path.iterdir() if file.suffix in _SUFFIXES)
            if not files:
                raise BagError(f'{self.path} is no bag: it has no {METADATA} and no file of a bag')
            return files[:MAX_FILES]
        told = _metadata(metadata)
        mode, how = (_text(told.get(f'compression_{key}')).lower() for key in ('mode', 'format'))
        if mode == 'file':
            raise BagError(f'the files of {self.path} are compressed as a whole; unpack one (unzstd FILE), play that')
        self._packed = mode == 'message'
        if self._packed and how != 'zstd':
            raise BagError(f'the messages of {self.path} are compressed by {how[:40]!r}; only zstd is known')
        names = told.get('relative_file_paths')
        if not isinstance(names, list) or not 0 < len(names) <= MAX_FILES or not all(isinstance(n, str) for n in names):
            raise BagError(f'{metadata} does not tell the files of the bag (relative_file_paths)')
        self.hashes = dict(_hashes(told))
        # Old bags tell a path, but the files always lie here; nothing else on this machine is anybody's bag.
        return [self.path / PurePosixPath(name).name for name in names]


def _metadata(file: Path) -> dict[str, Any]:
    try:
        with file.open('rb') as stream:
            text = stream.read(MAX_METADATA + 1)
        if len(text) > MAX_METADATA:
            raise BagError(f'{file} has more than {MAX_METADATA} bytes; it is not what ros2 bag writes')
        told = yaml.safe_load(text)['rosbag2_bagfile_information']
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
    for magic, kind in _KINDS.items():
        if start.startswith(magic):
            return kind(file)
    raise BagError(f'{file} is no bag: neither MCAP nor sqlite3')
