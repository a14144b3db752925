"""Which body, face and voice belong to whom, and whose voice is heard."""
from __future__ import annotations

FACE, BODY, VOICE = PARTS = ('face', 'body', 'voice')


class People:
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
