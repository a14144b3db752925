"""Who is here, frame by frame: told when somebody comes or has left, and at no other time."""
import numpy as np

from smern_ros.skeleton.presence import PresenceTracker
from smern_ros.values import SECOND, Skeleton


def body(person_id, seconds):
    return Skeleton(
        stamp_ns=round(seconds * SECOND), person_id=person_id, positions=np.zeros((10, 3), np.float32), score=0.9,
        extent=0.2, confidences=np.ones(10, np.float32), image_positions=np.zeros((10, 2), np.float32),
    )


def see(presence, seconds, *ids, track_timeout=1.0):
    here = presence.see(round(seconds * SECOND), [body(p, seconds) for p in ids], track_timeout=track_timeout)
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
