# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Chained Ogg (RFC 3533): streams one after the other in one file, as radio stations and `cat` make them.

FFmpeg follows a chain only while codec, rate and channels stay.
"""
from __future__ import annotations

import io
import os
from pathlib import Path

_BEGIN = 0x02  # of a logical stream: flag of a page
_HEAD = 27


def links(path: Path) -> list[tuple[int, int]]:
    """Where each link of a chain begins and ends, in bytes; none if the file is no chain."""
    begins: list[int] = []
    with path.open('rb') as file:
        size = os.fstat(file.fileno()).st_size
        at, began = 0, False
        while True:
            head = file.read(_HEAD)
            if len(head) < _HEAD or not head.startswith(b'OggS'):
                break
            begin = bool(head[5] & _BEGIN)
            if begin and not began:  # several streams side by side begin together
                begins.append(at)
            began = begin
            lengths = file.read(head[26])
            at += _HEAD + len(lengths) + sum(lengths)
            file.seek(at)
    return list(zip(begins, [*begins[1:], size], strict=True)) if len(begins) > 1 else []


class Link(io.RawIOBase):
    """A part of a file as a file of its own."""

    def __init__(self, path: Path, begin: int, end: int) -> None:
        self._file = path.open('rb')
        self._begin, self._end = begin, end
        self._file.seek(begin)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        view = memoryview(buffer)[:max(self._end - self._file.tell(), 0)]
        return self._file.readinto(view)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: self._begin, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._end}[whence]
        return self._file.seek(base + offset) - self._begin

    def tell(self) -> int:
        return self._file.tell() - self._begin

    def close(self) -> None:
        self._file.close()
        super().close()
