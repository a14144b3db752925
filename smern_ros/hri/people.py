"""Which body, face and voice belong to whom, and whose voice is heard."""
from __future__ import annotations

from collections import Counter, deque

CHANGES = 64
"""Of the voice that is listened to, which are remembered."""
FACE, BODY, VOICE = PARTS = ('face', 'body', 'voice')


class PersonAssignments:
    """Persons and their parts, as a person manager matches them."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, str]] = {}  # by person, then by kind of part

    def match(self, person: str, part: str, identifier: str) -> None:
        """That part is this person's now, and nobody else's. :param identifier: empty: the person has none."""
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
        """Nobody's body, face or voice of that kind is known any more."""
        for parts in self._parts.values():
            parts.pop(part, None)

    def clear(self) -> None:
        self._parts.clear()

    def part(self, person: str | None, part: str) -> str:
        """The id of that person's face, body or voice; empty if there is none."""
        return self._parts.get(person or '', {}).get(part, '')

    def whose(self, part: str, identifier: str) -> str | None:
        """The person with that face, body or voice; None if nobody is known to have it."""
        for person, parts in self._parts.items():
            if identifier and parts.get(part) == identifier:
                return person
        return None


class Heard:
    """Which voice was listened to when, of late."""

    def __init__(self) -> None:
        self._since: deque[tuple[int, str]] = deque([(0, '')], maxlen=CHANGES)

    def note(self, stamp_ns: int, voice: str) -> None:
        """From now on this one."""
        if stamp_ns < self._since[-1][0]:  # the clock was set back
            self._since.clear()
        if not self._since or self._since[-1][1] != voice:
            self._since.append((stamp_ns, voice))

    def during(self, start_ns: int, end_ns: int) -> str:
        """The voice that was listened to for most of that span."""
        shares: Counter[str] = Counter()
        ends = [*(since for since, _ in self._since), max(end_ns, self._since[-1][0])][1:]
        for (begin, voice), end in zip(self._since, ends, strict=True):
            shares[voice] += max(0, min(end, end_ns) - max(begin, start_ns))
        voice, share = shares.most_common(1)[0]
        return voice if share else self._since[-1][1]


class Voices:
    """The voices that are there, of which one is listened to: the one that speaks, as long as it does.

    While nobody speaks it is the last that did, so that the beginning of what it says next is heard.
    """

    def __init__(self, wanted: str = '') -> None:
        """:param wanted: see `want`."""
        self._wanted = wanted
        self._speaks: dict[str, bool] = {}  # in order of coming
        self._heard = ''

    @property
    def heard(self) -> str:
        """Who is listened to; empty: nobody is there."""
        return self._heard

    @property
    def speaking(self) -> bool:
        """Whether who is listened to speaks."""
        return self._speaks.get(self._heard, False)

    def want(self, voice: str) -> None:
        """From now on listen to this one alone; empty: to whoever speaks."""
        self._wanted = voice
        self._choose()

    def come(self, voice: str) -> None:
        self._speaks.setdefault(voice, False)
        self._choose()

    def leave(self, voice: str) -> None:
        self._speaks.pop(voice, None)
        self._choose()

    def tell(self, voice: str, speaks: bool) -> None:
        """That voice begins or ends to speak, if it is there."""
        if voice in self._speaks:
            self._speaks[voice] = speaks
            self._choose()

    def _choose(self) -> None:
        if self._wanted:
            self._heard = self._wanted if self._wanted in self._speaks else ''
            return
        if self.speaking:
            return
        speakers = [voice for voice, speaks in self._speaks.items() if speaks]
        if speakers:
            self._heard = speakers[0]
        elif self._heard not in self._speaks:
            self._heard = next(iter(self._speaks), '')
