"""What a cached result was made of: with any change of it, it is made anew."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LENGTH = 16
"""Hexadecimal digits of a key."""


def file(path: Path | None) -> list | None:
    """Name, size and time of the last change; None if there is no such file. The folder may be another one."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return [path.name, status.st_size, status.st_mtime_ns]


def code(*sources: Path) -> str:
    """Hash of these files and of the Python files in these folders."""
    return _hash(source.read_bytes() for source in _files(sources))


def key(**parts: Any) -> str:
    """:param parts: anything that JSON has."""
    return _hash([json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()])[:LENGTH]


def _files(sources: Iterable[Path]) -> Iterable[Path]:
    for source in sources:
        yield from sorted(source.glob('*.py')) if source.is_dir() else [source]


def _hash(blobs: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for blob in blobs:
        digest.update(hashlib.sha256(blob).digest())
    return digest.hexdigest()
