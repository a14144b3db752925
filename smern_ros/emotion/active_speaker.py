# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which skeleton belongs to the voice."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from smern_ros.values import SkeletonWindow

NEAREST = 'nearest'
EXTERNAL = 'external'
"""The person_id on topic `speaker`, as the node ros4hri_bridge publishes it."""
OLD_EXTERNAL = 'ros4hri'
"""EXTERNAL in earlier versions."""
REMEMBERED = 64
"""Utterances whose speaker is kept."""


def check_speaker(speaker: str) -> None:
    """:raises ValueError: for a value of earlier versions, which would be taken for a person_id."""
    if speaker == OLD_EXTERNAL:
        raise ValueError(f"speaker: '{OLD_EXTERNAL}' is called '{EXTERNAL}' now")


def choose(people: Sequence[SkeletonWindow], speaker: str = NEAREST) -> SkeletonWindow | None:
    """
    :param speaker: a person_id, or 'nearest' for the person who is largest in the image.
    :return: None if that person, or anybody, is not in view.
    """
    if speaker != NEAREST:
        people = [p for p in people if p.person_id == speaker]
    return max(people, key=lambda p: p.extent, default=None)


class SpeakerAssignment:
    """The speaker of each utterance: the person_id that was current at its last tentative end."""

    def __init__(self) -> None:
        self._current = ''
        self._by_utterance: OrderedDict[str, str] = OrderedDict()

    def set_current(self, person_id: str) -> None:
        """:param person_id: empty: not known."""
        self._current = person_id

    def assign(self, utterance_id: str) -> None:
        """The utterance ends (tentatively) now: it belongs to the current speaker."""
        self._by_utterance[utterance_id] = self._current
        self._by_utterance.move_to_end(utterance_id)
        while len(self._by_utterance) > REMEMBERED:
            self._by_utterance.popitem(last=False)

    def of(self, utterance_id: str) -> str:
        """:return: the speaker's person_id; the current one before the utterance ends; empty: not known."""
        return self._by_utterance.get(utterance_id, self._current)
