# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The statistics of the people met in one session, by person_id."""
from __future__ import annotations

import itertools
import threading
from collections import OrderedDict

from smern_ros.models.person_statistics import UNKNOWN, PersonStatistics
from smern_ros.values import CLOCK_JUMP, SECOND

ABSENT = ''
"""The person_id of a voice without a visible body."""
EVERYBODY = '*'
"""The person_id of labels that count for all people."""
ABSENT_SILENCE = 60 * SECOND
"""ns between two utterances of a voice without a body after which it may be another person."""
_ANONYMOUS = '\0'
"""Prefix of the identity of a voice without a body; no message can carry it."""
_registry_count = itertools.count()


def is_anonymous(identity: str) -> bool:
    """Whether this identity is of a voice without a body (`PeopleRegistry.identity`). It is not kept over a session."""
    return identity == ABSENT or identity.startswith(_ANONYMOUS)


class PeopleRegistry:
    """Statistics by person_id, in memory only. Thread-safe.

    Beyond `capacity` the person who was updated least recently is forgotten. A voice without a body (`ABSENT`) counts
    as one person until `ABSENT_SILENCE` passes between two of its utterances, or the clock jumps back.
    """

    def __init__(self, capacity: int = 32) -> None:
        if capacity < 1:
            raise ValueError(f'capacity is {capacity}; it must be at least 1')
        self._capacity = capacity
        self._statistics: OrderedDict[str, PersonStatistics] = OrderedDict()  # least recently updated first
        self._absent_end_ns: int | None = None  # None: the next voice without a body is another person
        self._anonymous_count = 0
        self._anonymous_prefix = f'{_ANONYMOUS}{next(_registry_count)} '  # unique to this registry
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._statistics)

    def statistics(self, person_id: str, start_ns: int) -> PersonStatistics:
        """:param start_ns: start of the utterance or window; decides whether an ABSENT person is still the same."""
        with self._lock:
            if person_id == ABSENT and self._is_another(start_ns):
                return UNKNOWN
            return self._statistics.get(person_id, UNKNOWN)

    def identity(self, person_id: str, start_ns: int) -> str:
        """The key of labels of an utterance that begins at `start_ns`.

        :return: the person_id; for ABSENT an identity of its own for as long as the voice counts as one person.
        """
        if person_id != ABSENT:
            return person_id
        with self._lock:
            return f'{self._anonymous_prefix}{self._anonymous_count + self._is_another(start_ns)}'

    def is_expired(self, identity: str) -> bool:
        """Whether this is a voice without a body that no later utterance will be matched to."""
        with self._lock:
            current = None if self._absent_end_ns is None else f'{self._anonymous_prefix}{self._anonymous_count}'
            return is_anonymous(identity) and identity != current

    def update(self, person_id: str, statistics: PersonStatistics | None, start_ns: int, end_ns: int) -> None:
        """Adds the statistics of one final utterance.

        :param statistics: None: only the time of a voice without a body is updated.
        """
        with self._lock:
            if person_id == ABSENT:
                if self._is_another(start_ns):
                    self._anonymous_count += 1
                    self._statistics.pop(ABSENT, None)
                self._absent_end_ns = end_ns
            if statistics is None:
                return
            before = self._statistics.get(person_id, UNKNOWN)
            self._statistics[person_id] = PersonStatistics.joined([before, statistics])
            self._statistics.move_to_end(person_id)
            while len(self._statistics) > self._capacity:
                self._statistics.popitem(last=False)

    def clock_jumped(self) -> None:
        """The silence since the last utterance is unknown: the next voice without a body is another person."""
        with self._lock:
            self._absent_end_ns = None

    def forget(self, person_id: str) -> bool:
        """:return: False if that person was not known."""
        with self._lock:
            return self._statistics.pop(person_id, None) is not None

    def forget_everybody(self) -> None:
        with self._lock:
            self._statistics.clear()

    def _is_another(self, start_ns: int) -> bool:
        """Whether a voice without a body at `start_ns` is another person than the last one."""
        return self._absent_end_ns is None or not -CLOCK_JUMP <= start_ns - self._absent_end_ns <= ABSENT_SILENCE
