"""What a bag holds, and how much of anything is believed. Needs no ROS."""
from __future__ import annotations

from dataclasses import dataclass

from smern_ros.bag.errors import BagError

MAX_MESSAGE = 1 << 28
"""Bytes of a message or of a chunk of them, unpacked: more than an image of 8192 x 8192 pixels."""
MAX_TOPICS = 10_000
MAX_NAME = 1000
"""Characters of a topic or of a type."""
MAX_DEFINITION = 1 << 20
"""Bytes of a message definition or of a profile."""


@dataclass(frozen=True)
class Topic:
    """A topic of a bag."""

    name: str
    type_name: str     # such as sensor_msgs/msg/Image
    count: int = 0     # messages, as the bag tells


@dataclass(frozen=True, eq=False)
class Message:
    """As it was received, in CDR."""

    topic: Topic
    time_ns: int       # when it was recorded
    data: bytes


class CutOff(BagError):
    """The bag ends in the midst of something. What came before is sound."""


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
    from backports import zstd

    return zstd.ZstdDecompressor().decompress(data, max_length=most)


def _lz4(data: bytes, most: int) -> bytes:
    from lz4.frame import LZ4FrameDecompressor

    return LZ4FrameDecompressor().decompress(data, max_length=most)


_UNPACK = {'zstd': _zstd, 'lz4': _lz4}
