# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How large a file may be that others made: what is larger is damaged or hostile, and not a byte of it is read.

A pipe is no such file: whoever opens it may wait for ever.
"""
from __future__ import annotations

import stat
from pathlib import Path


def require_size(path: Path, most: int) -> None:
    """
    :param most: bytes.
    :raises ValueError: if the file has more, or is a pipe or device.
    :raises OSError: if it cannot be looked at.
    """
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise ValueError(f'{path.name} is a pipe or device, no file')
    size = status.st_size
    if size > most:
        raise ValueError(f'{path.name} has {size} bytes, and more than {most} are never read')
