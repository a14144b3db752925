"""Text files of the corpus, line by line."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, without white space around them, and their numbers from 1.

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
