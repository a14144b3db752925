"""How large a file may be that others made: what is larger is damaged or hostile, and not a byte of it is read."""
from __future__ import annotations

from pathlib import Path


def require_size(path: Path, most: int) -> None:
    """
    :param most: bytes.
    :raises ValueError: if the file has more.
    :raises OSError: if it cannot be looked at.
    """
    size = path.stat().st_size
    if size > most:
        raise ValueError(f'{path.name} has {size} bytes, and more than {most} are never read')
