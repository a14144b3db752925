# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writer of MCAP bags in the format of `ros2 bag`. On a full disk the bag is closed validly. Needs no ROS."""
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
"""Version of the bag format: that of Kilted; `ros2 bag` of Jazzy and newer reads it."""
RESERVE_FILE, RESERVE = '.reserve', 1 << 18
"""File of so many bytes that reserves disk space for the end of the bag and metadata.yaml."""
DATABASE_ID = 'rosbag2'
"""Name of the MCAP metadata record with the content of metadata.yaml."""


@dataclass
class _Topic:
    """A topic of the bag."""

    type_name: str
    type_hash: str
    qos: dict[str, Any]
    channel: int
    count: int = 0                   # messages


@dataclass
class _Checkpoint:
    """State of the bag after a complete chunk."""

    end: int                         # bytes of the file
    counts: dict[str, int] = field(default_factory=dict)
    first_ns: int = 0
    last_ns: int = 0


class BagWriter:
    """A new bag; a context manager. Not thread-safe.

    :param folder: created with access for its owner alone; contains metadata.yaml and an .mcap file.
    :param about: custom data of the bag, such as what recorded it.
    :raises BagError: if the folder exists or cannot be created.
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
            folder.mkdir(mode=0o700, parents=True)  # the data is personal
            (folder / RESERVE_FILE).write_bytes(bytes(RESERVE))
            self._file = _UnbufferedFile(folder / f'{folder.name}.mcap')
            self._writer = Writer(self._file, compression=CompressionType.NONE)  # type: ignore[arg-type]
            self._writer.start('ros2')
        except OSError as error:
            raise BagError(f'cannot create a bag in {folder}: {error}') from error
        self._checkpoints = deque([_Checkpoint(self._file.tell())], maxlen=2)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._file.tell()

    @property
    def counts(self) -> dict[str, int]:
        """Messages by topic."""
        return {name: topic.count for name, topic in list(self._topics.items())}  # called from any thread

    def add_topic(self, topic: str, type_name: str, qos: dict[str, Any]) -> None:
        """Call before its first message. :param qos: as in metadata.yaml. :raises ValueError: for an unknown type."""
        definition = self._definitions.of(type_name)
        if type_name not in self._schemas:
            self._schemas[type_name] = self._writer.register_schema(type_name, 'ros2msg', definition.text.encode())
        channel = self._writer.register_channel(topic, 'cdr', self._schemas[type_name], {
            'offered_qos_profiles': _yaml([qos]), 'topic_type_hash': definition.hash})
        self._topics[topic] = _Topic(type_name, definition.hash, qos, channel)

    def write(self, topic: str, time_ns: int, data: bytes) -> None:
        """:param time_ns: time of reception. :param data: the message in CDR.

        :raises DiskFull: if it could not be written; the bag is closed.
        """
        self._topics[topic].count += 1
        self._first_ns = min(self._first_ns or time_ns, time_ns)
        self._last_ns = max(self._last_ns, time_ns)
        try:
            self._writer.add_message(self._topics[topic].channel, time_ns, data, time_ns)
        except OSError as error:
            self._rescue(error)
        if self._file.tell() > self._checkpoints[-1].end:
            self._checkpoints.append(_Checkpoint(self._file.tell(), self.counts, self._first_ns, self._last_ns))

    def close(self) -> None:
        """Write buffered messages, the index and metadata.yaml. :raises DiskFull: if not all of it could be written."""
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
        """Close the complete file and write metadata.yaml. :raises OSError: if it does not reach the disk."""
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
        file_name = self._file.path.name
        return {
            'version': VERSION, 'storage_identifier': 'mcap', 'duration': duration, 'starting_time': start,
            'message_count': count,
            'topics_with_message_count': [{
                'topic_metadata': {
                    'name': name, 'type': topic.type_name, 'serialization_format': 'cdr',
                    'offered_qos_profiles': [topic.qos], 'type_description_hash': topic.type_hash,
                },
                'message_count': topic.count,
            } for name, topic in self._topics.items()],
            'compression_format': '', 'compression_mode': '', 'relative_file_paths': [file_name],
            'files': [{'path': file_name, 'starting_time': start, 'duration': duration, 'message_count': count}],
            'custom_data': self._about or None, 'ros_distro': os.environ.get('ROS_DISTRO', 'kilted'),
        }

    def _rescue(self, error: OSError) -> None:
        """After a failed write: truncate to the last complete chunk and end the file without an index."""
        held = sum(self.counts.values())
        self._closed = True
        (self.folder / RESERVE_FILE).unlink(missing_ok=True)
        while self._checkpoints:
            checkpoint = self._checkpoints.pop()
            try:
                self._file.truncate(checkpoint.end)
                for name, topic in self._topics.items():
                    topic.count = checkpoint.counts.get(name, 0)
                self._first_ns, self._last_ns = checkpoint.first_ns, checkpoint.last_ns
                end = RecordBuilder()
                DataEnd(0).write(end)
                Footer(0, 0, 0).write(end)
                self._file.write(end.end() + MAGIC)
                self._finish()
            except OSError:
                continue
            raise DiskFull(
                f'{self.folder} cannot grow: {error.strerror}. The bag is closed and valid, without an '
                f'index; its last {held - sum(checkpoint.counts.values())} messages are lost'
            ) from error
        with contextlib.suppress(OSError, ValueError):
            self._file.close()
        raise DiskFull(
            f'{self.folder} cannot grow: {error.strerror}. There is no space for metadata.yaml; smern replay '
            'reads the bag nevertheless, ros2 bag after: ros2 bag reindex'
        ) from error


class _Dumper(yaml.SafeDumper):
    """Dumper without aliases, as of `ros2 bag`."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _UnbufferedFile:
    """A file without a buffer, so that data of a failed write is not written later."""

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
        """:raises OSError: if the data does not reach the disk."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()
