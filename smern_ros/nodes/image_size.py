"""The size of a JPEG or PNG image from its first bytes, and whether its end is there: before anything is decoded."""
from __future__ import annotations

_PNG = b'\x89PNG\r\n\x1a\n'
_PNG_END = b'IEND\xaeB`\x82'
_JPEG = b'\xff\xd8'
_JPEG_END = b'\xff\xd9'
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segments that hold height and width (start of frame)."""
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a segment."""


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the header says.

    :raises ValueError: if it is neither JPEG nor PNG, its header is broken or its end is missing.
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
    raise ValueError(f'{len(data)} bytes that begin with {data[:4].hex(" ") or "nothing"} are neither JPEG nor PNG')


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
