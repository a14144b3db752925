# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Speech and skeletons by different clocks are told from a camera that is late, new or gone."""
import pytest

from smern_ros.skeleton.history import MISSES, ClockMismatchDetector, SkeletonHistory
from smern_ros.values import SECOND

START = 1_700_000_000


def history(first: float, last: float) -> SkeletonHistory:
    """With frames from first to last, s after START."""
    frames = SkeletonHistory()
    for k in range(round((last - first) * 10) + 1):
        frames.add(round((START + first + k / 10) * SECOND), [])
    return frames


def looked(overlap: ClockMismatchDetector, end: float, frames: SkeletonHistory) -> str:
    return overlap.look(round((START + end) * SECOND), frames)


@pytest.mark.parametrize(('offset', 'told'), [
    (-3600.0, '3600.0 s before'), (-START + 5000.0, 's before'), (-3.0, '3.0 s before'), (3600.0, '3600.0 s after'),
])
def test_a_camera_on_another_clock_is_told_after_some_utterances(offset, told):
    overlap = ClockMismatchDetector()
    said = [looked(overlap, end, history(end - 5 + offset, end + offset)) for end in range(10, 10 + MISSES)]
    assert said[:-1] == [''] * (MISSES - 1)
    assert told in said[-1] and f'the last {MISSES} utterances' in said[-1] and 'by one clock' in said[-1]


@pytest.mark.parametrize('offset', [-0.9, 0.0, 2.0])
def test_a_camera_that_is_slow_or_before_the_sound_is_not(offset):
    overlap = ClockMismatchDetector()
    assert not any(looked(overlap, end, history(end - 5 + offset, end + offset)) for end in range(10, 20))


def test_one_that_fits_begins_the_count_anew():
    overlap = ClockMismatchDetector()
    late, fitting = history(100, 105), history(0, 30)
    for _ in range(3):
        assert not any(looked(overlap, 20, late) for _ in range(MISSES - 1))
        assert not looked(overlap, 20, fitting)


def test_without_frames_there_is_nothing_to_compare():
    overlap = ClockMismatchDetector()
    assert not any(looked(overlap, end, SkeletonHistory()) for end in range(10))
