"""Who is there, by ids that others give: bounded in number, and fit to be a part of a topic's name."""
from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_ID = 64
"""Characters. A whole topic name may have some 240."""
MOST_IDS = 1000
"""Of one list that are looked at; a longer one is a mistake or an attack."""
MOST_REASONS = 5
"""Told of one list."""
_LEGAL = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')


def require_legal(identifier: str) -> None:
    """:raises ValueError: if no topic below /humans may bear this id."""
    if not 0 < len(identifier) <= LONGEST_ID or not _LEGAL.fullmatch(identifier):
        shown = identifier[:LONGEST_ID] + ('...' if len(identifier) > LONGEST_ID else '')
        raise ValueError(
            f'the id {shown!r} cannot be part of a topic name; wanted are 1 to {LONGEST_ID} letters, digits and '
            'underscores, not a digit first. It is left out: let its maker choose another'
        )


@dataclass(frozen=True)
class Changes:
    """What one look at who is there has shown."""

    came: tuple[str, ...]
    left: tuple[str, ...]
    refused: tuple[str, ...]  # reasons, one for each id that is not taken, the first few of them


class Roster:
    """Those who are there. Times are seconds on a steady clock."""

    def __init__(self, what: str, *, limit: int, leave_after: float = 0.0) -> None:
        """
        :param what: plural, for reasons: 'bodies'.
        :param limit: most at once; who comes when all places are taken is refused until somebody leaves.
        :param leave_after: s without being seen after which somebody has left; 0: at once.
        """
        self._what = what
        self.limit = limit              # may be changed at any time, as the next
        self.leave_after = leave_after
        self._seen: dict[str, float] = {}  # when last, in order of coming

    @property
    def ids(self) -> tuple[str, ...]:
        """In order of coming."""
        return tuple(self._seen)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._seen

    def look(self, present: Iterable[str], now: float) -> Changes:
        """These are seen now, and nobody else."""
        present = [*itertools.islice(present, MOST_IDS + 1)]
        refused = []
        if len(present) > MOST_IDS:
            refused.append(f'the list of {self._what} has more than {MOST_IDS} ids: those behind them are left out')
        present = dict.fromkeys(present[:MOST_IDS])
        left = tuple(i for i, at in self._seen.items() if i not in present and now - at >= self.leave_after)
        for identifier in left:
            del self._seen[identifier]
        came = []
        for identifier in present:
            if identifier not in self._seen:
                try:
                    self._require_room(identifier)
                except ValueError as error:
                    refused.append(str(error))
                    continue
                came.append(identifier)
            self._seen[identifier] = now
        return Changes(tuple(came), left, tuple(refused[:MOST_REASONS]))

    def clear(self) -> tuple[str, ...]:
        """All leave. :return: who they were."""
        left = self.ids
        self._seen.clear()
        return left

    def _require_room(self, identifier: str) -> None:
        require_legal(identifier)
        if len(self._seen) >= self.limit:
            raise ValueError(
                f'{identifier!r} is left out: {self.limit} {self._what} are tracked already; raise max_ids'
            )
