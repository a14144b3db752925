# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motion capture of a dialog: markers on the face, the head's pose and markers on the hands, of one of the two.

Three text files with two lines of title, then on each line the frame, its time in seconds and the values.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smern_ros.training.iemocap.corpus_reader.corpus_report import CorpusError, numbered_lines
from smern_ros.values import SECOND

WIDTHS = {'MOCAP_rotated': 165, 'MOCAP_head': 6, 'MOCAP_hand': 18}
"""The folders and how many values they have a frame: 55 markers, turn and place, 6 markers."""
VALUES = sum(WIDTHS.values())
_TITLES = 2


@dataclass(frozen=True)
class MocapFiles:
    """Of one dialog."""

    rotated: Path
    head: Path
    hand: Path


@dataclass(frozen=True, eq=False)
class MocapRecording:
    times_ns: np.ndarray  # (T,) int64, on the dialog's time line, growing
    values: np.ndarray    # (T, 189) float32: rotated, head, hand; NaN where a marker was lost
    unreadable: int       # lines of the three files that were malformed and left out

    def between(self, start_ns: int, end_ns: int) -> np.ndarray:
        """(T', 189) float32, the frames with start <= time <= end; there may be none."""
        first = np.searchsorted(self.times_ns, start_ns, 'left')
        last = np.searchsorted(self.times_ns, end_ns, 'right')
        return self.values[first:last]


def read(files: MocapFiles) -> MocapRecording:
    """The frames that all three files have.

    :raises CorpusError: if a file cannot be read or they have no frame in common.
    """
    parts = [
        _read(path, width)
        for path, width in zip((files.rotated, files.head, files.hand), WIDTHS.values(), strict=True)
    ]
    common = set.intersection(*(set(part.frames) for part in parts))
    if not common:
        raise CorpusError(f'{files.rotated} and the files of head and hand have no frame in common')
    rows = [np.array([number in common for number in part.frames]) for part in parts]
    times_ns = np.array(parts[0].times_ns, np.int64)[rows[0]]
    values = np.concatenate([part.values[kept] for part, kept in zip(parts, rows, strict=True)], axis=1)
    order = np.argsort(times_ns, kind='stable')
    return MocapRecording(times_ns[order], values[order], sum(part.unreadable for part in parts))


@dataclass(frozen=True, eq=False)
class _Part:
    frames: list[int]
    times_ns: list[int]
    values: np.ndarray  # (T, width) float32
    unreadable: int


def _read(path: Path, width: int) -> _Part:
    found: dict[int, tuple[int, np.ndarray]] = {}
    unreadable = 0
    try:
        for number, line in numbered_lines(path):
            if number <= _TITLES:
                continue
            try:
                frame, seconds, *values = line.split()
                row = np.array(values, np.float32)
                if len(row) != width:
                    raise ValueError('cut off')
                found.setdefault(int(float(frame)), (round(float(seconds) * SECOND), row))
            except (ValueError, OverflowError):
                unreadable += 1
    except OSError as error:
        raise CorpusError(f'{path} cannot be read: {error.strerror}') from error
    if not found:
        raise CorpusError(f'{path} has no frame of {width} values')
    ordered = [found[frame] for frame in sorted(found)]
    return _Part(sorted(found), [time for time, _ in ordered], np.stack([row for _, row in ordered]), unreadable)
