# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Transcription files: the words of each utterance.

    Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smern_ros.training.iemocap.corpus_reader.corpus_report import Problem, excerpt, numbered_lines
from smern_ros.training.iemocap.corpus_reader.names import UtteranceId, is_unnumbered

REMARK = 'remarks M: or F: in transcriptions'
UNNUMBERED = 'transcribed, never evaluated (MXX0)'
_REMARKS = ('M:', 'F:')


@dataclass(frozen=True)
class TranscribedUtterance:
    id: str
    text: str


@dataclass(frozen=True)
class Skipped:
    """A line that the corpus is known to have and that is of no utterance."""

    why: str


def read(path: Path) -> Iterator[TranscribedUtterance | Skipped | Problem]:
    """In the order of the file.

    :raises OSError: if the file cannot be read.
    """
    for number, line in numbered_lines(path):
        if line.startswith(_REMARKS):
            yield Skipped(REMARK)
            continue
        head, separator, text = line.partition(']:')  # the words may hold another one
        name, bracket, _ = head.partition('[')
        name, text = name.strip(), text.strip()
        if is_unnumbered(name):
            yield Skipped(UNNUMBERED)
        elif separator and bracket and text and _is_utterance(name):
            yield TranscribedUtterance(name, text)
        else:
            yield Problem(path, f'malformed: {excerpt(line)}; wanted id [start-end]: words', number)


def _is_utterance(name: str) -> bool:
    try:
        UtteranceId.parse(name)
    except ValueError:
        return False
    return True
