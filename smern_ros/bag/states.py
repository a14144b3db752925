# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Final states of a run of the graph, and the comparison of two runs. Needs no ROS."""
from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

TOLERANCE = 1e-3
"""Largest difference of a probability that counts as equal: rounding in another order of additions."""


@dataclass(frozen=True)
class FinalState:
    """The final state of an utterance."""

    utterance_id: str
    start_ns: int
    end_ns: int
    person_id: str
    label: str
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    modalities: tuple[str, ...]


@dataclass
class RunStates:
    """Output of one run, in the order of reception."""

    finals: dict[str, FinalState] = field(default_factory=dict)   # by utterance
    words: dict[str, str] = field(default_factory=dict)      # final ones, by utterance
    _frames: list[int] = field(default_factory=list)           # stamps of the processed frames, sorted

    def add_frame(self, stamp_ns: int) -> None:
        bisect.insort(self._frames, stamp_ns)

    def frames(self, final: FinalState) -> int:
        """Number of processed frames within the utterance."""
        return bisect.bisect_right(self._frames, final.end_ns) - bisect.bisect_left(self._frames, final.start_ns)


@dataclass(frozen=True)
class StateComparison:
    """Results for an utterance that is in both runs, or in one of them."""

    utterance_id: str
    start_ns: int
    recorded: FinalState | None
    replayed: FinalState | None
    words: tuple[str, str]           # recorded, replayed
    frames: tuple[int, int]

    @property
    def change(self) -> float:
        """Largest change of a probability; infinite if the utterance is in one run only."""
        if self.recorded is None or self.replayed is None or self.recorded.labels != self.replayed.labels:
            return float('inf')
        pairs = zip(self.recorded.probabilities, self.replayed.probabilities, strict=True)
        return max((abs(a - b) for a, b in pairs), default=float('inf'))

    @property
    def same(self) -> bool:
        """Whether window, words, person, modalities and probabilities are equal."""
        a, b = self.recorded, self.replayed
        return (
            a is not None and b is not None and self.words[0] == self.words[1] and self.change <= TOLERANCE
            and (a.start_ns, a.end_ns, a.person_id, a.modalities) == (b.start_ns, b.end_ns, b.person_id, b.modalities)
        )


def compare(recorded: RunStates, replayed: RunStates) -> list[StateComparison]:
    """One row for each utterance of either run, in the order of time."""
    rows = []
    for name in dict.fromkeys([*recorded.finals, *replayed.finals]):
        pair = recorded.finals.get(name), replayed.finals.get(name)
        present = [final for final in pair if final is not None]
        rows.append(StateComparison(
            name, present[0].start_ns, *pair, (recorded.words.get(name, ''), replayed.words.get(name, '')),
            (sum(recorded.frames(f) for f in pair[:1] if f), sum(replayed.frames(f) for f in pair[1:] if f)),
        ))
    return sorted(rows, key=lambda row: row.start_ns)


def table(rows: Sequence[StateComparison]) -> Iterator[str]:
    """Lines of a readable table."""
    if not rows:
        yield 'Neither the bag nor the replay has a final state.'
        return
    first_ns = rows[0].start_ns
    yield f'{"from":>8}  {"recorded":16}  {"replayed":16}  {"change":>7}  {"frames":>11}  words'
    for row in rows:
        sides = (f'{f.label:9} {max(f.probabilities):6.3f}' if f else 'no state' for f in (row.recorded, row.replayed))
        change = f'{row.change:7.4f}' if row.change < float('inf') else '      –'
        words = f'“{row.words[0]}”' if row.words[0] == row.words[1] else f'“{row.words[0]}” now “{row.words[1]}”'
        frames = f'{row.frames[0]} / {row.frames[1]}'
        yield (f'{(row.start_ns - first_ns) / 1e9:6.1f} s  {"  ".join(f"{s:16}" for s in sides)}  {change}  '
               f'{frames:>11}  {words}{"" if row.same else "  DIFFERS" + _differences(row)}')
    same = sum(row.same for row in rows)
    yield f'{same} of {len(rows)} final states are the same.'


def _differences(row: StateComparison) -> str:
    a, b = row.recorded, row.replayed
    if a is None or b is None:
        return ''
    parts = [
        name for name, differs in (
            ('window', (a.start_ns, a.end_ns) != (b.start_ns, b.end_ns)), ('person', a.person_id != b.person_id),
            (f'used {"+".join(a.modalities)} now {"+".join(b.modalities)}', a.modalities != b.modalities),
            ('words', row.words[0] != row.words[1]), ('frames processed', row.frames[0] != row.frames[1]),
        ) if differs
    ]
    return f': {", ".join(parts)}' if parts else ''
