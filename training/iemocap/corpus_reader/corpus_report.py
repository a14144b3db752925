# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What was found in the corpus, what was left out, and what is wrong with it."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from smern_ros.spec import LABELS

OTHER_EMOTION = 'another emotion than the four'
NO_AGREEMENT = 'the annotators did not agree'
NO_EVALUATION = 'its evaluation cannot be read'
NO_SOUND = 'no sound file'
NO_WORDS = 'no transcription'
NO_ACTOR = 'no actor in view'  # told by the video, so by whoever extracts skeletons


class CorpusError(Exception):
    """The corpus, or a file of it, cannot be read at all: which one, what is wrong and what to do."""


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be."""

    path: Path
    what: str
    line: int | None = None  # counted from 1

    def __str__(self) -> str:
        return f'{self.path}{"" if self.line is None else f":{self.line}"}: {self.what}'


@dataclass(frozen=True)
class LeftOut:
    """An utterance that is not used."""

    id: str
    why: str


@dataclass(frozen=True)
class CorpusReport:
    """Counts are of utterances."""

    root: Path
    evaluated: Mapping[tuple[int, str], int]  # (session, annotation), all that the annotators saw
    used: Mapping[tuple[int, str], int]       # (session, label), one of the four
    left_out: tuple[LeftOut, ...]
    problems: tuple[Problem, ...]             # something is lost or the counts are not those published
    tolerated: tuple[Problem, ...]            # a line or file that is odd, but costs nothing
    skipped: Mapping[str, int]                # what the corpus is known to hold beside its utterances: how often

    @property
    def complete(self) -> bool:
        return not self.problems

    def evaluated_in(self, session: int) -> int:
        return sum(count for (number, _), count in self.evaluated.items() if number == session)

    def annotations(self) -> Counter[str]:
        """Over all sessions."""
        return _by_last(self.evaluated)

    def labels(self) -> Counter[str]:
        """Over all sessions."""
        return _by_last(self.used)

    def reasons(self) -> Counter[str]:
        """Why utterances were left out, and how many."""
        return Counter(utterance.why for utterance in self.left_out)

    def to_dict(self) -> dict:
        """As JSON has it. Utterances of other emotions are only counted, all others left out are named."""
        sessions = sorted({session for session, _ in self.evaluated})
        expected = (OTHER_EMOTION, NO_AGREEMENT)
        return {
            'root': str(self.root),
            'complete': self.complete,
            'evaluated': dict(self.annotations()),
            'used': {label: self.labels()[label] for label in LABELS},
            'sessions': {
                str(session): {
                    'evaluated': self.evaluated_in(session),
                    'used': {label: self.used.get((session, label), 0) for label in LABELS},
                }
                for session in sessions
            },
            'left_out': dict(self.reasons()),
            'left_out_ids': {u.id: u.why for u in self.left_out if u.why not in expected},
            'problems': list(_as_json(self.problems)),
            'tolerated': list(_as_json(self.tolerated)),
            'skipped': dict(self.skipped),
        }


def _by_last(counts: Mapping[tuple[int, str], int]) -> Counter[str]:
    total: Counter[str] = Counter()
    for (_, name), count in counts.items():
        total[name] += count
    return total


def _as_json(problems: tuple[Problem, ...]) -> Iterator[dict]:
    for problem in problems:
        yield {'path': str(problem.path), 'line': problem.line, 'what': problem.what}


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a text file of the corpus that are not blank, without white space around them, and their numbers from 1.

    The files are ASCII but for a few characters of old Windows; no byte stops the reading.

    :raises OSError: if the file cannot be read.
    """
    with path.open(encoding='cp1252', errors='replace') as file:
        for number, line in enumerate(file, 1):
            if line := line.strip():
                yield number, line


def excerpt(line: str) -> str:
    """Short enough for a message, and printable."""
    return repr(line if len(line) <= 60 else f'{line[:57]}...')
