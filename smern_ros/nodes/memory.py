"""Giving freed memory back to the system: a robot that put a node to sleep wants its memory for something else."""
from __future__ import annotations

import contextlib
import ctypes
import gc


def give_back() -> None:
    """Frees what only cycles keep alive, and returns the allocator's free pages where it is glibc's."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
