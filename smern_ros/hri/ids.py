# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracked ids of other nodes: bounded in number, and valid as part of a topic name."""
from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_ID_LENGTH = 64
"""Characters. A whole topic name may have some 240."""
MAX_IDS = 1000
"""Ids of one message that are read; a longer list is a fault or an attack."""
MAX_REJECTIONS = 5
"""Reasons reported for one message."""
_VALID = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')


def require_valid_id(identifier: str) -> None:
    """:raises ValueError: if the id is no valid token of a topic name."""
    if not 0 < len(identifier) <= MAX_ID_LENGTH or not _VALID.fullmatch(identifier):
        shown = identifier[:MAX_ID_LENGTH] + ('...' if len(identifier) > MAX_ID_LENGTH else '')
        raise ValueError(
            f'ignoring id {shown!r}: not a valid topic name token; expected 1 to {MAX_ID_LENGTH} letters, digits and '
            'underscores, not a digit first'
        )


@dataclass(frozen=True)
class Changes:
    """What an update of the tracked ids changed."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    rejected: tuple[str, ...]  # reasons, one for each rejected id; at most MAX_REJECTIONS


class Roster:
    """The tracked ids. Times are seconds on a steady clock."""

    def __init__(self, what: str, *, limit: int, leave_after: float = 0.0) -> None:
        """
        :param what: plural, for reasons: 'bodies'.
        :param limit: maximum number of ids; further ones are rejected.
        :param leave_after: s without detection after which an id is removed; 0: at once.
        """
        self._what = what
        self.limit = limit              # may be changed at any time, as the next
        self.leave_after = leave_after
        self._seen: dict[str, float] = {}  # time of the last detection, in order of arrival

    @property
    def ids(self) -> tuple[str, ...]:
        """In order of arrival."""
        return tuple(self._seen)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._seen

    def update(self, present: Iterable[str], now: float) -> Changes:
        """:param present: all ids that are detected now."""
        present = [*itertools.islice(present, MAX_IDS + 1)]
        rejected = []
        if len(present) > MAX_IDS:
            rejected.append(f'the list of {self._what} has more than {MAX_IDS} ids; ignoring the rest')
        present = dict.fromkeys(present[:MAX_IDS])
        removed = tuple(i for i, at in self._seen.items() if i not in present and now - at >= self.leave_after)
        for identifier in removed:
            del self._seen[identifier]
        added = []
        for identifier in present:
            if identifier not in self._seen:
                try:
                    self._require_capacity(identifier)
                except ValueError as error:
                    rejected.append(str(error))
                    continue
                added.append(identifier)
            self._seen[identifier] = now
        return Changes(tuple(added), removed, tuple(rejected[:MAX_REJECTIONS]))

    def clear(self) -> tuple[str, ...]:
        """Removes all ids. :return: those removed."""
        removed = self.ids
        self._seen.clear()
        return removed

    def _require_capacity(self, identifier: str) -> None:
        require_valid_id(identifier)
        if len(self._seen) >= self.limit:
            raise ValueError(
                f'ignoring {identifier!r}: {self.limit} {self._what} are tracked already; increase max_ids'
            )
