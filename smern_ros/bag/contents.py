# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a bag holds, and how much of anything is believed. Needs no ROS."""
from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import zstandard
from lz4.frame import LZ4FrameDecompressor

from smern_ros.bag.errors import BagError

MAX_MESSAGE = 1 << 28
"""Bytes of a message or of a chunk of them, unpacked: more than an image of 8192 x 8192 pixels."""
MAX_TOPICS = 10_000
MAX_NAME = 1000
"""Characters of a topic or of a type."""
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
    """As it was received, in CDR."""

    topic: Topic
    time_ns: int       # when it was recorded
    data: bytes


@dataclass(frozen=True, eq=False)
class Part:
    """Messages that lie together in a file: a chunk of it, or all of a database."""

    start_ns: int                              # of its earliest message
    size: int                                  # bytes that it takes in memory while it is read
    read: Callable[[], Iterator[Message]]      # in the order of time


class CutOff(BagError):
    """A file ends in the midst of something. What came before is sound."""


def require_name(text: object, path: object) -> str:
    """Of a topic, a type or an encoding. :raises BagError: if it is none."""
    if not isinstance(text, str) or len(text) > MAX_NAME:
        raise BagError(f'{path} has a topic whose name or type is no text of at most {MAX_NAME} characters')
    return text


def unpacked(data: bytes, method: str, size: int, what: str) -> bytes:
    """Decompressed, and never more than it should be.

    :param method: `zstd`, `lz4` or empty. :param size: bytes that it may have, at most MAX_MESSAGE are taken.
    :raises BagError: if it is larger, damaged, or compressed in another way.
    """
    if size > MAX_MESSAGE:
        raise BagError(f'{what} claims {size} bytes; at most {MAX_MESSAGE} are taken')
    if not method:
        return data
    if method not in _UNPACK:
        raise BagError(f'{what} is compressed by {method[:40]!r}; only {" and ".join(_UNPACK)} are known')
    try:
        content = _UNPACK[method](data, size + 1)  # a byte more than there should be tells what is larger
    except Exception as error:  # each library has its own
        raise BagError(f'{what} is damaged: {error}') from None
    if len(content) > size:
        raise BagError(f'{what} has more than the {size} bytes it may have')
    return content


def _zstd(data: bytes, most: int) -> bytes:
    content = io.BytesIO()
    for piece in zstandard.ZstdDecompressor().read_to_iter(data):
        content.write(piece[:most - content.tell()])
        if content.tell() >= most:
            break
    told = zstandard.frame_content_size(data)
    if content.tell() < min(told, most):
        raise ValueError(f'it has {content.tell()} of {told} bytes')
    return content.getvalue()


def _lz4(data: bytes, most: int) -> bytes:
    return LZ4FrameDecompressor().decompress(data, max_length=most)


_UNPACK = {'zstd': _zstd, 'lz4': _lz4}
