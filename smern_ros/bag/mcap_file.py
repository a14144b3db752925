# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reader of an MCAP file: with or without index and chunks, complete or cut off. Needs no ROS.

Adds to the `mcap` package limits on memory, and recovery of the valid part of a damaged file.
"""
from __future__ import annotations

import dataclasses
import functools
import io
import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from mcap.exceptions import EndOfFile, McapError
from mcap.reader import SeekingReader
from mcap.records import Channel, Chunk, DataEnd, McapRecord, Schema
from mcap.records import Message as Record
from mcap.stream_reader import StreamReader, get_chunk_data_stream
from mcap.summary import Summary

from smern_ros.bag import contents
from smern_ros.bag.contents import MAX_MESSAGE, MAX_NAME, MAX_TOPICS, CutOff, Message, Part, Topic
from smern_ros.bag.errors import BagError

MAGIC = b'\x89MCAP0\r\n'
MAX_IN_CHUNK = 1 << 18
"""Most messages of a chunk held in memory; ROS 2 writes some thousands per chunk."""
MAX_FIELDS = 2 * MAX_IN_CHUNK
"""Most fields of one record: entries of a message index take many times more memory than disk."""
_TYPE_HASH = 'topic_type_hash'
"""Key of rosbag2 in the metadata of a channel."""
_DAMAGED = (McapError, ValueError, struct.error, OverflowError, MemoryError)
"""Exceptions of the package for a damaged file."""


@dataclasses.dataclass(frozen=True)
class _Block:
    """A chunk, or a run of messages outside of chunks in the order of time."""

    start_ns: int
    position: int
    size: int                           # bytes of a chunk, uncompressed; 0: no chunk
    count: int = 1                      # of messages, if it is no chunk
    channels: frozenset[int] | None = None  # with messages in it; None: unknown


class McapFile:
    """An MCAP file and its topics. :raises BagError: if it is no MCAP file, or exceeds a limit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._channels: dict[int, Topic] = {}
        self._blocks: list[_Block] = []
        self._last_ns = 0
        self.problems: list[BagError] = []      # what could not be read
        counts = self._by_index()
        if counts is None:
            counts = self._by_reading()
        merged: dict[Topic, Topic] = {}
        for number, topic in self._channels.items():  # a topic has a channel for each publisher
            known = merged.get(topic, topic)
            merged[topic] = dataclasses.replace(known, count=known.count + counts.get(number, 0))
        self.topics = list(merged.values())

    def parts(self, topics: Collection[Topic]) -> list[Part]:
        """Parts with messages of these topics. Reading a damaged one raises BagError."""
        wanted = {number: topic for number, topic in self._channels.items() if topic in topics}
        return [
            Part(block.start_ns, block.size, functools.partial(self._chunk if block.size else self._run, block, wanted))
            for block in self._blocks if block.channels is None or not block.channels.isdisjoint(wanted)
        ]

    # --- contents ------------------------------------------------------------------------------------------

    def _by_index(self) -> dict[int, int] | None:
        """Messages by channel, by the summary at the end of the file; None if it is missing or incomplete."""
        try:
            with self._open() as file:
                summary = SeekingReader(file, record_size_limit=MAX_MESSAGE).get_summary()
        except (BagError, OSError, *_DAMAGED):
            return None
        if summary is None or summary.statistics is None or not _is_complete(summary):
            return None
        for channel in summary.channels.values():
            self._define(channel, summary.schemas)
        for index in summary.chunk_indexes:
            self._blocks.append(_Block(
                index.message_start_time, index.chunk_start_offset, max(1, index.uncompressed_size),
                channels=frozenset(index.message_index_offsets) or None,
            ))
        return summary.statistics.channel_message_counts

    def _by_reading(self) -> dict[int, int]:
        """Messages by channel, by reading the file up to its end or the first damage."""
        counts: Counter[int] = Counter()
        schemas: dict[int, Schema] = {}
        channels: dict[int, Channel] = {}

        def collect(record: McapRecord) -> None:
            if isinstance(record, Schema):
                schemas[record.id] = dataclasses.replace(record, data=b'')
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Record):
                counts[record.channel_id] += 1

        with self._open() as file:
            file.seek(len(MAGIC))
            records, ended = _records(file, self._path), False
            while True:
                position = file.position
                try:
                    record = next(records, None)
                    if record is None:
                        break
                    ended = ended or isinstance(record, DataEnd)
                    if isinstance(record, Chunk):
                        self._add_chunk(record, position, collect)
                    elif isinstance(record, Record):
                        self._add_message(record, position)
                    collect(record)
                except BagError as error:
                    if not ended:  # after it follow no messages
                        self.problems.append(error)
                    break
        for channel in channels.values():
            self._define(channel, schemas)
        lost = sum(counts[number] for number in counts if number not in channels)
        if lost:
            self.problems.append(BagError(f'{self._path} has {lost} messages of an undefined topic'))
        return counts

    def _add_chunk(self, chunk: Chunk, position: int, collect: Callable[[McapRecord], None]) -> None:
        first_ns = None
        try:
            for record in self._content(chunk):
                if isinstance(record, Record):
                    first_ns = record.log_time if first_ns is None else min(first_ns, record.log_time)
                collect(record)
        except BagError as error:  # later chunks may be valid
            self.problems.append(error)
            return
        if first_ns is not None:
            self._blocks.append(_Block(first_ns, position, max(1, chunk.uncompressed_size)))

    def _add_message(self, record: Record, position: int) -> None:
        if self._blocks and not self._blocks[-1].size and record.log_time >= self._last_ns:
            self._blocks[-1] = dataclasses.replace(self._blocks[-1], count=self._blocks[-1].count + 1)
        else:
            self._blocks.append(_Block(record.log_time, position, 0))
        self._last_ns = record.log_time

    def _define(self, channel: Channel, schemas: dict[int, Schema]) -> None:
        if max(len(self._channels), len(schemas)) > MAX_TOPICS:
            raise BagError(f'{self._path} has more than {MAX_TOPICS} topics')
        schema = schemas.get(channel.schema_id)
        name, type_name, encoding = (contents.require_name(text, self._path) for text in (
            channel.topic, schema.name if schema else '', channel.message_encoding))
        self._channels[channel.id] = Topic(
            name, type_name, encoding, type_hash=channel.metadata.get(_TYPE_HASH, '')[:MAX_NAME])

    # --- messages -----------------------------------------------------------------------------------------------

    def _chunk(self, block: _Block, wanted: dict[int, Topic]) -> Iterator[Message]:
        with self._open() as file:
            chunk = _first_chunk(file, block.position, self._path)
        records = []
        for record in self._content(chunk):
            if isinstance(record, Record) and record.channel_id in wanted:
                records.append(record)
                if len(records) > MAX_IN_CHUNK:
                    raise BagError(f'{self._path} has more than {MAX_IN_CHUNK} messages in a chunk')
        records.sort(key=lambda record: record.log_time)
        for record in records:
            yield Message(wanted[record.channel_id], record.log_time, record.data)

    def _run(self, block: _Block, wanted: dict[int, Topic]) -> Iterator[Message]:
        with self._open() as file:
            file.seek(block.position)
            left = block.count
            for record in _records(file, self._path):
                if isinstance(record, Record):
                    if record.channel_id in wanted:
                        yield Message(wanted[record.channel_id], record.log_time, record.data)
                    left -= 1
                    if not left:
                        return

    def _content(self, chunk: Chunk) -> Iterator[McapRecord]:
        """Records of a chunk. :raises BagError: if it is damaged, or larger than declared."""
        what = f'a chunk of {self._path}'
        content = contents.decompress(chunk.data, chunk.compression, chunk.uncompressed_size, what)
        if len(content) != chunk.uncompressed_size:
            raise BagError(f'{what} is damaged: it has {len(content)} of {chunk.uncompressed_size} bytes')
        plain = dataclasses.replace(chunk, compression='', data=content)
        try:
            get_chunk_data_stream(plain, validate_crc=True)
        except ValueError:
            raise BagError(f'{self._path} is damaged: wrong checksum of a chunk') from None
        try:
            for record in _records(_Bounded(io.BytesIO(content), what), self._path):
                if isinstance(record, Chunk):
                    raise BagError(f'{self._path} is damaged: a chunk within a chunk')
                yield record
        except CutOff as error:
            if not isinstance(error.__cause__, EndOfFile):  # the end of the chunk
                raise BagError(f'{self._path} is damaged: {error}') from None

    def _open(self) -> _Bounded:
        try:
            return _Bounded(io.FileIO(self._path), str(self._path))
        except OSError as error:
            raise BagError(f'{self._path} cannot be read: {error.strerror}') from error


def _is_complete(summary: Summary) -> bool:
    """Whether the summary lists every topic and chunk, and no message is outside of chunks."""
    statistics = summary.statistics
    assert statistics is not None
    return (
        statistics.chunk_count == len(summary.chunk_indexes)
        and (statistics.chunk_count > 0 or statistics.message_count == 0)
        and statistics.channel_count == len(summary.channels)
        and statistics.channel_message_counts.keys() <= summary.channels.keys()
        and all(c.schema_id in summary.schemas for c in summary.channels.values() if c.schema_id)
    )


def _first_chunk(file: _Bounded, position: int, path: Path) -> Chunk:
    file.seek(position)
    for record in _records(file, path):
        if isinstance(record, Chunk):
            return record
    raise BagError(f'{path} is damaged: no chunk at byte {position}, where the index points')


def _records(file: _Bounded, path: Path) -> Iterator[McapRecord]:
    """Records up to the footer. :raises CutOff: if the file ends before it. :raises BagError: if it is damaged."""
    try:
        yield from StreamReader(file, skip_magic=True, emit_chunks=True, record_size_limit=MAX_MESSAGE).records
    except EndOfFile as error:
        raise CutOff(f'{path} is cut off after {file.position} bytes') from error
    except _DAMAGED as error:
        what = str(error)[:200] or type(error).__name__
        raise BagError(f'{path} is damaged before byte {file.position}: {what}') from None
    except OSError as error:
        raise BagError(f'{path} cannot be read: {error.strerror}') from error


class _Bounded(io.BufferedReader):
    """File that reads all of the requested bytes or raises, and allocates no more than the size of the file.

    :raises CutOff: if fewer bytes are left. :raises BagError: for a record with too many fields.
    """

    def __init__(self, raw: io.RawIOBase | io.BytesIO, name: str) -> None:
        super().__init__(raw)
        self._name = name
        self._end = super().seek(0, io.SEEK_END)
        self._fields = 0
        self.position = super().seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise BagError(f'{self._name} is damaged: a record is too short')
        if size > 1 and size > self._end - self.position:
            raise CutOff(f'{self._name} is cut off after {self.position} bytes')
        self._fields = self._fields + 1 if size > 1 else 0  # a record begins with one byte
        if self._fields > MAX_FIELDS:
            raise BagError(f'{self._name} has a record of more than {MAX_FIELDS} entries')
        content = super().read(size)
        self.position += len(content)
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_SET and offset > self._end:
            raise BagError(f'{self._name} is damaged: it refers to byte {offset} of {self._end}')
        self.position = super().seek(offset, whence)
        return self.position
