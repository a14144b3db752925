# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""When a feeling is settled enough to be answered: pure Python, for any dialog manager.

A classifier changes its mind several times a second, and a robot that answers each time is unbearable. A feeling counts
when all of this holds:

- it is confident enough, and more so if it contradicts the feeling that counts now (hysteresis);
- it is final (the state of a whole utterance), or has been told without a break (`gap`) for a while (`hold`);
- it is news, or was last answered long enough ago (`quiet`).
"""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MOST_PEOPLE = 50
"""Remembered at once; the one not heard of for longest is forgotten."""


@dataclass
class _Person:
    feeling: str = ''       # that counts now
    candidate: str = ''     # that may come to count
    since: float = 0.0      # when it was first told
    newest: float = 0.0     # stamp of the last state
    answered: dict[str, float] = field(default_factory=dict)  # when, by feeling


class Debouncer:
    """Takes every state; says now and then that one is to be answered. Times are stamps of the states, in seconds."""

    def __init__(
        self, *, min_confidence: float = 0.5, hysteresis: float = 0.1, hold: float = 1.5, gap: float = 1.5,
        quiet: float = 10.0,
    ) -> None:
        """
        :param min_confidence: 0..1, below which a state says nothing.
        :param hysteresis: 0..1, by how much more confident a state must be that contradicts what counts now.
        :param hold: s for which a feeling that is not final must be told without a break.
        :param gap: s without a state of a person after which it is another feeling, whatever its name.
        :param quiet: s in which the same feeling of the same person is not answered twice.
        """
        for name, value in (('min_confidence', min_confidence), ('hysteresis', hysteresis)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} is {value}; wanted is 0 to 1')
        for name, value in (('hold', hold), ('gap', gap), ('quiet', quiet)):
            if not value >= 0:
                raise ValueError(f'{name} is {value} s; wanted is 0 or more')
        self._min_confidence, self._hysteresis = min_confidence, hysteresis
        self._hold, self._gap, self._quiet = hold, gap, quiet
        self._people: OrderedDict[str, _Person] = OrderedDict()

    def feed(self, person: str, feeling: str, confidence: float, *, is_final: bool, stamp: float) -> bool:
        """:return: whether this feeling is to be answered now."""
        known = self._remember(person, stamp)
        contradicts = known.feeling not in ('', feeling)
        if not confidence >= self._min_confidence + self._hysteresis * contradicts:
            known.candidate = ''
            return False
        if known.candidate != feeling:
            known.candidate, known.since = feeling, stamp
        if not is_final and stamp - known.since < self._hold:
            return False
        is_news, known.feeling = known.feeling != feeling, feeling
        if not (is_news or is_final):  # the same movement goes on: once is enough
            return False
        if stamp - known.answered.get(feeling, -float('inf')) < self._quiet:
            return False
        known.answered[feeling] = stamp
        return True

    def _remember(self, person: str, stamp: float) -> _Person:
        known = self._people.pop(person, None)
        if known is None or stamp < known.newest - 1.0:  # or the clock was set back, as when a bag begins again
            known = _Person()
        elif stamp - known.newest > self._gap:
            known.candidate = ''
        known.newest = max(known.newest, stamp)
        self._people[person] = known
        if len(self._people) > MOST_PEOPLE:
            self._people.popitem(last=False)
        return known
