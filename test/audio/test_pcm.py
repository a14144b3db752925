# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bytes become samples, or a ValueError that says what to send."""
import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from smern_ros.audio import pcm


@given(arrays.arrays('<i2', st.tuples(st.integers(1, 50), st.integers(1, 4))))
def test_16_bit_samples_keep_their_value_and_channel(integers):
    samples = pcm.decode(integers.tobytes(), encoding='s16le', channels=integers.shape[1])
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples * 32768, integers)


@given(arrays.arrays('<f4', st.tuples(st.integers(1, 50), st.integers(1, 4)), elements=st.floats(-1, 1, width=32)))
def test_float_samples_are_what_they_were(floats):
    np.testing.assert_array_equal(pcm.decode(floats.tobytes(), encoding='f32le', channels=floats.shape[1]), floats)


def test_a_message_s_array_is_decoded_as_it_is():
    data = array.array('B', np.array([1, -1], '<i2').tobytes())
    np.testing.assert_array_equal(pcm.decode(data, encoding='s16le', channels=1)[:, 0] * 32768, [1, -1])


def test_a_mixer_s_overshoot_is_clipped():
    assert pcm.decode(np.array([1.5, -2], '<f4').tobytes(), encoding='f32le', channels=1).tolist() == [[1], [-1]]


@pytest.mark.parametrize(('data', 'encoding', 'channels', 'said'), [
    (b'', 's16le', 1, 'empty'),
    (b'1234', 'mp3', 1, "unknown encoding 'mp3'"),
    (b'123', 's16le', 1, '3 bytes'),
    (b'123456', 's16le', 2, 'has 4 bytes'),
    (b'1234', 's16le', 0, '0 channels'),
    (b'1234', 's16le', 33, '33 channels'),
    (np.array([0, np.nan], '<f4').tobytes(), 'f32le', 1, 'magnitude is nan'),
    (np.array([0, np.inf], '<f4').tobytes(), 'f32le', 1, 'magnitude is inf'),
    (np.array([0, -12000], '<f4').tobytes(), 'f32le', 1, 'magnitude is 12000'),
])
def test_what_is_no_sound_is_refused_by_name(data, encoding, channels, said):
    with pytest.raises(ValueError, match=said):
        pcm.decode(data, encoding=encoding, channels=channels)


@pytest.mark.parametrize('rate', [0, -1, 100, 192_001, 4_000_000_000])
def test_a_rate_no_microphone_has_is_refused(rate):
    with pytest.raises(ValueError, match=f'{rate} Hz'):
        pcm.require_rate(rate)
