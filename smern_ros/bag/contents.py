# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Topics and messages of a bag, limits on their size, and decompression. Needs no ROS."""
from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import zstandard
from lz4.frame import LZ4FrameDecompressor

from smern_ros.bag.errors import BagError

MAX_MESSAGE = 1 << 28
"""Bytes of an uncompressed message or chunk: more than an image of 8192 x 8192 pixels."""
MAX_TOPICS = 10_000
MAX_NAME = 1000
"""Characters of the name of a topic or type."""
ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'


@dataclass(frozen=True)
class Topic:
    """A topic of a bag. Two of the same name differ in type or encoding."""

    name: str
    type_name: str                             # such as sensor_msgs/msg/Image
    encoding: str = 'cdr'                      # of its messages
    count: int = field(default=0, compare=False)       # messages
    type_hash: str = field(default='', compare=False)  # RIHS01_..., where the bag has it


@dataclass(frozen=True, eq=False)
class Message:
    """A recorded message, serialized as CDR."""

    topic: Topic
    time_ns: int       # of recording
    data: bytes


@dataclass(frozen=True, eq=False)
class Part:
    """Messages read together: a chunk of a file, or a whole database."""

    start_ns: int                              # of its earliest message
    size: int                                  # bytes of memory while it is read
    read: Callable[[], Iterator[Message]]      # in the order of time


class CutOff(BagError):
    """A file ends within a record. What comes before is valid."""


def require_name(text: object, path: object) -> str:
    """Check the name of a topic, a type or an encoding. :raises BagError: if it is no text, or too long."""
    if not isinstance(text, str) or len(text) > MAX_NAME:
        raise BagError(f'{path} has a topic whose name or type is not a text of at most {MAX_NAME} characters')
    return text


def decompress(data: bytes, method: str, size: int, what: str) -> bytes:
    """Decompress `data`, without taking more memory than `size`.

    :param method: `zstd`, `lz4` or empty.
    :param size: most bytes of the content; at most MAX_MESSAGE.
    :param what: name for error messages.
    :raises BagError: if the content is larger or damaged, or the method is unknown.
    """
    if size > MAX_MESSAGE:
        raise BagError(f'{what} claims {size} bytes; the maximum is {MAX_MESSAGE}')
    if not method:
        return data
    if method not in _DECOMPRESS:
        raise BagError(f'{what} has compression {method[:40]!r}; expected {" or ".join(_DECOMPRESS)}')
    try:
        content = _DECOMPRESS[method](data, size + 1)  # one more byte than allowed shows that it is larger
    except Exception as error:  # each library raises its own
        raise BagError(f'{what} is damaged: {error}') from None
    if len(content) > size:
        raise BagError(f'{what} has more than its {size} bytes')
    return content


def _zstd(data: bytes, most: int) -> bytes:
    content = io.BytesIO()
    for piece in zstandard.ZstdDecompressor().read_to_iter(data):
        content.write(piece[:most - content.tell()])
        if content.tell() >= most:
            break
    expected = zstandard.frame_content_size(data)
    if content.tell() < min(expected, most):
        raise ValueError(f'it has {content.tell()} of {expected} bytes')
    return content.getvalue()


def _lz4(data: bytes, most: int) -> bytes:
    return LZ4FrameDecompressor().decompress(data, max_length=most)


_DECOMPRESS = {'zstd': _zstd, 'lz4': _lz4}
