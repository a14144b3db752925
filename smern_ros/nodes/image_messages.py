"""Image messages to BGR arrays and back. What a message claims is checked before a byte of it is touched.

OpenCV is imported where it is needed: who only publishes raw images does without it.
"""
from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smern_ros.media.tracks import MAX_SIDE
from smern_ros.nodes import image_size

_CHANNELS = {'bgr8': 3, 'rgb8': 3, 'mono8': 1}
_TO_BGR = {'rgb8': 'COLOR_RGB2BGR', 'mono8': 'COLOR_GRAY2BGR'}


def to_bgr(message: Image | CompressedImage) -> np.ndarray:
    """(H, W, 3) uint8; of a bgr8 image a view on the message's own data.

    bgr8, rgb8 and mono8 are read here; other encodings (Bayer, YUV, 16 bit) by cv_bridge where this ROS has it.

    :raises ValueError: naming what in the message cannot be.
    """
    return _decompressed(message) if isinstance(message, CompressedImage) else _raw(message)


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
    content.frombytes(memoryview(values).cast('B'))
    return content


def _raw(message: Image) -> np.ndarray:
    _check_size(message.width, message.height)
    channels = _CHANNELS.get(message.encoding)
    if channels is None:
        return _bridged(message)
    if message.step < message.width * channels:
        raise ValueError(
            f'step is {message.step}, but {message.width} {message.encoding} pixels need '
            f'{message.width * channels} bytes a row'
        )
    if len(message.data) != message.step * message.height:
        raise ValueError(
            f'data has {len(message.data)} bytes, but {message.height} rows of {message.step} bytes (step) '
            f'are {message.step * message.height}'
        )
    pixels = np.ndarray(
        (message.height, message.width, channels), np.uint8, np.frombuffer(message.data, np.uint8),
        strides=(message.step, channels, 1),
    )
    if message.encoding == 'bgr8':
        return pixels
    import cv2

    return cv2.cvtColor(np.ascontiguousarray(pixels), getattr(cv2, _TO_BGR[message.encoding]))


def _bridged(message: Image) -> np.ndarray:
    try:
        from cv_bridge import CvBridge
    except Exception:  # absent, or made for another numpy: then it fails in many ways
        raise ValueError(
            f'encoding is {message.encoding[:40]!r}; without cv_bridge only {", ".join(_CHANNELS)} can be read'
        ) from None
    try:
        return CvBridge().imgmsg_to_cv2(message, 'bgr8')
    except Exception as error:  # its own, cv2's or numpy's, by what was wrong
        raise ValueError(f'an image with encoding {message.encoding[:40]!r} cannot be read: {error}') from error


def _decompressed(message: CompressedImage) -> np.ndarray:
    import cv2

    data = bytes(message.data)
    _check_size(*image_size.size(data))
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ValueError(f'a compressed image of {len(data)} bytes cannot be decoded: {error}') from error
    if image is None:
        raise ValueError(f'a compressed image of {len(data)} bytes (format {message.format[:40]!r}) cannot be decoded')
    return image


def _check_size(width: int, height: int) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f'the image is {width} x {height} pixels; each side must be from 1 to {MAX_SIDE}')
