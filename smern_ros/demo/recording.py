# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recorded output of the graph, of bounded size, from which the report is made. Needs no ROS."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from smern_ros.spec import MODALITIES, SKELETON
from smern_ros.values import SECOND, Transcript

T = TypeVar('T')


class Kind(Enum):
    """Kind of a state."""

    FINAL = 'final'              # of an utterance that has ended, never revised
    PROVISIONAL = 'provisional'  # of an utterance, before its words are final
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
    unfamiliar: tuple[str, ...] = ()           # modalities unlike the training data, not used

    @property
    def kind(self) -> Kind:
        if not self.utterance_id:
            return Kind.GESTURE
        return Kind.FINAL if self.is_final else Kind.PROVISIONAL

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> StateRecord:
        """:param message: one line of emotion_states.jsonl: fields of the message by name."""
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
    """A skeleton in pixels of its picture."""

    person_id: str
    points: tuple[tuple[float, float] | None, ...]  # (joints,) (u, v) as fractions of the picture; None: not visible


@dataclass
class Picture:
    """A camera frame with the skeletons found in it."""

    stamp_ns: int
    width: int   # px, of the camera's image
    height: int
    jpeg: bytes  # may be smaller
    bodies: tuple[DrawnSkeleton, ...] | None = None  # None: unknown, or not processed


@dataclass(frozen=True)
class ActivityRecord:
    """A frame of the voice activity detector."""

    stamp_ns: int
    probability: float
    is_speaking: bool


class Thinned(Generic[T]):
    """Keeps at most `limit` of the items offered, evenly spread: every n-th, with n doubled when it is full."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._every = 1
        self._offered = 0
        self._kept: list[T] = []

    @property
    def keeps_next(self) -> bool:
        """Whether the next item will be kept; otherwise it need not be created."""
        return self._offered % self._every == 0

    def offer(self, item: T | None) -> None:
        """:param item: may be None if `keeps_next` is false."""
        if self.keeps_next and item is not None:
            self._kept.append(item)
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
    """Data of the report. Times are stamps of the input in ns."""

    states: Thinned[StateRecord] = field(default_factory=lambda: Thinned(4000))    # gesture and provisional ones
    finals: list[StateRecord] = field(default_factory=list)                        # all: a few MB for a day of talk
    transcripts: dict[str, Transcript] = field(default_factory=dict)         # the newest of each utterance
    activity: Thinned[ActivityRecord] = field(default_factory=lambda: Thinned(4000))
    pictures: Thinned[Picture] = field(default_factory=lambda: Thinned(32))
    images: int = 0         # received camera frames
    frames: int = 0         # of these, processed by pose estimation
    frames_with_body: int = 0
    utterances: int = 0     # ended ones
    origin_ns: int = 0      # first stamp of images or audio; 0: none
    newest_ns: int = 0      # last stamp

    def add(self, state: StateRecord) -> None:
        if state.kind is Kind.FINAL:
            self.finals.append(state)
        else:
            self.states.offer(state)

    def add_stamp(self, stamp_ns: int) -> None:
        """Extend the time line to a stamp."""
        self.origin_ns = min(self.origin_ns or stamp_ns, stamp_ns)
        self.newest_ns = max(self.newest_ns, stamp_ns)

    def seconds(self, stamp_ns: int) -> float:
        """s since the first stamp."""
        return (stamp_ns - self.origin_ns) / SECOND

    @property
    def duration(self) -> float:
        """s"""
        return self.seconds(self.newest_ns)

    def of_kind(self, kind: Kind) -> list[StateRecord]:
        return self.finals if kind is Kind.FINAL else [s for s in self.states if s.kind is kind]

    @property
    def complete(self) -> list[StateRecord]:
        """The final states with all modalities, used or unfamiliar."""
        return [s for s in self.finals if {*s.modalities, *s.unfamiliar} == set(MODALITIES)]

    @property
    def outcome(self) -> str:
        """Text with the number of complete final states."""
        complete = self.complete
        unlike = sum(SKELETON in s.unfamiliar for s in complete)
        text = f'{len(complete)} of {len(self.finals)} final states had voice, words and movement'
        return f'{text}; in {unlike} of them movement was unlike what was learnt' if unlike else text


def _ns(time: Mapping[str, int]) -> int:
    return time['sec'] * SECOND + time['nanosec']
