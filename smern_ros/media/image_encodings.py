# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Converts images in the encodings of camera drivers (sensor_msgs/image_encodings) to BGR. Needs no ROS.

Sizes are checked before the data is read. OpenCV is imported when it is needed.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from smern_ros.media.tracks import MAX_SIDE

ASSUMED = {'8uc1': 'mono8', '8uc3': 'bgr8', '8uc4': 'bgra8'}
"""Encodings assumed for those that give the type of the values only."""
_DEPTH = {'16uc1', '16sc1', '32fc1', '64fc1', '32sc1'}
_NV24 = np.array([  # from Y, U, V to B, G, R: BT.601, limited range, as OpenCV has it for the other YUV encodings
    [1.164, 2.018, 0.0, -276.928],
    [1.164, -0.391, -0.813, 135.488],
    [1.164, 0.0, 1.596, -222.912],
])


@dataclass(frozen=True)
class _Layout:
    channels: int                 # values per pixel in a row of the first plane
    convert: str | Callable[[np.ndarray], np.ndarray] = ''   # name of OpenCV's conversion; empty: BGR already
    bits: int = 8
    rows: Fraction = Fraction(1)  # rows of `step` bytes per row of the image, with the planes after the first one
    even: tuple[bool, bool] = (False, False)  # whether width and height must be even
    smallest: int = 1             # side


def _bayer(opencv: str) -> dict[int, _Layout]:
    return {bits: _Layout(1, f'COLOR_Bayer{opencv}2BGR', bits, smallest=3) for bits in (8, 16)}


def _from_nv24(rows: np.ndarray) -> np.ndarray:
    import cv2

    height, width = len(rows) // 3, rows.shape[1]
    chroma = rows[height:].reshape(height, width, 2)
    return cv2.transform(np.dstack((rows[:height], chroma)), _NV24)


_UYVY = _Layout(2, 'COLOR_YUV2BGR_UYVY', even=(True, False))
_YUYV = _Layout(2, 'COLOR_YUV2BGR_YUYV', even=(True, False))
_I420 = _Layout(1, 'COLOR_YUV2BGR_I420', rows=Fraction(3, 2), even=(True, True))
_LAYOUTS = {
    'bgr8': _Layout(3), 'rgb8': _Layout(3, 'COLOR_RGB2BGR'), 'mono8': _Layout(1, 'COLOR_GRAY2BGR'),
    'bgra8': _Layout(4, 'COLOR_BGRA2BGR'), 'rgba8': _Layout(4, 'COLOR_RGBA2BGR'),
    'bgr16': _Layout(3, bits=16), 'rgb16': _Layout(3, 'COLOR_RGB2BGR', 16),
    'bgra16': _Layout(4, 'COLOR_BGRA2BGR', 16), 'rgba16': _Layout(4, 'COLOR_RGBA2BGR', 16),
    'mono16': _Layout(1, 'COLOR_GRAY2BGR', 16),
    # ROS names a mosaic by its first two rows, OpenCV by the second and third pixel of the second and third row.
    **{f'bayer_rggb{bits}': layout for bits, layout in _bayer('BG').items()},
    **{f'bayer_bggr{bits}': layout for bits, layout in _bayer('RG').items()},
    **{f'bayer_gbrg{bits}': layout for bits, layout in _bayer('GR').items()},
    **{f'bayer_grbg{bits}': layout for bits, layout in _bayer('GB').items()},
    'yuv422': _UYVY, 'uyvy': _UYVY, 'yuv422_yuy2': _YUYV, 'yuyv': _YUYV,
    'nv12': _Layout(1, 'COLOR_YUV2BGR_NV12', rows=Fraction(3, 2), even=(True, True)),
    'nv21': _Layout(1, 'COLOR_YUV2BGR_NV21', rows=Fraction(3, 2), even=(True, True)),
    'nv24': _Layout(1, _from_nv24, rows=Fraction(3)),
    'i420': _I420, 'yuv420': _I420,
}
NAMES = (*_LAYOUTS, *(name.upper() for name in ASSUMED))
"""Supported encodings."""


def assumed(encoding: str) -> str | None:
    """The assumed encoding, if `encoding` does not give the order of the colours; else None."""
    return ASSUMED.get(encoding.lower())


def is_read(encoding: str) -> bool:
    """Whether `decode` supports it."""
    name = encoding.lower()
    return ASSUMED.get(name, name) in _LAYOUTS


def check_size(width: int, height: int) -> None:
    """:raises ValueError: if a side is not within 1 and `MAX_SIDE` pixels."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f'the image is {width} x {height} pixels; each side must be from 1 to {MAX_SIDE}')


def refuse_depth(encoding: str) -> None:
    """:raises ValueError: if it is the encoding of a depth image."""
    if encoding.strip().lower() in _DEPTH:
        raise ValueError(f'encoding {encoding[:40]!r} is a depth image; use the colour image of the camera')


def decode(data: Any, *, encoding: str, width: int, height: int, step: int, big_endian: bool = False) -> np.ndarray:
    """(H, W, 3) uint8 BGR; of bgr8 a view on `data`. 16 bits become 8 by division by 257, full scale to full scale.

    :param data: any buffer of bytes.
    :param step: bytes from one row to the next, also of the planes after the first (of I420 half of it).
    :raises ValueError: naming the wrong value.
    """
    check_size(width, height)
    name = encoding.lower()
    layout = _LAYOUTS.get(ASSUMED.get(name, name))
    if layout is None:
        refuse_depth(encoding)
        raise ValueError(f'unsupported encoding {encoding[:40]!r}; expected one of {", ".join(NAMES)}')
    for side, must_be_even, what in zip((width, height), layout.even, ('width', 'height'), strict=True):
        if must_be_even and side % 2:
            raise ValueError(f'{what} is {side}, but {name} has pixels in pairs: it must be even')
    if min(width, height) < layout.smallest:
        raise ValueError(f'the image is {width} x {height} pixels; {name} needs {layout.smallest} a side')
    size = layout.channels * layout.bits // 8
    if step < width * size:
        raise ValueError(f'step is {step}, but {width} {name} pixels need {width * size} bytes a row')
    rows = int(height * layout.rows)
    if len(data) != rows * step:
        more = '' if rows == height else f' (of {height} rows of the picture, as {name} has it)'
        raise ValueError(
            f'data has {len(data)} bytes, but {rows} rows of {step} bytes (step){more} are {rows * step}'
        )
    kind = np.dtype(f'{">" if big_endian else "<"}u{layout.bits // 8}')
    whole = np.frombuffer(data, np.uint8)
    if layout is _I420 and step != width:
        if step % 2:
            raise ValueError(f'step is {step}, but {name} has half of it in a row of colour: it must be even')
        return _converted(_dense_i420(whole, width, height, step), layout)
    shape, strides = (rows, width, layout.channels), (step, size, layout.bits // 8)
    pixels = np.ndarray(shape, kind, whole, strides=strides)
    return _converted(pixels if layout.channels > 1 else pixels[..., 0], layout)


def _dense_i420(whole: np.ndarray, width: int, height: int, step: int) -> np.ndarray:
    """Remove the padding of the rows."""
    luma, chroma = whole[:height * step].reshape(height, step), whole[height * step:].reshape(height, step // 2)
    return np.concatenate((luma[:, :width].ravel(), chroma[:, :width // 2].ravel())).reshape(height * 3 // 2, width)


def _converted(pixels: np.ndarray, layout: _Layout) -> np.ndarray:
    if layout.bits == 16:
        pixels = np.round(pixels.astype(np.float32) * np.float32(1 / 257)).astype(np.uint8)
    if not layout.convert:
        return pixels
    pixels = np.ascontiguousarray(pixels)
    if callable(layout.convert):
        return layout.convert(pixels)
    import cv2

    return cv2.cvtColor(pixels, getattr(cv2, layout.convert))
