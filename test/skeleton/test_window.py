# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A window of movement, cut out of raw skeletons."""
import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.skeleton.lowpass import zero_phase
from smern_ros.skeleton.window import cut
from smern_ros.values import SECOND, Skeleton

START = 1_700_000_000 * SECOND
END = START + 2 * SECOND


def skeleton(stamp_ns: int, positions: np.ndarray, *, person: str = 'a', extent: float = 0.2) -> Skeleton:
    seen = np.isfinite(positions).all(-1)
    return Skeleton(
        stamp_ns=stamp_ns, person_id=person, positions=positions.astype(np.float32),
        confidences=seen.astype(np.float32), score=0.9, extent=extent,
        image_positions=np.where(seen[:, None], 100.0, np.nan).astype(np.float32),
    )


def person(rate: float = 30.0, seconds: float = 2.0, *, name: str = 'a', extent: float = 0.2, seed: int = 0):
    """Somebody who waves, with the estimator's jitter."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * rate) + 1) / rate
    wave = 0.1 * np.sin(2 * np.pi * times[:, None, None] + np.arange(30).reshape(10, 3))
    x = wave + rng.normal(scale=0.01, size=wave.shape)
    return [
        skeleton(START + round(t * SECOND), p, person=name, extent=extent) for t, p in zip(times, x, strict=True)
    ]


def test_a_whole_clip_is_filtered_as_a_whole():
    frames = person()
    [window] = cut(frames, START, END)
    x = np.stack([frame.positions for frame in frames])
    assert window.visible.all()
    assert (window.person_id, window.start_ns, window.end_ns) == ('a', START, END)
    np.testing.assert_allclose(window.positions, zero_phase(x), atol=1e-6)


def test_nobody_gives_no_window():
    assert cut([], START, END) == []
    unseen = [skeleton(START + k * 33_000_000, np.full((10, 3), np.nan)) for k in range(60)]
    assert cut(unseen, START, END) == []


def test_everybody_has_a_window_and_the_nearest_comes_first():
    frames = person(name='far', extent=0.1) + person(name='near', extent=0.4) + person(name='mid', extent=0.2)
    windows = cut(frames, START, END)
    assert [window.person_id for window in windows] == ['near', 'mid', 'far']
    assert windows[0].extent == pytest.approx(0.4)


@given(st.integers(0, 59), st.integers(1, 60))
def test_what_came_before_and_after_the_window_changes_nothing(first, length):
    frames = person()
    start, end = frames[first].stamp_ns, frames[min(first + length, 60)].stamp_ns
    [live] = cut([f for f in frames if f.stamp_ns <= end], start, end)
    [offline] = cut(frames[::-1], start, end)
    np.testing.assert_array_equal(live.positions, offline.positions)
    np.testing.assert_array_equal(live.visible, offline.visible)


@given(st.integers(-(10**18), 10**18))
def test_a_window_at_another_time_holds_the_same_movement(shift):
    frames = person(rate=25)
    later = [dataclasses.replace(frame, stamp_ns=frame.stamp_ns + shift) for frame in frames]
    [before], [after] = cut(frames, START, END), cut(later, START + shift, END + shift)
    np.testing.assert_array_equal(before.positions, after.positions)


def test_each_stretch_in_which_a_joint_is_visible_is_filtered_by_itself():
    frames = person()
    x = np.stack([frame.positions for frame in frames])
    x[20:35, 6] = np.nan
    [window] = cut([skeleton(f.stamp_ns, p) for f, p in zip(frames, x, strict=True)], START, END)
    assert (window.positions[20:35, 6] == 0).all() and not window.visible[20:35, 6].any()
    np.testing.assert_allclose(window.positions[:20, 6], zero_phase(x[:20, 6]), atol=1e-6)
    np.testing.assert_allclose(window.positions[35:, 6], zero_phase(x[35:, 6]), atol=1e-6)
    np.testing.assert_allclose(window.positions[:, 5], zero_phase(x[:, 5]), atol=1e-6)


def test_a_25_fps_camera_tells_the_same_movement_as_a_30_fps_one():
    def wave(rate):
        times = np.arange(int(2 * rate) + 1) / rate
        moves = 0.1 * np.sin(2 * np.pi * 0.5 * times[:, None, None] + np.arange(30).reshape(10, 3))
        return [skeleton(START + round(t * SECOND), p) for t, p in zip(times, moves, strict=True)]

    [pal], [ntsc] = cut(wave(25), START, END), cut(wave(30), START, END)
    np.testing.assert_allclose(pal.positions, ntsc.positions, atol=1e-3)


def test_an_instant_is_a_window_of_one_frame():
    frames = person()
    [window] = cut(frames, frames[7].stamp_ns, frames[7].stamp_ns)
    np.testing.assert_array_equal(window.positions, frames[7].positions[None])


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match='the end must not be before the start'):
        cut([], END, START)
