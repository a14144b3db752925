"""An MCAP file, read from front to back: it needs no index, and a file that is cut off gives what is there.

Every size that the file tells is checked before so much is read. The format is https://mcap.dev/spec. Needs no ROS.
"""
from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from smern_ros.bag.contents import MAX_DEFINITION, MAX_MESSAGE, MAX_NAME, MAX_TOPICS, CutOff, Message, Topic, unpacked
from smern_ros.bag.errors import BagError

MAGIC = b'\x89MCAP0\r\n'
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _STATISTICS, _DATA_END = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0B, 0x0F
_FOOTER_SIZE = 9 + 20 + len(MAGIC)
_READ = {_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _STATISTICS}
"""What else there is (attachments, indexes) is passed over."""


class McapFile:
    """:raises BagError: if it is none, or if what it tells of itself cannot be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise BagError(f'{path} is no MCAP file')
        self.topics = self._summary() or self._scan()

    def messages(self) -> Iterator[Message]:
        """All of them, in the order in which they were written. :raises CutOff: after the last that is whole."""
        contents = _Contents(str(self._path))
        with self._open() as file:
            file.seek(len(MAGIC))
            for kind, record in _records(file, str(self._path)):
                if kind in (_DATA_END, _FOOTER):
                    return
                yield from contents.take(kind, record)
        raise CutOff(f'{self._path} was not closed: it has no end')

    def _summary(self) -> list[Topic]:
        """The topics by the index at the end; none if there is no index."""
        contents, counts = _Contents(str(self._path)), {}
        with self._open() as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - _FOOTER_SIZE))
            footer = file.read(_FOOTER_SIZE)
            if len(footer) < _FOOTER_SIZE or not footer.endswith(MAGIC) or footer[0] != _FOOTER:
                return []
            (start,) = struct.unpack_from('<Q', footer, 9)
            if not len(MAGIC) <= start <= size - _FOOTER_SIZE:
                return []
            file.seek(start)
            for kind, record in _records(file, str(self._path)):
                if kind == _FOOTER:
                    break
                if kind == _STATISTICS:
                    counts = _counts(record)
                elif kind in (_SCHEMA, _CHANNEL):
                    contents.define(kind, record)
        return _merged([(t, counts.get(number, 0)) for number, t in contents.channels.items()])

    def _scan(self) -> list[Topic]:
        counts: dict[Topic, int] = {}
        try:
            for message in self.messages():
                counts[message.topic] = counts.get(message.topic, 0) + 1
        except CutOff:
            pass
        return _merged(list(counts.items()))

    def _open(self) -> BinaryIO:
        try:
            return self._path.open('rb')
        except OSError as error:
            raise BagError(f'{self._path} cannot be read: {error.strerror}') from error


class _Contents:
    """What the records mean, given those that came before."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._types: dict[int, str] = {0: ''}    # by number of the schema; 0: none
        self.channels: dict[int, Topic] = {}

    def take(self, kind: int, record: bytes) -> Iterator[Message]:
        if kind == _MESSAGE:
            yield self._message(record)
        elif kind == _CHUNK:
            yield from self._chunk(record)
        elif kind in (_SCHEMA, _CHANNEL):
            self.define(kind, record)

    def define(self, kind: int, record: bytes) -> None:
        """A type or a topic."""
        fields = _Fields(record, self._name)
        if kind == _SCHEMA:
            number, name = fields.number('H'), fields.text()
            self._types[number] = name
        else:
            number, schema, topic, encoding = fields.number('H'), fields.number('H'), fields.text(), fields.text()
            if encoding != 'cdr':
                raise BagError(f'{self._name}: messages of {topic} are in {encoding[:40]!r}; wanted cdr')
            if schema not in self._types:
                raise BagError(f'{self._name} does not tell the type of {topic}')
            self.channels[number] = Topic(topic, self._types[schema])
        if max(len(self.channels), len(self._types)) > MAX_TOPICS:
            raise BagError(f'{self._name} has more than {MAX_TOPICS} topics')

    def _message(self, record: bytes) -> Message:
        fields = _Fields(record, self._name)
        channel, _, time_ns, _ = fields.number('H'), fields.number('I'), fields.number('Q'), fields.number('Q')
        if channel not in self.channels:
            raise BagError(f'{self._name} has a message of a topic that it does not tell')
        return Message(self.channels[channel], time_ns, fields.rest())

    def _chunk(self, record: bytes) -> Iterator[Message]:
        fields = _Fields(record, self._name)
        _, _, size, checksum = fields.number('Q'), fields.number('Q'), fields.number('Q'), fields.number('I')
        method, packed = fields.text(), fields.number('Q')
        content = unpacked(fields.rest()[:packed], method, size, f'a chunk of {self._name}')
        if checksum and zlib.crc32(content) != checksum:
            raise BagError(f'{self._name} is damaged: the checksum of a chunk is wrong')
        for kind, inner in _records(io.BytesIO(content), self._name):
            if kind == _CHUNK:
                raise BagError(f'{self._name} is damaged: a chunk within a chunk')
            yield from self.take(kind, inner)


class _Fields:
    """The fields of a record, one after the other. :raises BagError: if it is too short, or a text too long."""

    def __init__(self, record: bytes, name: str) -> None:
        self._record, self._at, self._name = record, 0, name

    def number(self, kind: str) -> int:
        """H, I or Q: of two, four or eight bytes."""
        try:
            (value,) = struct.unpack_from(f'<{kind}', self._record, self._at)
        except struct.error:
            raise BagError(f'{self._name} is damaged: a record of {len(self._record)} bytes is too short') from None
        self._at += struct.calcsize(kind)
        return value

    def text(self) -> str:
        size = self.number('I')
        if size > MAX_NAME:
            raise BagError(f'{self._name} has a name of {size} bytes; at most {MAX_NAME} are taken')
        self._at += size
        return self._record[self._at - size:self._at].decode('utf-8', 'replace')

    def rest(self) -> bytes:
        return self._record[self._at:]


def _records(file: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each, to the end of the file. :raises CutOff: if the last one is not whole."""
    position, end = file.tell(), _size(file)
    while position < end:
        head = file.read(9)
        if len(head) < 9:
            raise CutOff(f'{name} is cut off after {position} bytes')
        kind, size = struct.unpack('<BQ', head)
        position += 9 + size
        if position > end:
            raise CutOff(f'{name} is cut off after {position - 9 - size} bytes')
        if kind in _READ:
            if size > (MAX_DEFINITION if kind in (_SCHEMA, _CHANNEL) else MAX_MESSAGE):
                raise BagError(f'{name} has a record of {size} bytes, more than is ever recorded at once')
            yield kind, file.read(size)
        else:
            file.seek(position)
            yield kind, b''


def _size(file: BinaryIO) -> int:
    here = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(here)
    return end


def _counts(statistics: bytes) -> dict[int, int]:
    """Messages by number of the channel."""
    listed = statistics[46:46 + 10 * MAX_TOPICS]
    return dict(struct.iter_unpack('<HQ', listed[:len(listed) // 10 * 10]))


def _merged(counted: list[tuple[Topic, int]]) -> list[Topic]:
    """A topic may have several channels: one for each who published it."""
    counts: dict[tuple[str, str], int] = {}
    for topic, count in counted:
        key = topic.name, topic.type_name
        counts[key] = counts.get(key, 0) + count
    return [Topic(*key, count) for key, count in counts.items()]
