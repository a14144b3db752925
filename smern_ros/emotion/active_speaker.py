"""Whose body belongs to the voice."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from smern_ros.values import SkeletonWindow

NEAREST = 'nearest'
NAMED = 'external'
"""Whom the topic `speaker` names, as the node ros4hri_bridge publishes it."""
FORMERLY_NAMED = 'ros4hri'
"""What NAMED was called in earlier versions."""
REMEMBERED = 64
"""Utterances of which it is known who was named when they ended."""


def check_wanted(wanted: str) -> None:
    """:raises ValueError: for a value of earlier versions, which would be taken for a person_id."""
    if wanted == FORMERLY_NAMED:
        raise ValueError(f"speaker: '{FORMERLY_NAMED}' is called '{NAMED}' now")


def choose(people: Sequence[SkeletonWindow], wanted: str = NEAREST) -> SkeletonWindow | None:
    """
    :param wanted: a person_id, or 'nearest' for the one that is largest in the picture.
    :return: None if that person, or anybody, was not seen.
    """
    if wanted != NEAREST:
        people = [p for p in people if p.person_id == wanted]
    return max(people, key=lambda p: p.extent, default=None)


class SpeakerAssignment:
    """Who speaks, as others say: a name holds until the next one, and for the utterances that ended meanwhile."""

    def __init__(self) -> None:
        self._now = ''
        self._of: OrderedDict[str, str] = OrderedDict()

    def name(self, person_id: str) -> None:
        """From now on this person speaks. :param person_id: empty: not known who."""
        self._now = person_id

    def ends(self, utterance_id: str) -> None:
        """An utterance seems to end here: whoever is named now has spoken it."""
        self._of[utterance_id] = self._now
        self._of.move_to_end(utterance_id)
        while len(self._of) > REMEMBERED:
            self._of.popitem(last=False)

    def of(self, utterance_id: str) -> str:
        """:return: whose the utterance is; of one that has not ended yet, who is named now; empty: not known."""
        return self._of.get(utterance_id, self._now)
