"""Writes an MCAP bag as `ros2 bag` does. A disk that runs full ends it with a bag that is whole. Needs no ROS."""
from __future__ import annotations

import contextlib
import io
import os
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.rosbag2.storage_mcap import McapWriter, PendingChunk

from smern_ros.bag.definitions import Definitions
from smern_ros.bag.errors import BagError, DiskFull

VERSION: Literal[9] = 9
"""Of the bag format: that of Kilted; `ros2 bag` of Jazzy and newer reads it."""
RESERVE_FILE, RESERVE = '.reserve', 1 << 18
"""Bytes of disk held back for what is written last: metadata.yaml."""
CAN_DROP = 64
"""Chunks (1 MiB each, or one image) at the end that can make room for the index when the disk is full."""


@dataclass(frozen=True)
class _Mark:
    """How far the bag was when a chunk had been written whole."""

    end: int                            # bytes of the file
    chunks: int
    counts: dict[int, int]              # messages by connection
    first_ns: int
    last_ns: int


class BagWriter:
    """A bag that grows; a context manager. For one thread.

    :param folder: made here, for its owner alone; holds metadata.yaml and an .mcap file.
    :param about: kept in the bag's custom data, such as what recorded it.
    :raises BagError: if the folder exists or cannot be made.
    """

    def __init__(self, folder: Path, *, about: dict[str, str]) -> None:
        self.folder = folder
        self._definitions = Definitions()
        self._connections: dict[str, Connection] = {}
        self._closed = False
        try:
            self._writer = Writer(folder, version=VERSION, storage_plugin=StoragePlugin.MCAP)
            for key, value in about.items():
                self._writer.set_custom_data(key, value)
            self._writer.open()
            folder.chmod(0o700)  # people are in it
            assert isinstance(self._writer.storage, McapWriter)
            self._storage = self._writer.storage
            self._storage.bio.close()
            reserve = folder / RESERVE_FILE
            self._file = _WholeFile(self._storage.path, on_close=lambda: reserve.unlink(missing_ok=True))
            self._storage.bio = self._file  # type: ignore[assignment]
            reserve.write_bytes(bytes(RESERVE))
        except (WriterError, OSError) as error:
            raise BagError(f'no bag can be made in {folder}: {error}') from error
        self._marks: deque[_Mark] = deque(maxlen=CAN_DROP)
        self._mark()

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._file.tell()

    @property
    def counts(self) -> dict[str, int]:
        """Messages by topic."""
        return {topic: self._writer.counts[c.id] for topic, c in list(self._connections.items())}  # of any thread

    def add_topic(self, topic: str, type_name: str, qos: Qos) -> None:
        """Before its first message. :raises ValueError: if the message type is not known."""
        definition = self._definitions.of(type_name)
        self._connections[topic] = self._writer.add_connection(
            topic, type_name, msgdef=definition.text, rihs01=definition.hash, offered_qos_profiles=[qos]
        )

    def write(self, topic: str, time_ns: int, data: bytes) -> None:
        """:param time_ns: when it was received. :param data: the message in CDR.

        :raises DiskFull: if it could not be written; the bag is closed then.
        """
        chunks = len(self._storage.chunks)
        try:
            self._writer.write(self._connections[topic], time_ns, data)
        except OSError as error:
            self._rescue(error)
        if len(self._storage.chunks) > chunks:
            self._mark()

    def close(self) -> None:
        """Writes what waits, the index and metadata.yaml. :raises DiskFull: if not all of it could be written."""
        if self._closed:
            return
        try:
            self._finish()
        except OSError as error:
            self._rescue(error)

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _finish(self) -> None:
        self._writer.close()
        self._closed = True

    # --- when nothing more can be written ----------------------------------------------------------------------

    def _mark(self) -> None:
        storage = self._storage
        self._marks.append(_Mark(
            self._file.tell(), len(storage.chunks), dict(self._writer.counts),
            storage.message_start_time, storage.message_end_time,
        ))

    def _rescue(self, error: OSError) -> None:
        """Back to the last whole chunk, and as many more as the index takes the room of."""
        held = sum(self._storage.channel_stats.values())
        while self._marks:
            self._back_to(self._marks.pop())
            try:
                self._finish()
            except OSError:
                if self._writer.storage is None:  # all but metadata.yaml
                    break
                continue
            lost = held - sum(self._writer.counts.values())
            raise DiskFull(
                f'{self.folder} cannot grow: {error.strerror}. The bag is closed and whole up to there; '
                f'its last {lost} messages are lost'
            ) from error
        self._closed = True
        with contextlib.suppress(OSError):
            self._writer.abort()
            (self.folder / RESERVE_FILE).unlink(missing_ok=True)
            self._file.close()
        raise DiskFull(
            f'{self.folder} cannot grow: {error.strerror}. There is not even room for what describes the bag; '
            'smern replay reads it all the same, ros2 bag after: ros2 bag reindex'
        ) from error

    def _back_to(self, mark: _Mark) -> None:
        storage, writer = self._storage, self._writer
        self._file.truncate(mark.end)
        del storage.chunks[mark.chunks:]
        storage.chunk = PendingChunk(2**63 - 1, 0, io.BytesIO(), defaultdict(list))
        writer.counts.update(dict.fromkeys(writer.counts, 0) | mark.counts)
        storage.channel_stats.update(writer.counts)
        writer.min_timestamp = storage.message_start_time = mark.first_ns
        writer.max_timestamp = storage.message_end_time = mark.last_ns


class _WholeFile:
    """A file without a buffer, so that what could not be written does not come back later."""

    def __init__(self, path: Path, *, on_close: Callable[[], None]) -> None:
        self._file = path.open('r+b', buffering=0)
        self._file.seek(0, os.SEEK_END)
        self._on_close = on_close

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
            self._on_close()
