# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A feeling is answered when it is settled, and not again and again."""
import itertools
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

NAMES = runpy.run_path(str(Path(__file__).parents[2] / 'examples/debounce.py'), run_name='debounce')
Debouncer, MOST_PEOPLE = NAMES['Debouncer'], NAMES['MOST_PEOPLE']


class Robot:
    """Feeds states and keeps what is answered, with its time."""

    def __init__(self, **settings):
        self.debouncer = Debouncer(**settings)
        self.answers = []

    def see(self, feeling, confidence, at, *, is_final=False, person='p1'):
        if self.debouncer.feed(person, feeling, confidence, is_final=is_final, stamp=at):
            self.answers.append((feeling, at))


@pytest.fixture
def robot():
    return Robot(min_confidence=0.5, hysteresis=0.1, hold=1.5, quiet=10.0)


def test_a_final_state_is_answered_at_once(robot):
    robot.see('sad', 0.6, 100.0, is_final=True)
    assert robot.answers == [('sad', 100.0)]


def test_a_passing_state_is_answered_when_it_has_lasted_and_only_once(robot):
    for i in range(20):
        robot.see('happy', 0.8, 100.0 + i / 2)
    assert robot.answers == [('happy', 101.5)]


def test_flicker_is_never_answered(robot):
    for i in range(40):
        robot.see(('happy', 'angry')[i % 2], 0.9, 100.0 + i / 2)
    assert robot.answers == []


def test_a_doubt_in_between_begins_the_wait_again(robot):
    for at, confidence in ((100.0, 0.8), (101.0, 0.4), (101.5, 0.8), (102.5, 0.8)):
        robot.see('happy', confidence, at)
    assert robot.answers == []
    robot.see('happy', 0.8, 103.0)
    assert robot.answers == [('happy', 103.0)]


def test_a_feeling_that_was_not_seen_for_a_while_has_not_lasted(robot):
    robot.see('sad', 0.9, 100.0)
    robot.see('sad', 0.9, 160.0)
    assert robot.answers == []
    for at in (160.5, 161.0, 161.5):
        robot.see('sad', 0.9, at)
    assert robot.answers == [('sad', 161.5)]


@pytest.mark.parametrize('confidence', [0.49, float('nan')])
def test_what_is_not_confident_is_not_answered_even_if_it_is_final(robot, confidence):
    robot.see('sad', confidence, 100.0, is_final=True)
    assert robot.answers == []


def test_a_feeling_that_contradicts_the_last_must_be_more_confident(robot):
    robot.see('sad', 0.55, 100.0, is_final=True)
    robot.see('happy', 0.55, 105.0, is_final=True)
    assert robot.answers == [('sad', 100.0)]
    robot.see('happy', 0.65, 106.0, is_final=True)
    assert robot.answers[-1] == ('happy', 106.0)


def test_the_same_feeling_is_answered_again_only_after_a_while(robot):
    for at in (100.0, 104.0, 109.9, 110.0):
        robot.see('angry', 0.9, at, is_final=True)
    assert robot.answers == [('angry', 100.0), ('angry', 110.0)]


def test_people_are_answered_each_for_themselves(robot):
    robot.see('sad', 0.9, 100.0, is_final=True, person='p1')
    robot.see('sad', 0.9, 101.0, is_final=True, person='p2')
    assert len(robot.answers) == 2


def test_when_the_clock_is_set_back_all_begins_anew(robot):
    robot.see('sad', 0.9, 100.0, is_final=True)
    robot.see('sad', 0.9, 5.0, is_final=True)
    assert robot.answers == [('sad', 100.0), ('sad', 5.0)]


@pytest.mark.parametrize('wrong', [
    {'min_confidence': 1.5}, {'hysteresis': -1.0}, {'hold': -1.0}, {'gap': -1.0}, {'quiet': -0.1},
])
def test_settings_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Debouncer(**wrong)


@given(st.lists(st.tuples(
    st.sampled_from(['happy', 'sad', 'angry', 'neutral']), st.floats(0, 1), st.floats(0, 5), st.booleans(),
), max_size=60))
def test_whatever_comes_the_same_feeling_is_never_answered_twice_within_the_quiet_time(states):
    robot, at = Robot(quiet=10.0), 100.0
    for feeling, confidence, wait, is_final in states:
        at += wait
        robot.see(feeling, confidence, at, is_final=is_final)
    for feeling in ('happy', 'sad', 'angry', 'neutral'):
        times = [t for f, t in robot.answers if f == feeling]
        assert all(later - earlier >= 10.0 for earlier, later in itertools.pairwise(times))


def test_the_memory_of_people_is_bounded(robot):
    for i in range(10 * MOST_PEOPLE):
        robot.see('sad', 0.9, 100.0, is_final=True, person=f'p{i}')
    assert len(robot.debouncer._people) <= MOST_PEOPLE
