# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A person keeps an id while tracked, whatever the order of detections, and no id is given twice."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.skeleton.tracking import PersonTracker, PresenceTracker, distinct
from smern_ros.values import SECOND, Skeleton

FRAME = SECOND // 30
SIZE = 80.0  # pixels between the shoulders


def follow(paths, *, visible=None, order=None, tracker=None, start=0):
    """
    :param paths: (frames, people, 2) pixels. :param visible: (frames, people) bool.
    :param order: function (frame, n) -> permutation in which bodies are given.
    :return: (frames, people) ids, '' where not visible.
    """
    tracker = tracker or PersonTracker(track_timeout=1.0)
    ids = []
    for frame, centres in enumerate(paths):
        seen = np.flatnonzero(visible[frame]) if visible is not None else np.arange(len(centres))
        if order:
            seen = seen[order(frame, len(seen))]
        row = [''] * len(centres)
        given = tracker.identify(start + frame * FRAME, centres[seen], np.full(len(seen), SIZE))
        for person, person_id in zip(seen, given, strict=True):
            row[person] = person_id
        ids.append(row)
    return np.array(ids)


def walk(frames, *people):
    """Straight lines: each person is (x, y, pixels a second in x)."""
    t = np.arange(frames)[:, None] / 30
    return np.stack([np.hstack([x + v * t, np.full_like(t, y)]) for x, y, v in people], axis=1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(2, 30))
def test_the_order_of_detections_changes_no_id(seed, people, frames):
    rng = np.random.default_rng(seed)
    paths = rng.uniform(0, 640, (1, people, 2)) + rng.normal(0, 10, (frames, people, 2)).cumsum(axis=0)
    visible = rng.random((frames, people)) < .8
    plain = follow(paths, visible=visible)
    shuffled = follow(paths, visible=visible, order=lambda _, n: rng.permutation(n))
    np.testing.assert_array_equal(plain, shuffled)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(.05, 20), st.integers(0, 2**60))
def test_neither_the_size_of_the_image_nor_the_time_of_day_matters(seed, scale, start):
    rng = np.random.default_rng(seed)
    paths = rng.uniform(0, 640, (1, 3, 2)) + rng.normal(0, 20, (20, 3, 2)).cumsum(axis=0)
    small, large = PersonTracker(), PersonTracker()
    for frame, centres in enumerate(paths):
        one = small.identify(frame * FRAME, centres, np.full(3, SIZE))
        other = large.identify(start + frame * FRAME, centres * scale, np.full(3, SIZE * scale))
        assert one == other


def test_ids_start_left_to_right_and_no_two_people_share_one():
    ids = follow(walk(30, (500, 200, 0), (100, 200, 0), (300, 210, 0)))
    assert ids[0].tolist() == ['p3', 'p1', 'p2']
    assert (ids == ids[0]).all()


@pytest.mark.parametrize('hidden_frames', [1, 15, 29])
def test_somebody_hidden_for_less_than_a_second_is_known_again(hidden_frames):
    visible = np.ones((70, 2), bool)
    visible[20:20 + hidden_frames, 1] = False
    ids = follow(walk(70, (100, 200, 0), (400, 200, 20)), visible=visible)
    assert (ids[:, 0] == 'p1').all()
    assert (ids[visible[:, 1], 1] == 'p2').all()


def test_somebody_gone_for_longer_is_new_and_no_id_comes_twice():
    visible = np.ones((200, 1), bool)
    visible[20:60] = visible[100:150] = False
    ids = follow(walk(200, (100, 200, 0)), visible=visible)[:, 0]
    assert [ids[0], ids[70], ids[199]] == ['p1', 'p2', 'p3']


@pytest.mark.parametrize(('frames_later', 'known'), [(1, False), (24, True)])
def test_the_longer_out_of_sight_the_farther_somebody_may_have_gone(frames_later, known):
    tracker = PersonTracker()
    tracker.identify(0, [[100, 200]], [SIZE])
    ids = tracker.identify(frames_later * FRAME, [[100 + 2 * SIZE, 200]], [SIZE])
    assert ids == (['p1'] if known else ['p2'])


def test_two_who_pass_each_other_keep_their_ids():
    paths = walk(90, (100, 200, 150), (500, 200, -150))
    distance = np.abs(paths[:, 0, 0] - paths[:, 1, 0])
    visible = np.ones((90, 2), bool)
    visible[distance < SIZE, 1] = False  # the one behind is hidden while they overlap
    assert 10 < (~visible[:, 1]).sum() < 25
    ids = follow(paths, visible=visible)
    assert (ids[:, 0] == 'p1').all()
    assert (ids[visible[:, 1], 1] == 'p2').all()


def test_a_newcomer_takes_nobodys_id():
    visible = np.ones((60, 2), bool)
    visible[30:, 0] = False  # p1 leaves
    visible[:35, 1] = False  # another comes elsewhere at once
    ids = follow(walk(60, (100, 200, 0), (500, 200, 0)), visible=visible)
    assert set(ids[visible]) == {'p1', 'p2'}
    assert ids[40, 1] == 'p2'


def test_nobody_doubles_in_size_between_two_frames():
    tracker = PersonTracker()
    assert tracker.identify(0, [[320, 240]], [30]) == ['p1']
    assert tracker.identify(FRAME, [[320, 240]], [200]) == ['p2']


def test_after_a_break_in_time_everybody_is_new():
    tracker = PersonTracker()
    assert tracker.identify(SECOND, [[320, 240]], [80]) == ['p1']
    tracker.forget()
    assert tracker.identify(0, [[320, 240]], [80]) == ['p2']


BLUE, RED = np.eye(4)[1], np.eye(4)[2]


def test_two_who_meet_and_turn_round_are_told_by_their_clothes():
    tracker = PersonTracker()
    paths = walk(60, (100, 200, 150), (460, 200, -150))
    paths[30:] = paths[29::-1]  # back the way they came
    for frame, centres in enumerate(paths):
        hidden = np.abs(np.subtract(*centres[:, 0])) < 2 * SIZE
        seen = [0] if hidden else [0, 1]
        ids = tracker.identify(frame * FRAME, centres[seen], np.full(len(seen), SIZE), np.stack([BLUE, RED])[seen])
        assert ids == ['p1', 'p2'][:len(seen)]


def test_in_other_clothes_nobody_is_known_again_at_a_distance():
    tracker = PersonTracker()
    tracker.identify(0, [[100, 200]], [SIZE], [BLUE])
    assert tracker.identify(FRAME, [[100 + SIZE, 200]], [SIZE], [RED]) == ['p2']
    assert tracker.identify(SECOND, [[100, 200]], [SIZE], [RED]) == ['p2']  # p1 may be hidden, but in blue
    assert tracker.identify(SECOND + FRAME, [[100, 200], [100 + SIZE, 200]], [SIZE] * 2, [BLUE, RED]) == ['p1', 'p2']


def test_one_body_found_twice_is_one_and_the_surer_finding_stays():
    centres = np.array([[100, 200], [110, 205], [400, 200]])
    assert distinct(centres, np.full(3, SIZE), np.array([0.7, 0.9, 0.6])) == [1, 2]
    assert distinct(centres[[0, 2]], np.full(2, SIZE), np.array([0.7, 0.6])) == [0, 1]
    assert distinct(np.zeros((0, 2)), np.zeros(0), np.zeros(0)) == []


def test_wrong_limits_are_refused():
    with pytest.raises(ValueError, match='track_timeout -1'):
        PersonTracker(track_timeout=-1)


def body(person_id, seconds):
    return Skeleton(
        stamp_ns=round(seconds * SECOND), person_id=person_id, positions=np.zeros((10, 3), np.float32), score=0.9,
        extent=0.2, confidences=np.ones(10, np.float32), image_positions=np.zeros((10, 2), np.float32),
    )


def see(presence, seconds, *ids, track_timeout=1.0):
    here = presence.update(round(seconds * SECOND), [body(p, seconds) for p in ids], track_timeout=track_timeout)
    return None if here is None else [(one.person_id, one.stamp_ns / SECOND) for one in here]


def test_only_who_comes_and_who_leaves_is_news():
    presence = PresenceTracker()
    assert see(presence, 0.0) is None
    assert see(presence, 1.0, 'a') == [('a', 1.0)]
    assert see(presence, 1.5, 'a') is None
    assert see(presence, 2.0, 'b') == [('a', 1.5), ('b', 2.0)]  # a is hidden, not gone
    assert see(presence, 2.5, 'b') is None
    assert see(presence, 2.6, 'b') == [('b', 2.6)]
    assert see(presence, 9.0) == []
    assert not presence.anybody


def test_somebody_hidden_for_as_long_as_ids_are_kept_is_still_here():
    presence = PresenceTracker()
    see(presence, 1.0, 'a', track_timeout=3.0)
    assert see(presence, 4.0, track_timeout=3.0) is None
    assert see(presence, 4.1, track_timeout=3.0) == []


def test_one_who_leaves_as_another_comes_is_told_with_it():
    presence = PresenceTracker()
    see(presence, 1.0, 'a')
    assert see(presence, 3.0, 'b') == [('b', 3.0)]


def test_when_time_jumps_back_all_who_were_here_have_left():
    presence = PresenceTracker()
    see(presence, 100.0, 'a')
    assert see(presence, 1.0) == []
    see(presence, 2.0, 'b')
    assert see(presence, 1.5, 'c') == [('c', 1.5)]
