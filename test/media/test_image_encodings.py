# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Each encoding gives the colours that were encoded: the bytes are made here by formula from a known picture."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.media.image_encodings import NAMES, decode

HEIGHT, WIDTH = 24, 32
COLOURS = {'red': (20, 30, 220), 'green': (40, 200, 50), 'blue': (210, 60, 30), 'yellow': (30, 220, 230)}  # BGR


def picture(height=HEIGHT, width=WIDTH) -> np.ndarray:
    """Four fields of colour, (H, W, 3) uint8 BGR."""
    image = np.zeros((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    image[:top, :left], image[:top, left:], image[top:, :left], image[top:, left:] = COLOURS.values()
    return image


def yuv(image: np.ndarray) -> np.ndarray:
    """BT.601 in its limited range (Y 16..235), (H, W, 3)."""
    b, g, r = (image[..., k] / 255.0 for k in range(3))
    y = 16 + 65.481 * r + 128.553 * g + 24.966 * b
    u = 128 - 37.797 * r - 74.203 * g + 112.0 * b
    v = 128 + 112.0 * r - 93.786 * g - 18.214 * b
    return np.round(np.stack((y, u, v), -1)).astype(np.uint8)


def packed(channels: str, bits: int):
    def encode(image, kind):
        values = {'b': image[..., 0], 'g': image[..., 1], 'r': image[..., 2], 'a': np.full(image.shape[:2], 9)}
        pixels = np.stack([values[c] for c in channels], -1)
        return [(pixels.astype(int) * (257 if bits == 16 else 1)).astype(kind if bits == 16 else np.uint8)]
    return encode


def grey(bits: int):
    return lambda image, kind: packed('g', bits)(image, kind)


def mosaic(pattern: str, bits: int):
    """Of the first row's first two pixels, then the second's."""
    def encode(image, kind):
        one = np.zeros(image.shape[:2], int)
        for k, colour in enumerate(pattern):
            one[k // 2::2, k % 2::2] = image[k // 2::2, k % 2::2, 'bgr'.index(colour)]
        return [(one * (257 if bits == 16 else 1)).astype(kind if bits == 16 else np.uint8)]
    return encode


def interleaved(order: str):
    def encode(image, _):
        y, u, v = (yuv(image)[..., k] for k in range(3))
        values = {'0': y[:, ::2], '1': y[:, 1::2], 'u': u[:, ::2], 'v': v[:, ::2]}
        return [np.stack([values[c] for c in order], -1).reshape(len(image), -1)]
    return encode


def planar(chroma: str):
    def encode(image, _):
        y, u, v = (yuv(image)[..., k] for k in range(3))
        if chroma == 'nv24':
            return [y, np.stack((u, v), -1).reshape(len(y), -1)]
        u, v = u[::2, ::2], v[::2, ::2]
        if chroma == 'i420':
            return [y, u, v]
        return [y, np.stack((u, v) if chroma == 'nv12' else (v, u), -1).reshape(len(u), -1)]
    return encode


ENCODERS = {
    **{f'{order}{bits}': packed(order[:4], bits) for order in ('bgr', 'rgb', 'bgra', 'rgba') for bits in (8, 16)},
    '8UC3': packed('bgr', 8), '8UC4': packed('bgra', 8),
    'mono8': grey(8), 'mono16': grey(16), '8UC1': grey(8),
    **{f'bayer_{pattern}{bits}': mosaic(pattern, bits)
       for pattern in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)},
    'yuv422': interleaved('u0v1'), 'uyvy': interleaved('u0v1'),
    'yuv422_yuy2': interleaved('0u1v'), 'yuyv': interleaved('0u1v'),
    'nv12': planar('nv12'), 'nv21': planar('nv21'), 'nv24': planar('nv24'),
    'i420': planar('i420'), 'yuv420': planar('i420'),
}


def encoded(encoding: str, image: np.ndarray, *, padding: int = 0, big_endian: bool = False) -> dict:
    """What `decode` takes, with so many bytes after each row (half as many after those of I420's colours)."""
    planes = ENCODERS[encoding](image, '>u2' if big_endian else '<u2')
    planes = [np.ascontiguousarray(p).view(np.uint8).reshape(len(p), -1) for p in planes]
    length = planes[0].shape[1]
    step = length + padding
    data = b''
    for rows in planes:
        if rows.shape[1] > length:  # NV24 has two rows of colour for each of the picture
            rows = rows.reshape(-1, length)
        wide = step // 2 if rows.shape[1] < length else step
        data += np.hstack((rows, np.full((len(rows), wide - rows.shape[1]), 77, np.uint8))).tobytes()
    return {'data': data, 'encoding': encoding, 'width': image.shape[1], 'height': image.shape[0], 'step': step,
            'big_endian': big_endian}


def fields(image: np.ndarray) -> list[np.ndarray]:
    """The four colours, away from their edges, which mosaics and halved colours blur."""
    h, w = image.shape[0] // 2, image.shape[1] // 2
    return [image[i * h + 3:(i + 1) * h - 3, j * w + 3:(j + 1) * w - 3] for i in (0, 1) for j in (0, 1)]


def test_every_encoding_has_its_bytes_here():
    assert set(NAMES) == set(ENCODERS)


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('padding', [0, 10])
@pytest.mark.parametrize('encoding', ENCODERS)
def test_the_colours_are_those_that_were_encoded(encoding, padding, big_endian):
    image = picture()
    got = decode(**encoded(encoding, image, padding=padding, big_endian=big_endian))
    assert (got.shape, got.dtype) == (image.shape, np.uint8)
    wanted = image
    if 'mono' in encoding or encoding == '8UC1':
        wanted = np.repeat(image[:, :, 1:2], 3, 2)
    exact = not encoding.startswith(('yuv', 'uyvy', 'yuyv', 'nv', 'i420', 'bayer'))
    if exact:
        np.testing.assert_array_equal(got, wanted)
    for field, known in zip(fields(got), fields(wanted), strict=True):
        assert np.abs(field.astype(int) - known).max() <= (3 if 'bayer' not in encoding else 0)  # YUV is rounded twice


@pytest.mark.parametrize('encoding', ['BGR8', '8uc3', 'Yuyv'])
def test_capital_letters_make_no_difference(encoding):
    name = {'BGR8': 'bgr8', '8uc3': '8UC3', 'Yuyv': 'yuyv'}[encoding]
    message = encoded(name, picture())
    np.testing.assert_array_equal(decode(**message | {'encoding': encoding}), decode(**message))


@pytest.mark.parametrize('encoding', [n for n in ENCODERS if n.startswith(('bgr', 'rgb', 'mono', 'bayer', 'nv24'))])
def test_odd_sizes_are_read_where_pixels_are_not_in_pairs(encoding):
    assert decode(**encoded(encoding, picture(13, 17))).shape == (13, 17, 3)


@pytest.mark.parametrize(('encoding', 'changes', 'said'), [
    ('yuyv', {'width': 31}, 'width is 31, but yuyv has pixels in pairs'),
    ('nv12', {'width': 31}, 'width is 31'),
    ('nv21', {'height': 23}, 'height is 23'),
    ('i420', {'height': 23}, 'height is 23'),
    ('i420', {'step': 33, 'data': bytes(36 * 33)}, 'step is 33, but i420 has half of it in a row of colour'),
    ('bayer_rggb8', {'height': 2}, '32 x 2 pixels; bayer_rggb8 needs 3 a side'),
    ('mono16', {'step': 63}, 'step is 63, but 32 mono16 pixels need 64 bytes a row'),
    ('rgba8', {'step': 127}, 'step is 127, but 32 rgba8 pixels need 128'),
    ('yuv422', {'step': 32}, 'step is 32, but 32 yuv422 pixels need 64'),
    ('nv12', {'data': b'x' * (24 * 32)}, r'data has 768 bytes, but 36 rows of 32 bytes \(step\) \(of 24 rows'),
    ('nv24', {'data': b''}, 'data has 0 bytes, but 72 rows'),
    ('bgra8', {'height': 2**32 - 1}, 'each side must be from 1 to'),
    ('nv21', {'width': 0}, 'the image is 0 x 24 pixels'),
    ('mono16', {'encoding': '16UC1'}, "encoding '16UC1' is a depth image"),
    ('mono16', {'encoding': '32FC1'}, 'is a depth image'),
    ('mono16', {'encoding': 'x' * 1_000_000}, "unsupported encoding 'x{40}'; expected one of bgr8"),
])
def test_what_cannot_be_is_named(encoding, changes, said):
    with pytest.raises(ValueError, match=said) as error:
        decode(**encoded(encoding, picture()) | changes)
    assert len(str(error.value)) < 800


@given(st.sampled_from(sorted(ENCODERS)), st.integers(0, 40), st.integers(0, 40), st.integers(0, 200), st.booleans())
def test_whatever_fits_is_an_image_and_the_rest_a_value_error(encoding, width, height, step, big_endian):
    for rows in {height, height * 3 // 2, height * 3}:
        try:
            image = decode(bytes(rows * step), encoding=encoding, width=width, height=height, step=step,
                           big_endian=big_endian)
        except ValueError:
            continue
        assert (image.shape, image.dtype) == ((height, width, 3), np.uint8)
