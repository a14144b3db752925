# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Detects truncated files: compares the size declared in the structure of a file with its actual size."""
from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_UNKNOWN, _NEAR, _LARGEST = (0x7F000000, 1 << 31, 1 << 32), 1 << 16, 1 << 48
"""Bytes. A writer to a pipe does not know the size and writes 0 or a very large number, plus or minus a header or
buffer."""
_MOST = 1_000_000
"""Most boxes or chunks read."""
_PCM = (1, 3, 6, 7, 0xFFFE)
"""WAV formats with a constant number of bytes per second."""


def missing_bytes(path: Path, format_name: str) -> int:
    """Bytes missing at the end of a Matroska, MP4, AVI, AIFF or MP3 file; 0 if none, or unknown.

    :param format_name: of FFmpeg.
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
    """Seconds of audio missing at the end of a WAV file; None if unknown.

    The size of the data chunk counts (in RF64 it is in another chunk); chunks after it may be missing.
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
                if kind not in _PCM and samples:  # for MP3 and ADPCM FFmpeg writes none, or a wrong one
                    bytes_per_second = told * rate // samples
                if _is_unknown(told) or not bytes_per_second:
                    return None
                return max(told - (path.stat().st_size - file.tell()), 0) / bytes_per_second
    return None


def _is_unknown(size: int) -> bool:
    return size == 0 or size > _LARGEST or any(abs(size - most) <= _NEAR for most in _UNKNOWN)


def _chunks(file: BinaryIO, at: int, order: str) -> Iterator[tuple[bytes, int]]:
    """Yield name and size of each chunk of a RIFF or IFF file; the file position is then at its content."""
    for _ in range(_MOST):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack(f'{order}4sI', head)
        yield name, size
        at += 8 + size + size % 2


def _iff_end(file: BinaryIO, order: str) -> int:
    """End of video and audio of an AVI or AIFF file, without the chunks after them; 0 if unknown."""
    end = at = 0
    for name, size in _chunks(file, 0, order):  # a long AVI file has several outermost chunks
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
    """End of the last outermost box (ISO 14496-12)."""
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
    """End of the frames by the count in the first one (Xing or Info, as of LAME and FFmpeg), after ID3v2 tags; else 0.
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
    """End of the segment (RFC 8794 and 9559); 0 if it is a stream of unknown size."""
    file.seek(4)  # after the identifier of the EBML header
    size = _vint(file)
    if size is None:
        return 0
    file.seek(size, 1)
    if file.read(4) != b'\x18\x53\x80\x67':
        return 0
    size = _vint(file)
    return 0 if size is None else file.tell() + size


def _vint(file: BinaryIO) -> int | None:
    """An EBML number; None if it is unknown or missing."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1).ljust(length - 1, b'\xff'), 'big') & (1 << 7 * length) - 1
    return None if value == (1 << 7 * length) - 1 else value
