# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether a file is shorter than it was written: how many bytes its own structure tells beyond its end."""
from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_UNKNOWN, _NEAR, _LARGEST = (0x7F000000, 1 << 31, 1 << 32), 1 << 16, 1 << 48
"""Bytes. Who writes to a pipe cannot know the size and writes 0, or the largest number that comes to mind, give or take
a header or a buffer."""
_MOST = 1_000_000
"""Boxes or chunks that are looked at."""
_PCM = (1, 3, 6, 7, 0xFFFE)
"""Formats of WAV files, all whose seconds take the same number of bytes."""


def missing_bytes(path: Path, format_name: str) -> int:
    """Bytes that Matroska, MP4, AVI, AIFF and MP3 tell beyond the end of the file; 0 if none are or they tell nothing.

    :param format_name: FFmpeg's.
    """
    with path.open('rb') as file:
        if 'matroska' in format_name:
            told = _matroska_end(file)
        elif 'mp4' in format_name:
            told = _mp4_end(file)
        elif format_name in ('avi', 'aiff'):
            told = _iff_end(file, '>' if format_name == 'aiff' else '<')
        elif format_name == 'mp3':
            told = _mp3_end(file)
        else:
            told = 0
    return max(told - path.stat().st_size, 0)


def missing_sound(path: Path) -> float | None:
    """Seconds of sound that the header of a WAV file tells beyond the end of the file; None if it does not tell.

    The size of the data is told, in RF64 beside it; what follows the data is no sound, and may be missing.
    """
    with path.open('rb') as file:
        big = file.read(4)
        order = '>' if big == b'RIFX' else '<'
        kind = rate = bytes_per_second = samples = told = 0
        for name, size in _chunks(file, 12, order):
            if name == b'ds64':
                _, told = struct.unpack('<QQ', file.read(16).ljust(16, b'\0'))
            elif name == b'fmt ':
                kind, rate, bytes_per_second = struct.unpack(f'{order}HxxII', file.read(12).ljust(12, b'\0'))
            elif name == b'fact':
                samples = struct.unpack(f'{order}I', file.read(4).ljust(4, b'\0'))[0]
            elif name == b'data':
                told = told if big in (b'RF64', b'BW64') and size == 0xFFFFFFFF else size
                if kind not in _PCM and samples:  # of MP3 and ADPCM FFmpeg writes none or a wrong one
                    bytes_per_second = told * rate // samples
                if _is_unknown(told) or not bytes_per_second:
                    return None
                return max(told - (path.stat().st_size - file.tell()), 0) / bytes_per_second
    return None


def _is_unknown(size: int) -> bool:
    return size == 0 or size > _LARGEST or any(abs(size - most) <= _NEAR for most in _UNKNOWN)


def _chunks(file: BinaryIO, at: int, order: str) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk of a RIFF or IFF file; the file stands at its content."""
    for _ in range(_MOST):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack(f'{order}4sI', head)
        yield name, size
        at += 8 + size + size % 2


def _iff_end(file: BinaryIO, order: str) -> int:
    """Where the pictures and the sound of an AVI or AIFF file end; an index or words behind them may be missing. 0 if
    nobody knew."""
    end = at = 0
    for name, size in _chunks(file, 0, order):  # a long AVI file has several of the outermost
        at = file.tell()
        if name not in (b'RIFF', b'FORM'):
            break
        for name, size in _chunks(file, at + 4, order):
            start = file.tell()
            if name == b'SSND' or (name == b'LIST' and file.read(4) == b'movi'):
                if _is_unknown(size):
                    return 0
                end = start + size
                break
    return end


def _mp4_end(file: BinaryIO) -> int:
    """Where the last of the outermost boxes ends (ISO 14496-12); of those before, all is there."""
    at = 0
    for _ in range(_MOST):
        file.seek(min(at, 1 << 62))
        head = file.read(16)
        if len(head) < 8:
            break
        size = struct.unpack('>I', head[:4])[0]
        if size == 1 and len(head) == 16:
            size = struct.unpack('>Q', head[8:])[0]
        if size < 8 or not head[4:8].isalnum():  # up to the end of the file, or no box at all
            break
        at += size
    return at


def _mp3_end(file: BinaryIO) -> int:
    """Where the frames end by the first of them, if it counts them (Xing or Info, as LAME and FFmpeg write it); else 0.

    Before it there may be tags (ID3v2).
    """
    at = 0
    while (head := file.read(10)).startswith(b'ID3') and len(head) == 10:
        at += 10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        at += 10 if head[5] & 0x10 else 0  # a footer
        file.seek(at)
    if len(head) < 10 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    is_mpeg1, is_mono = head[1] & 0x18 == 0x18, head[3] & 0xC0 == 0xC0
    file.seek(at + 4 + ((17 if is_mono else 32) if is_mpeg1 else 9 if is_mono else 17))
    name, holds = struct.unpack('>4sI', file.read(8).ljust(8, b'\0'))
    if name not in (b'Xing', b'Info') or not holds & 2:
        return 0
    file.seek(4 * (holds & 1), 1)  # the number of frames
    size = struct.unpack('>I', file.read(4).ljust(4, b'\0'))[0]
    return 0 if _is_unknown(size) else at + size


def _matroska_end(file: BinaryIO) -> int:
    """Where the segment ends (RFC 8794 and 9559); 0 if it is written as a stream, whose size nobody knew."""
    file.seek(4)  # behind the identifier of the EBML header
    size = _vint(file)
    if size is None:
        return 0
    file.seek(size, 1)
    if file.read(4) != b'\x18\x53\x80\x67':
        return 0
    size = _vint(file)
    return 0 if size is None else file.tell() + size


def _vint(file: BinaryIO) -> int | None:
    """An EBML number; None if it is unknown or there is none."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1).ljust(length - 1, b'\xff'), 'big') & (1 << 7 * length) - 1
    return None if value == (1 << 7 * length) - 1 else value
