# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes an MCAP bag as `ros2 bag` does. A disk that runs full ends it with a bag that is whole. Needs no ROS."""
from __future__ import annotations

import contextlib
import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mcap.data_stream import RecordBuilder
from mcap.records import DataEnd, Footer
from mcap.writer import CompressionType, Writer

from smern_ros.bag.definitions import Definitions
from smern_ros.bag.errors import BagError, DiskFull
from smern_ros.bag.mcap_file import MAGIC
from smern_ros.bag.reader import METADATA

VERSION = 9
"""Of the bag format: that of Kilted; `ros2 bag` of Jazzy and newer reads it."""
RESERVE_FILE, RESERVE = '.reserve', 1 << 18
"""Bytes of disk held back for what is written last: the end of the file, and metadata.yaml."""
DATABASE_ID = 'rosbag2'
"""Of the record in the file that has what metadata.yaml has."""


@dataclass
class _Topic:
    """A topic of the bag."""

    type_name: str
    type_hash: str
    qos: dict[str, Any]
    channel: int
    count: int = 0                   # messages


@dataclass
class _Mark:
    """How far the bag was when a chunk had been written whole."""

    end: int                         # bytes of the file
    counts: dict[str, int] = field(default_factory=dict)
    first_ns: int = 0
    last_ns: int = 0


class BagWriter:
    """A bag that grows; a context manager. For one thread.

    :param folder: made here, for its owner alone; holds metadata.yaml and an .mcap file.
    :param about: kept in the bag's custom data, such as what recorded it.
    :raises BagError: if the folder exists or cannot be made.
    """

    def __init__(self, folder: Path, *, about: dict[str, str]) -> None:
        self.folder = folder
        self._about = about
        self._definitions = Definitions()
        self._topics: dict[str, _Topic] = {}
        self._schemas: dict[str, int] = {}
        self._first_ns = self._last_ns = 0
        self._closed = False
        try:
            folder.mkdir(mode=0o700, parents=True)  # people are in it
            (folder / RESERVE_FILE).write_bytes(bytes(RESERVE))
            self._file = _WholeFile(folder / f'{folder.name}.mcap')
            self._writer = Writer(self._file, compression=CompressionType.NONE)  # type: ignore[arg-type]
            self._writer.start('ros2')
        except OSError as error:
            raise BagError(f'no bag can be made in {folder}: {error}') from error
        self._marks = deque([_Mark(self._file.tell())], maxlen=2)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._file.tell()

    @property
    def counts(self) -> dict[str, int]:
        """Messages by topic."""
        return {name: topic.count for name, topic in list(self._topics.items())}  # of any thread

    def add_topic(self, topic: str, type_name: str, qos: dict[str, Any]) -> None:
        """Before its first message. :param qos: as metadata.yaml has it. :raises ValueError: for an unknown type."""
        definition = self._definitions.of(type_name)
        if type_name not in self._schemas:
            self._schemas[type_name] = self._writer.register_schema(type_name, 'ros2msg', definition.text.encode())
        channel = self._writer.register_channel(topic, 'cdr', self._schemas[type_name], {
            'offered_qos_profiles': _yaml([qos]), 'topic_type_hash': definition.hash})
        self._topics[topic] = _Topic(type_name, definition.hash, qos, channel)

    def write(self, topic: str, time_ns: int, data: bytes) -> None:
        """:param time_ns: when it was received. :param data: the message in CDR.

        :raises DiskFull: if it could not be written; the bag is closed then.
        """
        self._topics[topic].count += 1
        self._first_ns = min(self._first_ns or time_ns, time_ns)
        self._last_ns = max(self._last_ns, time_ns)
        try:
            self._writer.add_message(self._topics[topic].channel, time_ns, data, time_ns)
        except OSError as error:
            self._rescue(error)
        if self._file.tell() > self._marks[-1].end:
            self._marks.append(_Mark(self._file.tell(), self.counts, self._first_ns, self._last_ns))

    def close(self) -> None:
        """Writes what waits, the index and metadata.yaml. :raises DiskFull: if not all of it could be written."""
        if self._closed:
            return
        try:
            self._writer.add_metadata(DATABASE_ID, {'serialized_metadata': _yaml(self._metadata())})
            self._writer.finish()
            self._finish()
        except OSError as error:
            self._rescue(error)

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _finish(self) -> None:
        """All but the file's end, which is written. :raises OSError: if it does not reach the disk."""
        self._file.close()
        (self.folder / RESERVE_FILE).unlink(missing_ok=True)
        file = self.folder / METADATA
        new = file.with_suffix('.yaml.tmp')
        new.write_text(_yaml({'rosbag2_bagfile_information': self._metadata()}), 'utf-8')
        new.replace(file)
        self._closed = True

    def _metadata(self) -> dict[str, Any]:
        count = sum(self.counts.values())
        start = {'nanoseconds_since_epoch': self._first_ns}
        duration = {'nanoseconds': self._last_ns - self._first_ns}
        name = self._file.path.name
        return {
            'version': VERSION, 'storage_identifier': 'mcap', 'duration': duration, 'starting_time': start,
            'message_count': count,
            'topics_with_message_count': [{
                'topic_metadata': {
                    'name': topic, 'type': told.type_name, 'serialization_format': 'cdr',
                    'offered_qos_profiles': [told.qos], 'type_description_hash': told.type_hash,
                },
                'message_count': told.count,
            } for topic, told in self._topics.items()],
            'compression_format': '', 'compression_mode': '', 'relative_file_paths': [name],
            'files': [{'path': name, 'starting_time': start, 'duration': duration, 'message_count': count}],
            'custom_data': self._about or None, 'ros_distro': os.environ.get('ROS_DISTRO', 'kilted'),
        }

    def _rescue(self, error: OSError) -> None:
        """Nothing more can be written: back to the last whole chunk, and an end without an index."""
        held = sum(self.counts.values())
        self._closed = True
        (self.folder / RESERVE_FILE).unlink(missing_ok=True)
        while self._marks:
            mark = self._marks.pop()
            try:
                self._file.truncate(mark.end)
                for name, topic in self._topics.items():
                    topic.count = mark.counts.get(name, 0)
                self._first_ns, self._last_ns = mark.first_ns, mark.last_ns
                end = RecordBuilder()
                DataEnd(0).write(end)
                Footer(0, 0, 0).write(end)
                self._file.write(end.end() + MAGIC)
                self._finish()
            except OSError:
                continue
            raise DiskFull(
                f'{self.folder} cannot grow: {error.strerror}. The bag is closed and whole up to there, without an '
                f'index; its last {held - sum(mark.counts.values())} messages are lost'
            ) from error
        with contextlib.suppress(OSError, ValueError):
            self._file.close()
        raise DiskFull(
            f'{self.folder} cannot grow: {error.strerror}. There is not even room for what describes the bag; '
            'smern replay reads it all the same, ros2 bag after: ros2 bag reindex'
        ) from error


class _Dumper(yaml.SafeDumper):
    """Writes everything out, as `ros2 bag` does."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _WholeFile:
    """A file without a buffer, so that what could not be written does not come back later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open('xb', buffering=0)

    def write(self, data: bytes) -> int:
        """:raises OSError: if not all of it could be written."""
        rest = memoryview(data).cast('B')
        while rest:
            rest = rest[self._file.write(rest) or 0:]
        return len(data)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(size)

    def close(self) -> None:
        """:raises OSError: if what was written does not reach the disk."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()
