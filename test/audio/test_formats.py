# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Samples of any format that drivers send are the same sound in an AudioChunk."""
import numpy as np
import pytest

from smern_ros.audio import formats, pcm

WAVE = np.sin(np.arange(800) / 10) * 0.5


def written(dtype):
    if dtype.kind == 'f':
        return WAVE.astype(dtype)
    scaled = np.round(WAVE * 2.0 ** (8 * dtype.itemsize - 1))
    return (scaled + (128 if dtype.kind == 'u' else 0)).astype(dtype)


@pytest.mark.parametrize('dtype', [*formats.GSTREAMER.values(), *formats.PORTAUDIO.values()], ids=str)
def test_the_sound_is_the_same(dtype):
    encoding, data = formats.to_chunk(written(dtype).tobytes(), dtype)
    heard = pcm.decode(data, encoding=encoding, channels=1)[:, 0]
    np.testing.assert_allclose(heard, WAVE, atol=0.005 if dtype.itemsize == 1 else 2e-5)


def test_16_bit_is_passed_on_as_it_is():
    data = written(np.dtype('<i2')).tobytes()
    assert formats.to_chunk(data, np.dtype('<i2')) == ('s16le', data)


def test_frames_are_counted_over_channels():
    assert formats.frames(800, np.dtype('<i2'), 2, 16_000) == 200


@pytest.mark.parametrize(('size', 'channels', 'rate', 'said'), [
    (0, 1, 16_000, 'not a whole number'), (3, 1, 16_000, 'not a whole number'), (4, 0, 16_000, '0 channels'),
    (4, 1, 10, 'sample rate is 10'), (2 * 16_000 * 11, 1, 16_000, '11 s of audio in one message'),
])
def test_what_is_no_sound_is_refused(size, channels, rate, said):
    with pytest.raises(ValueError, match=said):
        formats.frames(size, np.dtype('<i2'), channels, rate)
