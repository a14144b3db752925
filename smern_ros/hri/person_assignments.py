# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which body, face and voice belong to which person, and which voice is active."""
from __future__ import annotations

from collections import Counter, deque

MAX_CHANGES = 64
"""Changes of the active voice that are kept."""
FACE, BODY, VOICE = PARTS = ('face', 'body', 'voice')


class PersonAssignments:
    """Persons and their parts, as a person manager matches them."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, str]] = {}  # by person, then by kind of part

    def assign(self, person: str, part: str, identifier: str) -> None:
        """Assigns a part to this person only. :param identifier: empty: the person has none."""
        if identifier:
            for parts in self._parts.values():
                if parts.get(part) == identifier:
                    del parts[part]
        parts = self._parts.setdefault(person, {})
        parts.pop(part, None)
        if identifier:
            parts[part] = identifier

    def forget(self, person: str) -> None:
        self._parts.pop(person, None)

    def forget_parts(self, part: str) -> None:
        """Removes the assignments of that kind."""
        for parts in self._parts.values():
            parts.pop(part, None)

    def clear(self) -> None:
        self._parts.clear()

    def part(self, person: str | None, part: str) -> str:
        """The id of that person's face, body or voice; empty if there is none."""
        return self._parts.get(person or '', {}).get(part, '')

    def person_of(self, part: str, identifier: str) -> str | None:
        """The person with that face, body or voice; None if nobody is known to have it."""
        for person, parts in self._parts.items():
            if identifier and parts.get(part) == identifier:
                return person
        return None


class VoiceHistory:
    """The active voice over time."""

    def __init__(self) -> None:
        self._since: deque[tuple[int, str]] = deque([(0, '')], maxlen=MAX_CHANGES)

    def record(self, stamp_ns: int, voice: str) -> None:
        """This voice is active from now on."""
        if stamp_ns < self._since[-1][0]:  # the clock was set back
            self._since.clear()
        if not self._since or self._since[-1][1] != voice:
            self._since.append((stamp_ns, voice))

    def during(self, start_ns: int, end_ns: int) -> str:
        """The voice that was active for most of that span."""
        shares: Counter[str] = Counter()
        ends = [*(since for since, _ in self._since), max(end_ns, self._since[-1][0])][1:]
        for (begin, voice), end in zip(self._since, ends, strict=True):
            shares[voice] += max(0, min(end, end_ns) - max(begin, start_ns))
        voice, share = shares.most_common(1)[0]
        return voice if share else self._since[-1][1]


class Voices:
    """The tracked voices, one of which is active: the one that speaks, until it stops and another one speaks."""

    def __init__(self, selected: str = '') -> None:
        """:param selected: see `select`."""
        self._selected = selected
        self._speaking: dict[str, bool] = {}  # in order of arrival
        self._active = ''

    @property
    def active(self) -> str:
        """The active voice; empty: no voice is tracked."""
        return self._active

    @property
    def speaking(self) -> bool:
        """Whether the active voice speaks."""
        return self._speaking.get(self._active, False)

    def select(self, voice: str) -> None:
        """Only this voice can be active; empty: any."""
        self._selected = voice
        self._choose()

    def add(self, voice: str) -> None:
        self._speaking.setdefault(voice, False)
        self._choose()

    def remove(self, voice: str) -> None:
        self._speaking.pop(voice, None)
        self._choose()

    def set_speaking(self, voice: str, speaking: bool) -> None:
        """Ignored for a voice that is not tracked."""
        if voice in self._speaking:
            self._speaking[voice] = speaking
            self._choose()

    def _choose(self) -> None:
        if self._selected:
            self._active = self._selected if self._selected in self._speaking else ''
            return
        if self.speaking:
            return
        speakers = [voice for voice, speaking in self._speaking.items() if speaking]
        if speakers:
            self._active = speakers[0]
        elif self._active not in self._speaking:
            self._active = next(iter(self._speaking), '')
