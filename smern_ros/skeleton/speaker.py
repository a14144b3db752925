"""Whose body belongs to the voice."""
from __future__ import annotations

from collections.abc import Sequence

from smern_ros.values import SkeletonWindow

NEAREST = 'nearest'
NAMED = 'ros4hri'
"""Whom the node ros4hri_bridge names."""


def choose(people: Sequence[SkeletonWindow], wanted: str = NEAREST) -> SkeletonWindow | None:
    """
    :param wanted: a person_id, or 'nearest' for the one that is largest in the picture.
    :return: None if that person, or anybody, was not seen.
    """
    if wanted != NEAREST:
        people = [p for p in people if p.person_id == wanted]
    return max(people, key=lambda p: p.extent, default=None)
