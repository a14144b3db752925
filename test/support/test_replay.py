# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the tests' own camera sends of a film: the same moments, neither ahead of the sound nor behind it."""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.media.tracks import AudioBlock, VideoFrame
from smern_ros.values import SECOND
from support.replay import at_frame_rate


def film(rate, *, seconds=2.0, first_ns=0):
    """Picture number k shows k; a block of sound each 32 ms."""
    pictures = [VideoFrame(first_ns + round(k * SECOND / rate), np.full((1, 1, 3), k, np.uint8))
                for k in range(round(seconds * rate))]
    sound = [AudioBlock(k * 32_000_000, np.zeros((512, 1), np.int16), 16000) for k in range(round(seconds / 0.032))]
    return sorted([*pictures, *sound], key=lambda item: item.stamp_ns)  # stable: a picture before sound


def pictures(items):
    return [item for item in items if isinstance(item, VideoFrame)]


@given(st.floats(5, 60), st.floats(5, 60), st.integers(0, SECOND // 5))
def test_each_instant_has_the_newest_picture(film_rate, rate, first_ns):
    source = film(film_rate, first_ns=first_ns)
    shown = pictures(source)
    items = list(at_frame_rate(source, rate))
    sent = pictures(items)
    grid = [round(k * SECOND / rate) for k in range(1000)]
    last_ns = source[-1].stamp_ns
    assert [f.stamp_ns for f in sent] == [t for t in grid if first_ns <= t <= last_ns]
    for frame in sent:
        newest = [p for p in shown if p.stamp_ns <= frame.stamp_ns][-1]
        assert frame.image is newest.image
    assert [item.stamp_ns for item in items] == sorted(item.stamp_ns for item in items)
    assert [i for i in items if isinstance(i, AudioBlock)] == [i for i in source if isinstance(i, AudioBlock)]


def test_a_film_of_24_pictures_a_second_lasts_as_long_at_25():
    source = film(24, seconds=10.0)
    sent = pictures(at_frame_rate(source, 25.0))
    assert [f.stamp_ns for f in sent] == [k * 40_000_000 for k in range(249)]  # the last picture comes at 9.958 s
    assert sent[-1].image[0, 0, 0] == int(9.92 * 24)


def test_a_camera_of_the_films_own_rate_sends_the_film():
    source = film(25)
    assert [(f.stamp_ns, f.image[0, 0, 0]) for f in pictures(at_frame_rate(source, 25.0))] == [
        (f.stamp_ns, f.image[0, 0, 0]) for f in pictures(source)
    ]
