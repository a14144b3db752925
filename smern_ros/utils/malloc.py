# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""When freed memory goes back to the system. Where the C library is not glibc nothing is done."""
from __future__ import annotations

import contextlib
import ctypes
import gc

TENSORS = 1 << 30
"""Bytes that are kept for the next step of a training."""
IMAGES = 32 << 20
"""Bytes that are kept for the next image: an uncompressed one of 4K has 25 MB."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)


def keep_freed(largest: int) -> None:
    """Have this process use freed memory again instead of giving it back.

    glibc asks the system for each large block anew, which clears every page of it first: a quarter of the time of a
    convolutional network in training, and two thirds of what it costs to be given a camera's images (`python -m
    bench.images`). It grows for some steps before it settles: tensors are aligned, and a freed block is often some
    bytes too short.

    :param largest: bytes of the largest block that is kept, and of all free ones at the end of the heap.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, largest)
        mallopt(_TRIM_THRESHOLD, largest)


def give_back() -> None:
    """Frees what only cycles keep alive, and returns the allocator's free pages to the system."""
    gc.collect()
    trim()


def trim() -> None:
    """Returns the allocator's free pages to the system, in a millisecond or two."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
