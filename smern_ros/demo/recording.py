# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a demo heard from the graph, bounded however long it ran. Needs no ROS: a report is made from this alone."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from smern_ros.spec import MODALITIES, SKELETON
from smern_ros.values import SECOND, Transcript

T = TypeVar('T')


class Kind(Enum):
    """How settled a state is."""

    FINAL = 'final'              # of an utterance that has ended, never revised
    PROVISIONAL = 'provisional'  # of an utterance, before its words are settled
    GESTURE = 'gesture'          # of movement alone, between utterances


@dataclass(frozen=True)
class StateRecord:
    """An EmotionState message, its times in ns."""

    stamp_ns: int
    start_ns: int
    end_ns: int
    person_id: str
    utterance_id: str
    is_final: bool
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]           # (labels,) sum 1
    label: str
    confidence: float
    modalities: tuple[str, ...]
    weights: tuple[float, ...]                 # (modalities,) sum 1
    ages: tuple[float, ...]                    # (modalities,) s
    alone: tuple[tuple[float, ...], ...]       # (modalities, labels), each row with sum 1
    latency: float                             # s
    model: str
    unfamiliar: tuple[str, ...] = ()           # modalities that were there, unlike what was learnt, and not used

    @property
    def kind(self) -> Kind:
        if not self.utterance_id:
            return Kind.GESTURE
        return Kind.FINAL if self.is_final else Kind.PROVISIONAL

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> StateRecord:
        """:param message: one line of emotion_states.jsonl: the message's fields by their names."""
        labels = tuple(message['labels'])
        alone = message['modality_probabilities']
        return cls(
            stamp_ns=_ns(message['header']['stamp']),
            start_ns=_ns(message['window_start']),
            end_ns=_ns(message['window_end']),
            labels=labels,
            probabilities=tuple(message['probabilities']),
            modalities=tuple(message['modalities']),
            unfamiliar=tuple(message['unfamiliar']),
            weights=tuple(message['modality_weights']),
            ages=tuple(message['modality_ages']),
            alone=tuple(tuple(alone[i:i + len(labels)]) for i in range(0, len(alone), len(labels))),
            **{name: message[name] for name in (
                'person_id', 'utterance_id', 'is_final', 'label', 'confidence', 'latency', 'model',
            )},
        )


@dataclass(frozen=True)
class DrawnSkeleton:
    """A skeleton as it is drawn on its picture."""

    person_id: str
    points: tuple[tuple[float, float] | None, ...]  # (joints,) (u, v) as fractions of the picture; None: not seen


@dataclass
class Picture:
    """A frame of the camera, and who was found in it."""

    stamp_ns: int
    width: int   # px, of the camera's image
    height: int
    jpeg: bytes  # may be smaller
    bodies: tuple[DrawnSkeleton, ...] | None = None  # None: not known, or pose estimation had no time for it


@dataclass(frozen=True)
class ActivityRecord:
    """A frame of the voice activity detector."""

    stamp_ns: int
    probability: float
    is_speaking: bool


class Thinned(Generic[T]):
    """At most `limit` of the things offered, evenly spread over all that were: every n-th, n growing as they come."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._every = 1
        self._offered = 0
        self._kept: list[T] = []

    @property
    def wants_next(self) -> bool:
        """Whether the next thing offered will be kept; whoever needs effort to make it can leave it."""
        return self._offered % self._every == 0

    def offer(self, thing: T | None) -> None:
        """:param thing: may be None if `wants_next` is false."""
        if self.wants_next and thing is not None:
            self._kept.append(thing)
        self._offered += 1
        if len(self._kept) > self._limit:
            self._kept = self._kept[::2]
            self._every *= 2

    def __iter__(self) -> Iterator[T]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


@dataclass
class Recording:
    """Everything a report shows. Times are ns on the input's time line."""

    states: Thinned[StateRecord] = field(default_factory=lambda: Thinned(4000))    # gesture and provisional ones
    finals: list[StateRecord] = field(default_factory=list)                        # all: a day of talk is a few MB
    transcripts: dict[str, Transcript] = field(default_factory=dict)         # the newest of each utterance, too
    activity: Thinned[ActivityRecord] = field(default_factory=lambda: Thinned(4000))
    pictures: Thinned[Picture] = field(default_factory=lambda: Thinned(32))
    images: int = 0         # camera frames that came
    frames: int = 0         # of these, those that pose estimation had time for
    frames_with_body: int = 0
    utterances: int = 0     # that ended
    origin_ns: int = 0      # the first instant of picture or sound; 0: nothing came
    newest_ns: int = 0      # the last instant

    def add(self, state: StateRecord) -> None:
        if state.kind is Kind.FINAL:
            self.finals.append(state)
        else:
            self.states.offer(state)

    def seen(self, stamp_ns: int) -> None:
        """Widens the time line to an instant."""
        self.origin_ns = min(self.origin_ns or stamp_ns, stamp_ns)
        self.newest_ns = max(self.newest_ns, stamp_ns)

    def seconds(self, stamp_ns: int) -> float:
        """Since the first instant."""
        return (stamp_ns - self.origin_ns) / SECOND

    @property
    def duration(self) -> float:
        """s"""
        return self.seconds(self.newest_ns)

    def of_kind(self, kind: Kind) -> list[StateRecord]:
        return self.finals if kind is Kind.FINAL else [s for s in self.states if s.kind is kind]

    @property
    def complete(self) -> list[StateRecord]:
        """The final states of all modalities, used or unfamiliar: what a demo is to show."""
        return [s for s in self.finals if {*s.modalities, *s.unfamiliar} == set(MODALITIES)]

    @property
    def outcome(self) -> str:
        """How many final states are complete, in words."""
        complete = self.complete
        unlike = sum(SKELETON in s.unfamiliar for s in complete)
        text = f'{len(complete)} of {len(self.finals)} final states had voice, words and movement'
        return f'{text}; in {unlike} of them movement was unlike what was learnt' if unlike else text


def _ns(time: Mapping[str, int]) -> int:
    return time['sec'] * SECOND + time['nanosec']
