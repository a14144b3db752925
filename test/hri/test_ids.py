# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ids of others become parts of topic names: only legal ones, and not without end."""
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.hri.ids import MAX_ID_LENGTH, MAX_REJECTIONS, Roster, require_valid_id


@pytest.mark.parametrize('identifier', ['p1', 'b31ad', '_x', 'Anna_2', 'a' * MAX_ID_LENGTH])
def test_what_a_topic_name_may_hold_is_legal(identifier):
    require_valid_id(identifier)


@pytest.mark.parametrize('identifier', [
    '', '7f3a', 'a/b', '../x', 'a b', 'ä', 'a\n', '~', '{x}', 'a' * (MAX_ID_LENGTH + 1),
])
def test_anything_else_is_refused_and_the_error_tells_what_is_wanted(identifier):
    with pytest.raises(ValueError, match='letters, digits and underscores, not a digit first'):
        require_valid_id(identifier)


@pytest.mark.ros
@settings(deadline=None)  # the first look imports ROS
@given(st.one_of(st.text(max_size=MAX_ID_LENGTH), st.from_regex('[a-zA-Z0-9_]{1,64}', fullmatch=True)))
def test_every_id_that_is_taken_makes_a_topic_name_that_ros_takes(identifier):
    from rclpy.validate_full_topic_name import validate_full_topic_name

    try:
        require_valid_id(identifier)
    except ValueError:
        return
    assert validate_full_topic_name(f'/humans/persons/{identifier}/expression')


def test_people_come_and_leave():
    roster = Roster('persons', limit=5)
    assert roster.update(['a', 'b'], 0.0).added == ('a', 'b')
    changes = roster.update(['b', 'c'], 1.0)
    assert (changes.added, changes.removed) == (('c',), ('a',))
    assert roster.ids == ('b', 'c') and 'a' not in roster


def test_whoever_is_out_of_sight_for_a_moment_has_not_left():
    roster = Roster('bodies', limit=5, leave_after=2.0)
    roster.update(['a'], 0.0)
    assert roster.update([], 1.9).removed == ()
    assert roster.update(['a'], 1.95).added == ()
    assert roster.update([], 3.9).removed == ()
    assert roster.update([], 3.95).removed == ('a',)


def test_when_all_places_are_taken_nobody_more_is_let_in_until_somebody_leaves():
    roster = Roster('bodies', limit=2)
    changes = roster.update(['a', 'b', 'c'], 0.0)
    assert changes.added == ('a', 'b')
    assert len(changes.rejected) == 1 and "'c'" in changes.rejected[0] and 'max_ids' in changes.rejected[0]
    assert roster.update(['b', 'c'], 1.0).added == ('c',)


def test_an_illegal_id_does_not_keep_the_others_out():
    changes = Roster('voices', limit=2).update(['1st', 'x/y', 'a', 'a', 'b'], 0.0)
    assert changes.added == ('a', 'b') and len(changes.rejected) == 2


@given(st.lists(st.lists(st.text(max_size=3), max_size=30), max_size=20))
def test_there_are_never_more_than_the_limit(looks):
    roster = Roster('bodies', limit=3)
    for now, ids in enumerate(looks):
        roster.update(ids, float(now))
        assert len(roster.ids) <= 3


def test_a_list_without_end_is_looked_at_to_a_point_and_told_of_in_few_words():
    changes = Roster('bodies', limit=2).update((f'p{i}' for i in itertools.count()), 0.0)
    assert changes.added == ('p0', 'p1') and len(changes.rejected) == MAX_REJECTIONS
    assert 'the list of bodies has more than 1000 ids' in changes.rejected[0]
