# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""CSV table of recordings with labels, for `smern adapt`."""
from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from smern_ros.spec import LABELS
from smern_ros.utils.file_size import require_size
from smern_ros.utils.paths import expand

REQUIRED, OPTIONAL = ('file', 'label'), ('text',)
"""Columns, in any order."""
_COLUMNS = (*REQUIRED, *OPTIONAL)
LARGEST = 16 << 20
"""Bytes. A larger file is not read."""


class TableError(ValueError):
    """An invalid table; the message has one line for each problem."""


@dataclass(frozen=True)
class LabelRow:
    """A line of the table."""

    name: str         # of the file, as the table has it
    file: Path
    label: str
    text: str | None  # the words; None: to be recognised


def read(path: Path, labels: Sequence[str] = LABELS) -> list[LabelRow]:
    """Read the table; file names are relative to its folder.

    :raises TableError: if the table cannot be read, lacks a column, or any line has an unknown label, a missing file
        or a duplicate recording (by content).
    """
    try:
        require_size(path, LARGEST)
        with path.open(encoding='utf-8-sig', newline='') as file:
            rows = csv.DictReader(file, strict=True)
            columns = rows.fieldnames or ()
            lines = [(rows.line_num, {k: (v or '').strip() for k, v in row.items() if k in _COLUMNS}) for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        raise TableError(f'{path} cannot be read as a table: {error}') from error
    _check_columns(path, columns)
    if not lines:
        raise TableError(f'{path} lists no recording')
    problems = list(_problems(path, lines, labels))
    if problems:
        raise TableError('\n'.join(problems))
    return [
        LabelRow(row['file'], path.parent / expand(row['file']), row['label'], row.get('text') or None)
        for _, row in lines
    ]


def _check_columns(path: Path, found: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in found]
    unknown = [str(name) for name in found if name not in _COLUMNS]
    if missing or unknown:
        raise TableError(
            f'{path} has the columns {", ".join(map(str, found)) or "(none)"}; expected a first line '
            f'"{",".join(REQUIRED)}" or "{",".join(_COLUMNS)}", commas between'
        )


def _problems(path: Path, lines: Sequence[tuple[int, dict[str, str]]], labels: Sequence[str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for number, row in lines:
        where = f'{path}, line {number}'
        file = path.parent / expand(row['file'])
        if row['label'] not in labels:
            yield f'{where}: {row["file"]} has label {row["label"]!r}; expected one of {", ".join(labels)}'
        if not row['file'] or not file.is_file():
            yield f'{where}: there is no file {row["file"]!r} in {path.parent}'
            continue
        try:
            digest = _digest(file)
        except OSError as error:
            yield f'{where}: {row["file"]} cannot be read: {error}'
            continue
        if digest in seen:
            yield f'{where}: {row["file"]} is the same recording as {seen[digest]}; leave one of them out'
        seen.setdefault(digest, row['file'])


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open('rb') as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()
