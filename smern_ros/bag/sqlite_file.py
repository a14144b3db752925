"""The .db3 files that older ROS 2 records. Needs no ROS."""
from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from smern_ros.bag.contents import MAX_MESSAGE, MAX_NAME, MAX_TOPICS, Message, Topic
from smern_ros.bag.errors import BagError

MAGIC = b'SQLite format 3\0'


class SqliteFile:
    """:raises BagError: if it is none that ROS 2 wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._connect()) as database:
            self._topics = dict(self._read_topics(database))
        self.topics = list(self._topics.values())

    def messages(self) -> Iterator[Message]:
        """All of them, in the order of time. :raises BagError: if the file is damaged; after what could be read."""
        with closing(self._connect()) as database:
            try:
                rows = database.execute(
                    "SELECT topic_id, timestamp, CASE WHEN typeof(data) = 'blob' AND length(data) <= ? THEN data END "
                    'FROM messages ORDER BY timestamp, id', (MAX_MESSAGE,)
                )
                for number, time_ns, data in rows:
                    if number not in self._topics or not isinstance(time_ns, int):
                        raise BagError(f'{self._path} has a message that belongs to no topic or to no time')
                    if data is None:
                        raise BagError(f'{self._path} has a message that is none, or of more than {MAX_MESSAGE} bytes')
                    yield Message(self._topics[number], time_ns, data)
            except sqlite3.Error as error:
                raise BagError(f'{self._path} is damaged: {error}') from None

    def _read_topics(self, database: sqlite3.Connection) -> Iterator[tuple[int, Topic]]:
        try:
            tables = dict(database.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name IN ('topics', 'messages')"
            ))
            if len(tables) < 2 or any('VIRTUAL' in str(sql).upper().split('(')[0] for sql in tables.values()):
                raise BagError(f'{self._path} is a database, but no bag')
            counts = dict(database.execute('SELECT topic_id, count(*) FROM messages GROUP BY topic_id LIMIT ?',
                                           (MAX_TOPICS,)))
            rows = database.execute('SELECT id, name, type, serialization_format FROM topics LIMIT ?', (MAX_TOPICS,))
            for number, name, type_name, encoding in rows:
                if not all(isinstance(text, str) and len(text) <= MAX_NAME for text in (name, type_name, encoding)):
                    raise BagError(f'{self._path} has a topic whose name or type is no name')
                if encoding != 'cdr':
                    raise BagError(f'{self._path}: messages of {name} are in {encoding[:40]!r}; wanted cdr')
                yield number, Topic(name, type_name, counts.get(number, 0))
        except sqlite3.Error as error:
            raise BagError(f'{self._path} is no bag, or a damaged one: {error}') from None

    def _connect(self) -> sqlite3.Connection:
        """Nothing is written, not even where another process died writing."""
        try:
            database = sqlite3.connect(
                f'file:{quote(str(self._path.resolve()))}?immutable=1', uri=True, check_same_thread=False
            )
            database.text_factory = lambda data: data.decode('utf-8', 'replace')
            return database
        except sqlite3.Error as error:
            raise BagError(f'{self._path} cannot be read: {error}') from None
