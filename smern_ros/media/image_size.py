# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the size of a JPEG, PNG or WebP image before decoding, and checks that its end is present."""
from __future__ import annotations

_PNG = b'\x89PNG\r\n\x1a\n'
_PNG_END = b'IEND\xaeB`\x82'
_JPEG = b'\xff\xd8'
_JPEG_END = b'\xff\xd9'
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segments with height and width (start of frame)."""
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a segment."""


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header.

    :raises ValueError: if it is neither JPEG, PNG nor WebP, its header is damaged or its end is missing.
    """
    if data.startswith(_PNG):
        if len(data) < 24 or data[12:16] != b'IHDR':
            raise ValueError(f'a PNG image of {len(data)} bytes has no header')
        if not data.rstrip(b'\0').endswith(_PNG_END):
            raise ValueError(f'a PNG image of {len(data)} bytes is cut off')
        return int.from_bytes(data[16:20], 'big'), int.from_bytes(data[20:24], 'big')
    if data.startswith(_JPEG):
        width, height = _jpeg_size(data)
        if not data.rstrip(b'\0').endswith(_JPEG_END):  # cameras pad with zeros
            raise ValueError(f'a JPEG image of {len(data)} bytes is cut off')
        return width, height
    if data.startswith(b'RIFF') and data[8:12] == b'WEBP':
        return _webp_size(data)
    raise ValueError(
        f'{len(data)} bytes that begin with {data[:4].hex(" ") or "nothing"} are neither JPEG nor PNG nor WebP'
    )


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = len(_JPEG)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        elif marker in _JPEG_SIZES and at + 9 <= len(data):
            return int.from_bytes(data[at + 7:at + 9], 'big'), int.from_bytes(data[at + 5:at + 7], 'big')
        else:
            at += 2 + max(int.from_bytes(data[at + 2:at + 4], 'big'), 2)
    raise ValueError(f'a JPEG image of {len(data)} bytes has no size in its header: it is cut off or broken')


def _webp_size(data: bytes) -> tuple[int, int]:
    if len(data) < 8 + int.from_bytes(data[4:8], 'little'):
        raise ValueError(f'a WebP image of {len(data)} bytes is cut off')
    kind = data[12:16]
    if kind == b'VP8X' and len(data) >= 30:
        return int.from_bytes(data[24:27], 'little') + 1, int.from_bytes(data[27:30], 'little') + 1
    if kind == b'VP8L' and len(data) >= 25:
        bits = int.from_bytes(data[21:25], 'little')
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b'VP8 ' and len(data) >= 30:
        return (int.from_bytes(data[26:28], 'little') & 0x3FFF), (int.from_bytes(data[28:30], 'little') & 0x3FFF)
    raise ValueError(f'a WebP image of {len(data)} bytes has no size in its header: it is cut off or broken')
