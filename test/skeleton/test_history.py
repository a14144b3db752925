# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is remembered of the camera's frames."""
import numpy as np
import pytest

from smern_ros.skeleton.history import LATE, SkeletonHistory
from smern_ros.values import SECOND, Skeleton

START = 1_700_000_000 * SECOND
FRAME = SECOND // 30


def someone(stamp_ns: int) -> Skeleton:
    return Skeleton(
        stamp_ns=stamp_ns, person_id='a', positions=np.full((10, 3), 0.1, np.float32), score=1.0, extent=0.2,
        confidences=np.ones(10, np.float32), image_positions=np.zeros((10, 2), np.float32),
    )


def filled(frames: int, start_ns: int = START, seconds: float = 30.0) -> SkeletonHistory:
    history = SkeletonHistory(seconds)
    for k in range(frames):
        assert not history.add(start_ns + k * FRAME, [someone(start_ns + k * FRAME)])
    return history


def test_it_remembers_the_longest_window_and_what_comes_while_that_is_waited_for_and_no_more():
    history = filled(400, seconds=2.0)
    assert history.newest_ns == START + 399 * FRAME
    longest = 2 * SECOND + LATE
    assert longest - FRAME < history.newest_ns - history.oldest_ns <= longest


def test_a_window_is_cut_out_of_it():
    [window] = filled(61).window(START + 10 * FRAME, START + 40 * FRAME)
    assert window.visible.all() and len(window.visible) == 30  # 30 fps in whole ns: the 31st ends 10 ns too late
    assert filled(61).window(START - 2 * SECOND, START - SECOND) == []


def test_an_empty_frame_is_time_that_passed():
    history = filled(2)
    history.add(START + SECOND, [])
    assert history.newest_ns == START + SECOND
    assert SkeletonHistory().newest_ns is None


@pytest.mark.parametrize('behind', [0, 1, FRAME, SECOND // 2])
def test_a_frame_that_is_not_newer_is_refused_and_loses_nothing(behind):
    history = filled(61)
    for _ in range(2):
        with pytest.raises(ValueError, match='stamps must increase'):
            history.add(START + 60 * FRAME - behind, [someone(START)])
    assert history.oldest_ns == START
    assert not history.add(START + 61 * FRAME, [])


def test_one_wrong_stamp_from_long_ago_loses_nothing():
    history = filled(61)
    for k in range(61, 70):
        with pytest.raises(ValueError, match='stamps must increase'):
            history.add(5 * SECOND, [])
        assert not history.add(START + k * FRAME, [])
    assert history.oldest_ns == START


def test_a_clock_that_was_set_back_is_told_and_all_before_is_forgotten():
    history = filled(61)
    with pytest.raises(ValueError):
        history.add(START - 100 * SECOND, [])
    assert history.add(START - 100 * SECOND + FRAME, [someone(START - 100 * SECOND + FRAME)])
    assert history.oldest_ns == history.newest_ns == START - 100 * SECOND + FRAME
    assert not history.add(START - 100 * SECOND + 2 * FRAME, [])


def test_one_wrong_stamp_from_the_future_is_got_over():
    history = filled(61)
    history.add(START + 10**6 * SECOND, [])
    with pytest.raises(ValueError):
        history.add(START + 61 * FRAME, [])
    assert history.add(START + 62 * FRAME, [])


def test_the_longest_window_is_whole_though_it_is_asked_for_late():
    history = filled(211, seconds=5.0)  # 7 s of frames
    [window] = history.window(START, START + 5 * SECOND)
    assert window.visible.all()


def test_a_window_longer_than_what_is_remembered_has_the_frames_that_are_left():
    history = filled(601, seconds=2.0)  # 20 s of frames, of which the last 7 are kept
    [window] = history.window(START + 5 * SECOND, START + 20 * SECOND)
    assert not window.visible[:8 * 30 - 15].any() and window.visible[8 * 30 + 1:].all()
    assert window.start_ns == START + 5 * SECOND


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match='the end must not be before the start'):
        filled(3).window(START, 0)
