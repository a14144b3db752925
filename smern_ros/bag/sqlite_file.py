# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reader of the .db3 files of older ROS 2, including the write-ahead log of a killed recorder. Needs no ROS."""
from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from smern_ros.bag.contents import MAX_MESSAGE, MAX_NAME, MAX_TOPICS, CutOff, Message, Part, Topic, require_name
from smern_ros.bag.errors import BagError

MAGIC = b'SQLite format 3\0'
_DAMAGED = (sqlite3.Error, ValueError, OverflowError, MemoryError)
"""Exceptions of sqlite for a damaged file; ValueError if its message is no UTF-8."""
_SIDE_FILES = ('-wal', '-journal')
"""Suffixes of the files that sqlite keeps beside a database that was not closed."""


class SqliteFile:
    """A database, opened read-only. :raises BagError: if it is no bag."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy: TemporaryDirectory | None = None
        self.problems: list[BagError] = []      # what could not be read
        self._uri = self._readable(path.resolve())
        self._start_ns = 0
        self._damaged = self._is_cut_off()
        with closing(self._connect()) as database:
            self._require_tables(database)
            counts = self._counts(database)
            self._topics = dict(self._read_topics(database, counts))
        self.topics = list(self._topics.values())

    def parts(self, topics: Collection[Topic]) -> list[Part]:
        """Parts with messages of these topics. Reading a damaged one raises BagError."""
        wanted = {number: topic for number, topic in self._topics.items() if topic in topics}
        return [Part(self._start_ns, 0, lambda: self._messages(wanted))] if wanted else []

    def _messages(self, wanted: dict[int, Topic]) -> Iterator[Message]:
        # In a damaged file the index by time is damaged, too.
        source = ('messages NOT INDEXED', '') if self._damaged else ('messages', ' ORDER BY timestamp, id')
        numbers = ','.join(str(number) for number in wanted)
        with closing(self._connect()) as database:
            try:
                rows = database.execute(
                    "SELECT topic_id, timestamp, CASE WHEN typeof(data) = 'blob' AND length(data) <= ? THEN data END "
                    f'FROM {source[0]} WHERE topic_id IN ({numbers}){source[1]}', (MAX_MESSAGE,)
                )
                for number, time_ns, data in rows:
                    if not isinstance(time_ns, int) or data is None:
                        raise BagError(f'{self._path} has a message without time, without data or of more than '
                                       f'{MAX_MESSAGE} bytes')
                    yield Message(wanted[number], time_ns, data)
            except _DAMAGED as error:
                raise CutOff(f'{self._path} is damaged or cut off: {error}') from None

    def _is_cut_off(self) -> bool:
        self._damaged = False
        with closing(self._connect()) as database:
            try:
                database.execute('SELECT count(*) FROM sqlite_master').fetchall()
            except _DAMAGED:
                return True
        return False

    # --- contents ------------------------------------------------------------------------------------------

    def _require_tables(self, database: sqlite3.Connection) -> None:
        try:
            tables = dict(database.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name IN ('topics', 'messages')"
            ))
        except _DAMAGED as error:
            raise BagError(f'{self._path} is no bag, or damaged: {error}') from None
        if len(tables) < 2 or any('VIRTUAL' in str(sql).upper().split('(')[0] for sql in tables.values()):
            raise BagError(f'{self._path} is a database, but no bag: it lacks the tables topics and messages')

    def _counts(self, database: sqlite3.Connection) -> dict[int, int]:
        """Messages by topic id."""
        counts: Counter[int] = Counter()
        try:
            if self._damaged:
                raise sqlite3.DatabaseError('the index is damaged')
            rows = database.execute('SELECT topic_id, count(*), min(timestamp) FROM messages GROUP BY topic_id LIMIT ?',
                                    (MAX_TOPICS,)).fetchall()
            self._start_ns = min((start_ns for _, _, start_ns in rows if isinstance(start_ns, int)), default=0)
            return {number: count for number, count, _ in rows}
        except _DAMAGED:
            self._damaged = True
        try:
            for number, time_ns in database.execute('SELECT topic_id, timestamp FROM messages NOT INDEXED'):
                if not counts and isinstance(time_ns, int):
                    self._start_ns = time_ns
                counts[number] += 1
        except _DAMAGED as error:
            self.problems.append(CutOff(f'{self._path} is damaged or cut off: {error}'))
        return counts

    def _read_topics(self, database: sqlite3.Connection, counts: dict[int, int]) -> Iterator[tuple[int, Topic]]:
        try:
            rows = database.execute('SELECT * FROM topics LIMIT ?', (MAX_TOPICS,))  # newer versions have more columns
            for row in rows:
                if not isinstance(row['id'], int):
                    raise BagError(f'{self._path} has a topic whose id is no number')
                name, type_name, encoding = (
                    require_name(row[key], self._path) for key in ('name', 'type', 'serialization_format'))
                key = 'type_description_hash'
                type_hash = row[key] if key in row.keys() else ''  # noqa: SIM118
                yield row['id'], Topic(name, type_name, encoding, counts.get(row['id'], 0), str(type_hash or ''))
        except (IndexError, *_DAMAGED) as error:
            raise BagError(f'{self._path} is no bag, or damaged: {error}') from None

    # --- opening ---------------------------------------------------------------------------------------

    def _readable(self, path: Path) -> str:
        """URI of the database for sqlite.

        To read a database that was not closed, sqlite must write to its side files. Where it cannot, as on a read-only
        disk, a copy is read. So is a database cut off within a page: sqlite would read the missing bytes as zeros.
        """
        side_files = [Path(f'{path}{suffix}') for suffix in _SIDE_FILES]
        side_files = [file for file in side_files if file.is_file() and file.stat().st_size]
        uri = _uri(path, 'mode=ro' if side_files else 'immutable=1')  # immutable: sqlite neither writes nor locks
        excess = 0
        try:
            with closing(sqlite3.connect(uri, uri=True)) as database:
                if side_files:
                    database.execute('SELECT count(*) FROM sqlite_master').fetchall()
                else:
                    excess = path.stat().st_size % database.execute('PRAGMA page_size').fetchone()[0]
            if not excess:
                return uri
        except _DAMAGED:
            if not side_files:
                return uri  # the reader reports the damage
        self._copy = TemporaryDirectory(prefix='smern_replay_')
        copy = Path(self._copy.name) / path.name
        try:
            for file in (path, *side_files):
                shutil.copyfile(file, copy.with_name(file.name))
            os.truncate(copy, path.stat().st_size - excess)
        except OSError as error:
            raise BagError(f'{self._path} was not closed or is cut off; reading it needs a copy, which cannot be made '
                           f'in {copy.parent}: {error.strerror}') from error
        return _uri(copy, 'mode=rw')

    def _connect(self) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(self._uri, uri=True, check_same_thread=False)
            database.text_factory = lambda data: data.decode('utf-8', 'replace')
            database.row_factory = sqlite3.Row
            database.execute('PRAGMA trusted_schema = OFF')
            if self._damaged:
                database.execute('PRAGMA writable_schema = ON')  # reads a file shorter than declared
            if hasattr(database, 'setlimit'):  # since Python 3.11
                database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_MESSAGE + MAX_NAME)
            return database
        except _DAMAGED as error:
            raise BagError(f'{self._path} cannot be read: {error}') from None


def _uri(path: Path, how: str) -> str:
    return f'file:{quote(str(path))}?{how}'
