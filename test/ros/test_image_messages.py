# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image messages become BGR arrays and back; what cannot be is named before it is touched."""
import contextlib
import sys
import textwrap

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from smern_ros.ros import bridged_images  # noqa: E402
from smern_ros.ros.image_messages import to_bgr, to_compressed, to_image  # noqa: E402
from smern_ros.ros.node import ConfigurationError  # noqa: E402

IMAGES = st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(3)).flatmap(lambda s: arrays(np.uint8, s))


def an_image(**changes) -> Image:
    """A good bgr8 message of 4 x 3 pixels, with changes."""
    message = to_image(np.arange(36, dtype=np.uint8).reshape(3, 4, 3), Header(frame_id='camera'))
    for field, value in changes.items():
        setattr(message, field, value)
    return message


def photo(height=48, width=64) -> np.ndarray:
    """Smooth, as JPEG likes it."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], -1).astype(np.uint8)


@given(IMAGES)
def test_an_image_comes_back_as_it_was(image):
    message = to_image(image, Header(frame_id='camera'))
    assert (message.encoding, message.step, message.header.frame_id) == ('bgr8', image.shape[1] * 3, 'camera')
    np.testing.assert_array_equal(to_bgr(message), image)


@given(IMAGES, st.integers(0, 9), st.sampled_from(['bgr8', 'rgb8', 'mono8']))
def test_encodings_and_padded_rows_are_read(image, padding, encoding):
    pixels = {'bgr8': image, 'rgb8': image[:, :, ::-1], 'mono8': image[:, :, 0]}[encoding]
    rows = np.ascontiguousarray(pixels).reshape(len(image), -1)
    rows = np.hstack([rows, np.full((len(rows), padding), 99, np.uint8)])
    message = Image(height=image.shape[0], width=image.shape[1], encoding=encoding, step=rows.shape[1],
                    data=rows.tobytes())
    wanted = image if encoding != 'mono8' else np.repeat(image[:, :, :1], 3, 2)
    np.testing.assert_array_equal(to_bgr(message), wanted)


def test_reading_bgr8_copies_nothing():
    message = an_image()
    assert np.shares_memory(to_bgr(message), np.frombuffer(message.data, np.uint8))


@pytest.mark.parametrize('image', [photo(), photo(47, 61)[:, ::-1]])
def test_a_jpeg_is_nearly_the_image(image):
    message = to_compressed(image, Header(frame_id='camera'), quality=95)
    assert message.header.frame_id == 'camera'
    assert np.abs(to_bgr(message).astype(int) - image).mean() < 3


def test_a_png_is_the_image():
    data = cv2.imencode('.png', photo())[1].tobytes()
    np.testing.assert_array_equal(to_bgr(CompressedImage(format='png', data=data)), photo())


@pytest.mark.parametrize(('changes', 'said'), [
    ({'encoding': ''}, "unsupported encoding ''.*bgr8, rgb8, mono8"),
    ({'encoding': '32FC1'}, "encoding '32FC1' is a depth image"),
    ({'encoding': 'x' * 1_000_000}, 'unsupported encoding'),
    ({'step': 11}, 'step is 11, but 4 bgr8 pixels need 12'),
    ({'step': 0}, 'step is 0'),
    ({'step': 13}, r'data has 36 bytes, but 3 rows of 13 bytes \(step\) are 39'),
    ({'data': b''}, 'data has 0 bytes'),
    ({'data': b'x' * 37}, 'data has 37 bytes'),
    ({'height': 0}, 'the image is 4 x 0 pixels'),
    ({'width': 0}, 'the image is 0 x 3 pixels'),
    ({'height': 2**32 - 1}, 'the image is 4 x 4294967295 pixels; each side must be from 1 to 8192'),
    ({'width': 8193, 'step': 24579}, 'the image is 8193 x 3'),
])
def test_what_cannot_be_is_named(changes, said):
    with pytest.raises(ValueError, match=said) as error:
        to_bgr(an_image(**changes))
    assert len(str(error.value)) < 800


def jpeg(**changes) -> bytes:
    return bytes(to_compressed(photo(), Header()).data)


def bomb() -> bytes:
    """A small JPEG that claims 65,535 x 65,535 pixels."""
    data = bytearray(jpeg())
    at = data.index(b'\xff\xc0')
    data[at + 5:at + 9] = b'\xff\xff\xff\xff'
    return bytes(data)


def png_bomb() -> bytes:
    data = bytearray(cv2.imencode('.png', photo())[1].tobytes())
    data[16:24] = (100_000).to_bytes(4, 'big') * 2
    return bytes(data)


@pytest.mark.parametrize(('data', 'said'), [
    (b'', '0 bytes that begin with nothing are neither JPEG nor PNG'),
    (b'GIF89a' + bytes(100), 'neither JPEG nor PNG'),
    (b'\xff\xd8', 'has no size in its header'),
    (jpeg()[:30], 'has no size in its header'),
    (jpeg()[:-100], 'a JPEG image of .* bytes is cut off'),
    (bomb(), 'the image is 65535 x 65535 pixels'),
    (cv2.imencode('.webp', photo())[1].tobytes()[:-9], 'a WebP image of .* bytes is cut off'),
    (png_bomb(), 'the image is 100000 x 100000 pixels'),
    (cv2.imencode('.png', photo())[1].tobytes()[:-20], 'a PNG image of .* bytes is cut off'),
    (b'\x89PNG\r\n\x1a\n', 'has no header'),
    (jpeg()[:-400] + b'\xff\xd9', None),  # its pixels end early, which only the decoder could know
    (jpeg() + bytes(64), None),           # padded, as some cameras do
])
def test_what_is_no_whole_picture_is_named(data, said):
    message = CompressedImage(format='jpeg', data=data)
    if said is None:
        assert to_bgr(message).shape == (48, 64, 3)
        return
    with pytest.raises(ValueError, match=said):
        to_bgr(message)


@given(st.binary(max_size=200), st.integers(0, 2000))
def test_garbage_is_an_image_or_a_value_error(garbage, at):
    good = jpeg()
    for data in (garbage, good[:at] + garbage + good[at:], good[:2] + garbage):
        with contextlib.suppress(ValueError):
            assert to_bgr(CompressedImage(format='jpeg', data=data)).dtype == np.uint8


@pytest.fixture
def cv_bridge(monkeypatch, tmp_path):
    """Puts a stand-in for the cv_bridge of a sourced ROS on the path of this process and of its children."""
    def stand_in(conversion):
        (tmp_path / 'cv_bridge.py').write_text(
            'class CvBridge:\n    def imgmsg_to_cv2(self, message, encoding):\n'
            + textwrap.indent(conversion, ' ' * 8)
        )
        monkeypatch.setenv('PYTHONPATH', str(tmp_path))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, 'cv_bridge', raising=False)

    yield stand_in
    sys.modules.pop('cv_bridge', None)


def test_other_encodings_are_read_by_a_cv_bridge_that_works(cv_bridge):
    cv_bridge("""import numpy
if message.encoding == 'yuv411':
    raise RuntimeError('unknown encoding')
return numpy.full((message.height, message.width, 3), 7, numpy.uint8)""")
    other = bridged_images.create()
    assert (to_bgr(an_image(encoding='mystery8'), other=other) == 7).all()
    np.testing.assert_array_equal(to_bgr(an_image(), other=other), np.arange(36).reshape(3, 4, 3))
    with pytest.raises(ValueError, match="cv_bridge cannot convert encoding 'yuv411': unknown encoding"):
        to_bgr(an_image(encoding='yuv411'), other=other)
    with pytest.raises(ValueError, match='is a depth image'):
        to_bgr(an_image(encoding='16UC1'), other=other)


def test_a_cv_bridge_that_kills_its_process_is_refused_and_kills_no_node(cv_bridge):
    """As one compiled for NumPy 1 does beside NumPy 2: its import succeeds, its first conversion ends in SIGSEGV."""
    cv_bridge('import os, signal; os.kill(os.getpid(), signal.SIGSEGV)')
    with pytest.raises(ConfigurationError, match=r'cv_bridge does not work \(killed by SIGSEGV.*NumPy 2.*bgr8, rgb8'):
        bridged_images.create()


def test_no_cv_bridge_is_said(cv_bridge):
    cv_bridge('raise ImportError("numpy.core.multiarray failed to import")')
    why = 'cv_bridge does not work .exit code 1: ImportError: numpy.core.multiarray'
    with pytest.raises(ConfigurationError, match=why):
        bridged_images.create()


@pytest.mark.parametrize(('extension', 'format', 'image'), [
    ('.png', 'png', photo()), ('.png', 'bgr8; png compressed bgr8', photo()), ('.png', 'rgb8; png compressed', photo()),
    ('.png', 'rgb16; png compressed bgr16', photo().astype(np.uint16) * 257),
    ('.png', 'bgra8; png compressed bgr8', np.dstack((photo(), photo()[..., :1]))),
    ('.png', 'mono8; png compressed mono8', photo()[..., 1]),
    ('.png', 'mono16; png compressed mono16', photo()[..., 1].astype(np.uint16) * 257),
    ('.jpg', 'bgr8; jpeg compressed bgr8', photo()), ('.jpg', 'rgb8; jpeg compressed bgr8', photo()),
    ('.jpg', 'mono8; jpeg compressed', photo()[..., 1]), ('.webp', 'webp', photo()), ('.jpg', '', photo()),
])
def test_compressed_images_of_any_kind_are_read(extension, format, image):
    done, data = cv2.imencode(extension, image)
    assert done
    got = to_bgr(CompressedImage(format=format, data=data.tobytes()))
    wanted = photo() if image.ndim == 3 else np.repeat(photo()[..., 1:2], 3, 2)
    assert (got.shape, got.dtype) == (wanted.shape, np.uint8)
    assert np.abs(got.astype(int) - wanted).mean() < (0.01 if extension == '.png' else 4)


def test_the_size_of_a_lossless_webp_is_read():
    _, data = cv2.imencode('.webp', photo(), [cv2.IMWRITE_WEBP_QUALITY, 101])
    np.testing.assert_array_equal(to_bgr(CompressedImage(format='webp', data=data.tobytes())), photo())


@pytest.mark.parametrize('format', [
    '16UC1; compressedDepth', '32FC1; compressedDepth png', '16UC1; png compressed ', '; compressedDepth rvl',
])
def test_compressed_depth_is_refused(format):
    _, data = cv2.imencode('.png', photo()[..., 1].astype(np.uint16))
    with pytest.raises(ValueError, match='is a depth image'):
        to_bgr(CompressedImage(format=format, data=data.tobytes()))
