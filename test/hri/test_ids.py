"""Ids of others become parts of topic names: only legal ones, and not without end."""
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.hri.ids import LONGEST_ID, MOST_REASONS, Roster, require_legal


@pytest.mark.parametrize('identifier', ['p1', 'b31ad', '_x', 'Anna_2', 'a' * LONGEST_ID])
def test_what_a_topic_name_may_hold_is_legal(identifier):
    require_legal(identifier)


@pytest.mark.parametrize('identifier', [
    '', '7f3a', 'a/b', '../x', 'a b', 'ä', 'a\n', '~', '{x}', 'a' * (LONGEST_ID + 1),
])
def test_anything_else_is_refused_and_the_error_tells_what_is_wanted(identifier):
    with pytest.raises(ValueError, match='letters, digits and underscores, not a digit first'):
        require_legal(identifier)


@pytest.mark.ros
@settings(deadline=None)  # the first look imports ROS
@given(st.one_of(st.text(max_size=LONGEST_ID), st.from_regex('[a-zA-Z0-9_]{1,64}', fullmatch=True)))
def test_every_id_that_is_taken_makes_a_topic_name_that_ros_takes(identifier):
    from rclpy.validate_full_topic_name import validate_full_topic_name

    try:
        require_legal(identifier)
    except ValueError:
        return
    assert validate_full_topic_name(f'/humans/persons/{identifier}/expression')


def test_people_come_and_leave():
    roster = Roster('persons', limit=5)
    assert roster.look(['a', 'b'], 0.0).came == ('a', 'b')
    changes = roster.look(['b', 'c'], 1.0)
    assert (changes.came, changes.left) == (('c',), ('a',))
    assert roster.ids == ('b', 'c') and 'a' not in roster


def test_whoever_is_out_of_sight_for_a_moment_has_not_left():
    roster = Roster('bodies', limit=5, leave_after=2.0)
    roster.look(['a'], 0.0)
    assert roster.look([], 1.9).left == ()
    assert roster.look(['a'], 1.95).came == ()
    assert roster.look([], 3.9).left == ()
    assert roster.look([], 3.95).left == ('a',)


def test_when_all_places_are_taken_nobody_more_is_let_in_until_somebody_leaves():
    roster = Roster('bodies', limit=2)
    changes = roster.look(['a', 'b', 'c'], 0.0)
    assert changes.came == ('a', 'b')
    assert len(changes.refused) == 1 and "'c'" in changes.refused[0] and 'max_ids' in changes.refused[0]
    assert roster.look(['b', 'c'], 1.0).came == ('c',)


def test_an_illegal_id_does_not_keep_the_others_out():
    changes = Roster('voices', limit=2).look(['1st', 'x/y', 'a', 'a', 'b'], 0.0)
    assert changes.came == ('a', 'b') and len(changes.refused) == 2


@given(st.lists(st.lists(st.text(max_size=3), max_size=30), max_size=20))
def test_there_are_never_more_than_the_limit(looks):
    roster = Roster('bodies', limit=3)
    for now, ids in enumerate(looks):
        roster.look(ids, float(now))
        assert len(roster.ids) <= 3


def test_a_list_without_end_is_looked_at_to_a_point_and_told_of_in_few_words():
    changes = Roster('bodies', limit=2).look((f'p{i}' for i in itertools.count()), 0.0)
    assert changes.came == ('p0', 'p1') and len(changes.refused) == MOST_REASONS
    assert 'the list of bodies has more than 1000 ids' in changes.refused[0]
