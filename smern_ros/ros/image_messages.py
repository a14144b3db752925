# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image messages to BGR arrays and back. What a message claims is checked before a byte of it is touched.

OpenCV is imported where it is needed: who only publishes raw images does without it.
"""
from __future__ import annotations

import array
from collections.abc import Callable

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smern_ros.media import image_encodings, image_size


def to_bgr(
    message: Image | CompressedImage, *, other: Callable[[Image], np.ndarray] | None = None
) -> np.ndarray:
    """(H, W, 3) uint8; of a bgr8 image a view on the message's own data.

    :param other: reads encodings that are not known here, and no depth.
    :raises ValueError: naming what in the message cannot be.
    """
    if isinstance(message, CompressedImage):
        return _decompressed(message)
    if other is not None and not image_encodings.is_read(message.encoding):
        image_encodings.check_size(message.width, message.height)
        image_encodings.refuse_depth(message.encoding)
        return other(message)
    return image_encodings.decode(
        message.data, encoding=message.encoding, width=message.width, height=message.height, step=message.step,
        big_endian=bool(message.is_bigendian),
    )


def to_image(image_bgr: np.ndarray, header: Header) -> Image:
    """A bgr8 message of an (H, W, 3) uint8 array."""
    height, width, _ = image_bgr.shape
    return Image(
        header=header, height=height, width=width, encoding='bgr8', is_bigendian=0, step=3 * width,
        data=_bytes(np.ascontiguousarray(image_bgr, np.uint8)),
    )


def to_compressed(image_bgr: np.ndarray, header: Header, *, quality: int = 90) -> CompressedImage:
    """A JPEG message of an (H, W, 3) uint8 array. :param quality: 1..100."""
    import cv2

    done, encoded = cv2.imencode('.jpg', image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f'an array of shape {image_bgr.shape} and type {image_bgr.dtype} cannot become a JPEG')
    return CompressedImage(header=header, format='bgr8; jpeg compressed bgr8', data=_bytes(encoded))


def _bytes(values: np.ndarray) -> array.array:
    """uint8[] content; an array.array is taken as it is, an ndarray would be checked value by value (183 ms)."""
    content = array.array('B')
    content.frombytes(values.data.cast('B'))
    return content


def _decompressed(message: CompressedImage) -> np.ndarray:
    import cv2

    source, _, how = message.format.partition(';')
    image_encodings.refuse_depth(source)
    if 'compresseddepth' in how.lower():
        raise ValueError(f'format {message.format[:40]!r} is a depth image; use the colour image of the camera')
    data = bytes(message.data)
    image_encodings.check_size(*image_size.size(data))
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError(f'a compressed image of {len(data)} bytes cannot be decoded: {error}') from error
    if image is None:
        raise ValueError(f'a compressed image of {len(data)} bytes (format {message.format[:40]!r}) cannot be decoded')
    return image
