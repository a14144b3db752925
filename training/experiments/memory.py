"""How a process that trains keeps its memory."""
from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_KEPT = 1 << 30  # bytes


def keep_freed() -> None:
    """Have this process use freed memory again instead of giving it back. It stays as large as it ever was.

    It grows for some steps before it settles: tensors are aligned, and a freed block is often some bytes too short.

    Tensors are large: glibc asks the system for each anew, which clears every page of it first. That takes a quarter
    of the time of a convolutional network. Where there is no glibc nothing is done.
    """
    if not sys.platform.startswith('linux'):
        return
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _KEPT)
        mallopt(_TRIM_THRESHOLD, _KEPT)
