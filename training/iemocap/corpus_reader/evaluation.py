# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation files: what the annotators said of each utterance, block by block.

    [6.2901 - 8.2357]<TAB>Ses01F_impro01_F000<TAB>neu<TAB>[2.5000, 2.5000, 2.5000]
    C-E2:<TAB>Neutral;<TAB>()          what each of them said; not read
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smern_ros.training.iemocap.corpus_reader.corpus_report import Problem, excerpt, numbered_lines
from smern_ros.training.iemocap.corpus_reader.names import Dialog, UtteranceId
from smern_ros.training.iemocap.corpus_reader.published import ANNOTATIONS
from smern_ros.values import SECOND

_NUMBER = r'[0-9]{1,6}(?:\.[0-9]+)?'
_LINE = re.compile(
    rf'\[\s*(?P<start>{_NUMBER})\s*-\s*(?P<end>{_NUMBER})\s*\]\s+(?P<id>\S+)\s+(?P<annotation>\S+)\s+'
    rf'\[\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\]'
)
_WORD = re.compile(r'\w+')


@dataclass(frozen=True)
class Evaluation:
    """Of one utterance."""

    id: UtteranceId
    start_ns: int    # on the dialog's time line
    end_ns: int
    annotation: str  # what the majority said: ang, hap, ...; xxx if there was none


@dataclass(frozen=True)
class Unreadable:
    """A block that begins with a wrong line."""

    problem: Problem
    id: str | None  # if that much can be told


def read(path: Path, dialog: Dialog) -> Iterator[Evaluation | Unreadable]:
    """In the order of the file.

    :raises OSError: if the file cannot be read.
    """
    seen = set()
    for number, line in numbered_lines(path):
        if not line.startswith('['):  # the title or an annotator's line
            continue
        try:
            evaluation = _parse(line, dialog)
            if evaluation.id in seen:
                raise ValueError(f'{evaluation.id.text} is evaluated twice; the first counts')
        except ValueError as error:
            yield Unreadable(Problem(path, str(error), number), _whose(line))
        else:
            seen.add(evaluation.id)
            yield evaluation


def _parse(line: str, dialog: Dialog) -> Evaluation:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f'malformed or cut off: {excerpt(line)}; wanted [start - end] id emotion [v, a, d]')
    utterance = UtteranceId.parse(match['id'])
    if utterance.dialog != dialog:
        raise ValueError(f'{utterance.text} is of another dialog than this file')
    if match['annotation'] not in ANNOTATIONS:
        emotion = excerpt(match['annotation'])
        raise ValueError(f'unknown emotion {emotion}; wanted one of {", ".join(ANNOTATIONS)}')
    start_ns, end_ns = (round(float(match[name]) * SECOND) for name in ('start', 'end'))
    if start_ns >= end_ns:
        raise ValueError(f'{utterance.text} ends at {match["end"]} s, not after its start at {match["start"]} s')
    return Evaluation(utterance, start_ns, end_ns, match['annotation'])


def _whose(line: str) -> str | None:
    for word in _WORD.findall(line):
        try:
            return UtteranceId.parse(word).text
        except ValueError:
            continue
    return None
