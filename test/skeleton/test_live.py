# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The smooth stream: causal, 30 a second, stamped with the time its values belong to."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.skeleton.live import LiveFilter
from smern_ros.values import SECOND, Skeleton

START = 1_700_000_000 * SECOND


def skeleton(stamp_ns: int, positions: np.ndarray, person: str = 'a') -> Skeleton:
    return Skeleton(
        stamp_ns=stamp_ns, person_id=person, positions=positions.astype(np.float32), score=0.9, extent=0.2,
        confidences=np.ones(10, np.float32), image_positions=np.full((10, 2), stamp_ns - START, np.float32),
    )


def wave(stamp_ns: int) -> np.ndarray:
    """A slow movement, metres."""
    return 0.2 * np.sin(2 * np.pi * 0.3 * (stamp_ns - START) / SECOND + np.arange(30).reshape(10, 3))


def play(stamps, people=('a',), hidden=lambda stamp_ns, person: False) -> list[tuple[int, list[Skeleton]]]:
    live, out = LiveFilter(), []
    for stamp in stamps:
        out += live.push(stamp, [skeleton(stamp, wave(stamp), p) for p in people if not hidden(stamp, p)])
    return out


def camera(rate: float, seconds: float) -> list[int]:
    return [START + round(k * SECOND / rate) for k in range(int(seconds * rate) + 1)]


@pytest.mark.parametrize('rate', [30.0, 25.0, 15.0])
def test_its_values_belong_to_its_stamps_whatever_the_camera(rate):
    frames = play(camera(rate, 6))
    stamps = np.array([stamp for stamp, _ in frames])
    assert set(np.diff(stamps)) <= {33_333_333, 33_333_334}
    assert stamps[0] - START < 34_000_000
    for stamp, [person] in frames[30:]:  # the filter has settled
        assert person.stamp_ns == stamp
        np.testing.assert_allclose(person.positions, wave(stamp), atol=0.01)


def test_what_is_not_filtered_is_of_the_same_time():
    for stamp, [person] in play(camera(30, 3)):
        assert 0 <= stamp - START - person.image_positions[0, 0] < 34_000_000


def test_nothing_is_told_of_a_time_before_anybody_was_seen():
    frames = play(camera(30, 3), hidden=lambda stamp, _: stamp < START + SECOND)
    assert min(stamp for stamp, _ in frames) >= START
    assert min(stamp for stamp, people in frames if people) >= START + SECOND


@settings(max_examples=20)
@given(st.integers(1, 60))
def test_it_never_sees_the_future(now):
    stamps = camera(25, 3)
    whole, cut = play(stamps), play(stamps[:now])
    assert [stamp for stamp, _ in whole][: len(cut)] == [stamp for stamp, _ in cut]
    for (_, before), (_, after) in zip(cut, whole, strict=False):
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one.positions, other.positions)


def test_people_do_not_disturb_each_other_and_whoever_left_is_gone():
    frames = play(camera(30, 4), people=('a', 'b'), hidden=lambda t, p: p == 'b' and t > START + 2 * SECOND)
    alone = play(camera(30, 4))
    for (stamp, people), (_, [expected]) in zip(frames, alone, strict=True):
        np.testing.assert_array_equal(people[0].positions, expected.positions)
        if stamp > START + 2.3 * SECOND:
            assert [p.person_id for p in people] == ['a']
    assert max(stamp for stamp, people in frames if len(people) == 2) > START + 1.4 * SECOND


def test_a_flickering_person_stays_in_one_piece():
    gaps = play(camera(30, 4), hidden=lambda t, _: (t - START) // (SECOND // 30) % 5 in (2, 3, 4))  # 0.1 s at a time
    assert all(people for _, people in gaps)
    assert max(np.abs(people[0].positions - wave(stamp)).max() for stamp, people in gaps[30:]) < 0.05


def test_an_empty_room_is_told_too():
    live = LiveFilter()
    frames = [frame for stamp in camera(30, 2) for frame in live.push(stamp, [])]
    assert len(frames) > 40 and not any(people for _, people in frames)


def test_reset_forgets_everybody():
    live = LiveFilter()
    for stamp in camera(30, 2):
        live.push(stamp, [skeleton(stamp, wave(stamp))])
    live.reset()
    early = [stamp - 1000 * SECOND for stamp in camera(30, 2)]
    frames = [frame for stamp in early for frame in live.push(stamp, [])]
    assert frames[0][0] >= early[0] and not any(people for _, people in frames)


def test_who_is_there_for_long_without_a_visible_joint_takes_no_more_memory():
    live = LiveFilter()
    unseen = np.full((10, 3), np.nan)
    for stamp in camera(30, 60):
        assert not any(people for _, people in live.push(stamp, [skeleton(stamp, unseen)]))
    assert len(live._people['a']._raw) < 60
