# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frames of any camera become frames at 30 a second."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.skeleton.resample import GridStream, grid, resample
from smern_ros.spec import SPEC
from smern_ros.values import SECOND

START = 1_700_000_000 * SECOND
MAX_GAP = round(SPEC.max_gap * SECOND)


def at(*seconds: float) -> np.ndarray:
    return START + np.round(np.array(seconds) * SECOND).astype(np.int64)


def line(stamps: np.ndarray) -> np.ndarray:
    """Ten joints, each at its own steady speed; metres."""
    slopes = np.linspace(-2, 2, 30).reshape(10, 3)
    return 0.5 + (stamps - START)[:, None, None] / SECOND * slopes


def test_the_grid_has_a_frame_at_the_start_and_every_thirtieth_of_a_second_up_to_the_end():
    times = grid(START, START + 2 * SECOND, 30)
    assert len(times) == 61
    assert times[0] == START and times[-1] == START + 2 * SECOND
    assert set(np.diff(times)) == {33_333_333, 33_333_334}


@given(st.integers(0, 2000), st.sampled_from([25.0, 30.0, 29.97, 60.0]))
def test_a_duration_of_k_frames_holds_k_frames_though_stamps_are_whole_nanoseconds(k, rate):
    times = grid(START, START + round(k * SECOND / rate), rate)
    assert len(times) == k + 1
    assert abs(times[-1] - START - k * SECOND / rate) < 1e6 * k / 2000 + 1  # 29.97 is taken as 30000/1001


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match='the end must not be before the start'):
        resample(at(0), line(at(0)), START, START - 1)


def test_thirty_frames_a_second_pass_unchanged():
    stamps = grid(START, START + SECOND, 30)
    x = np.random.default_rng(0).normal(size=(31, 10, 3))
    positions, visible = resample(stamps, x, START, START + SECOND)
    assert visible.all()
    np.testing.assert_array_equal(positions, x)


@given(st.lists(st.integers(1_000_000, MAX_GAP), min_size=10, max_size=80))
def test_a_linear_motion_is_exact_under_any_jitter_and_drop_within_the_gap(steps):
    stamps = START + np.cumsum([0, *steps])
    positions, visible = resample(stamps, line(stamps), START, int(stamps[-1]))
    assert visible.all()
    np.testing.assert_allclose(positions, line(grid(START, int(stamps[-1]), 30)), atol=1e-6)


@given(st.integers(-(10**18), 10**18), st.lists(st.integers(1, 400_000_000), min_size=2, max_size=40))
def test_moving_all_stamps_moves_nothing_else(shift, steps):
    stamps = START + np.cumsum(steps)
    end = int(stamps[-1])
    before = resample(stamps, line(stamps), START, end)
    after = resample(stamps + shift, line(stamps), START + shift, end + shift)
    np.testing.assert_array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_a_25_fps_camera_gives_30_fps():
    stamps = at(*np.arange(51) / 25)
    positions, visible = resample(stamps, line(stamps), START, START + 2 * SECOND)
    assert positions.shape == (61, 10, 3) and visible.all()
    np.testing.assert_allclose(positions, line(grid(START, START + 2 * SECOND, 30)), atol=1e-9)


def test_a_long_drop_of_the_camera_is_not_visible_and_a_short_one_is_bridged():
    stamps = at(*[t / 30 for t in range(61) if not (10 < t < 16 or 30 < t < 40)])
    _, visible = resample(stamps, line(stamps), START, START + 2 * SECOND)
    hidden = np.flatnonzero(~visible.all(1))
    np.testing.assert_array_equal(hidden, np.arange(31, 40))
    assert not visible[hidden].any()


def test_each_joint_has_its_own_gaps():
    stamps = at(*np.arange(61) / 30)
    x = line(stamps)
    x[20:40, 6] = np.nan
    x[50, 3, 0] = np.nan  # not seen in one dimension: not seen
    positions, visible = resample(stamps, x, START, START + 2 * SECOND)
    np.testing.assert_array_equal(np.argwhere(~visible), [[k, 6] for k in range(20, 40)])
    assert (positions[20:40, 6] == 0).all()
    np.testing.assert_allclose(positions[50, 3], line(stamps)[50, 3])


@pytest.mark.parametrize('edge, held', [(0.09, True), (0.11, False)])
def test_at_the_edges_half_a_gap_is_held(edge, held):
    stamps = at(*np.arange(edge, 1 - edge, 0.05), 1 - edge)
    positions, visible = resample(stamps, line(stamps), START, START + SECOND)
    assert visible[0].all() == visible[-1].all() == held
    if held:
        np.testing.assert_allclose(positions[0], line(stamps)[0])
        np.testing.assert_allclose(positions[-1], line(stamps)[-1])


def test_order_does_not_matter_and_the_last_of_equal_stamps_counts():
    stamps = at(*np.arange(31) / 30)
    shuffled = np.random.default_rng(0).permutation(31)
    early = np.concatenate([stamps[5:9], stamps[shuffled]])
    x = np.concatenate([np.full((4, 10, 3), 99.0), line(stamps)[shuffled]])
    positions, _ = resample(early, x, START, START + SECOND)
    np.testing.assert_allclose(positions, line(stamps))


def test_what_lies_outside_of_the_window_is_not_looked_at():
    stamps = at(*np.arange(-30, 61) / 30)
    x = line(stamps)
    other = x.copy()
    other[(stamps < START) | (stamps > START + SECOND)] = 77
    np.testing.assert_array_equal(
        resample(stamps, x, START, START + SECOND)[0], resample(stamps, other, START, START + SECOND)[0]
    )


@pytest.mark.parametrize('stamps', [at(), at(-1, 5)])
def test_nobody_in_the_window_is_nothing_visible(stamps):
    positions, visible = resample(stamps, line(stamps), START, START + SECOND)
    assert positions.shape == (31, 10, 3) and not visible.any() and not positions.any()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r'\(2,\) and \(3, 10, 3\)'):
        resample(at(0, 1), np.zeros((3, 10, 3)), START, START)


def push_all(stream: GridStream, stamps: np.ndarray, x: np.ndarray) -> dict[int, np.ndarray]:
    return dict(frame for stamp, frame in zip(stamps, x, strict=True) for frame in stream.push(int(stamp), frame))


@given(st.lists(st.integers(1_000_000, MAX_GAP), min_size=5, max_size=60))
def test_live_a_linear_motion_is_exact_and_no_frame_is_missing(steps):
    stamps = START + np.cumsum([0, *steps])
    frames = push_all(GridStream(10), stamps, line(stamps))
    times = np.array(list(frames))
    assert set(np.diff(times)) <= {33_333_333, 33_333_334}
    assert stamps[-1] - times[-1] < 33_333_334
    np.testing.assert_allclose(np.stack(list(frames.values())), line(times), atol=1e-6)


def test_live_the_grid_does_not_depend_on_when_one_began_to_look():
    stamps = at(*np.arange(50) / 25)
    early, late = push_all(GridStream(10), stamps, line(stamps)), push_all(GridStream(10), stamps[7:], line(stamps[7:]))
    assert set(late) <= set(early)
    for time, positions in late.items():
        np.testing.assert_array_equal(positions, early[time])


def test_live_a_lost_joint_is_held_for_the_gap_and_then_not_visible():
    stamps = at(*np.arange(31) / 30)
    x = line(stamps)
    x[10:, 6] = np.nan
    frames = list(push_all(GridStream(10), stamps, x).values())
    visible = np.isfinite(frames).all(-1)
    np.testing.assert_array_equal(np.flatnonzero(~visible[:, 6]), np.arange(16, 31))
    np.testing.assert_allclose(frames[15][6], x[9, 6])
    assert np.delete(visible, 6, axis=1).all()


def test_live_hours_of_silence_give_a_few_frames_and_nothing_is_bridged():
    stream = GridStream(10)
    push_all(stream, at(0, 1 / 30), line(at(0, 1 / 30)))
    frames = stream.push(int(at(7200)[0]), line(at(7200))[0])
    assert len(frames) == 13  # 0.4 s and the new frame
    assert np.isnan([positions for _, positions in frames[:-1]]).all()
    np.testing.assert_array_equal(frames[-1][1], line(at(7200))[0])
