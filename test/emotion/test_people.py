# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The people of a session: who is remembered, and how long a voice without a body is one person."""
import numpy as np
import pytest

from smern_ros.emotion.people import ABSENT, ABSENT_SILENCE, PeopleRegistry, is_anonymous
from smern_ros.models.person_statistics import SIZES, PersonStatistics
from smern_ros.values import CLOCK_JUMP, SECOND


def one_utterance() -> PersonStatistics:
    return PersonStatistics().add('prosody', np.ones((1, SIZES['prosody'])))


def utterances_of(people: PeopleRegistry, person_id: str, start_ns: int = 0) -> int:
    return int(people.statistics(person_id, start_ns).prosody.count[0])


def test_the_one_not_met_for_longest_is_forgotten_first():
    people = PeopleRegistry(capacity=2)
    for person_id in ('anna', 'ben', 'anna', 'carl'):
        people.update(person_id, one_utterance(), 0, SECOND)
    assert [utterances_of(people, p) for p in ('anna', 'ben', 'carl')] == [2, 0, 1]
    assert len(people) == 2


def test_asking_for_strangers_takes_no_room():
    people = PeopleRegistry()
    for i in range(1000):
        people.statistics(f'stranger {i}', 0)
    assert len(people) == 0


def test_one_person_or_everybody_is_forgotten():
    people = PeopleRegistry()
    for person_id in ('anna', 'ben', ABSENT):
        people.update(person_id, one_utterance(), 0, SECOND)
    assert people.forget('anna') and not people.forget('anna')
    assert utterances_of(people, 'anna') == 0 and utterances_of(people, 'ben') == 1
    people.forget_everybody()
    assert utterances_of(people, 'ben') == 0 and len(people) == 0


@pytest.mark.parametrize(('pause', 'remembered'), [
    (ABSENT_SILENCE, 1), (ABSENT_SILENCE + 1, 0), (-CLOCK_JUMP, 1), (-CLOCK_JUMP - 1, 0), (-ABSENT_SILENCE - 1, 0),
])
def test_a_voice_without_a_body_may_be_anybodys_after_a_long_silence_or_a_jump_of_the_clock(pause, remembered):
    people = PeopleRegistry()
    end_ns = 1000 * SECOND
    for person_id in (ABSENT, 'anna'):
        people.update(person_id, one_utterance(), end_ns - SECOND, end_ns)
    assert utterances_of(people, ABSENT, end_ns + pause) == remembered
    assert utterances_of(people, 'anna', end_ns + pause) == 1


def test_a_voice_without_a_body_is_another_after_a_jump_of_the_clock_that_its_stamps_do_not_show():
    people = PeopleRegistry()
    people.update(ABSENT, one_utterance(), 0, SECOND)
    before = people.identity(ABSENT, 2 * SECOND)
    people.clock_jumped()
    assert utterances_of(people, ABSENT, 2 * SECOND) == 0 and people.is_expired(before)
    assert people.identity(ABSENT, 2 * SECOND) != before


def test_labels_count_for_a_person_but_for_a_voice_without_a_body_only_until_it_may_be_anybodys():
    people = PeopleRegistry()
    assert people.identity('anna', 0) == people.identity('anna', 10**18) == 'anna' and not people.is_expired('anna')
    first = people.identity(ABSENT, 5 * SECOND)
    assert is_anonymous(first) and first == people.identity(ABSENT, 5 * SECOND) != ABSENT
    people.update(ABSENT, None, 5 * SECOND, 8 * SECOND)
    assert people.identity(ABSENT, 68 * SECOND) == first and not people.is_expired(first)
    second = people.identity(ABSENT, 68 * SECOND + 1)
    assert second != first and not people.is_expired(first)  # nobody is known to have come, yet
    people.update(ABSENT, None, 68 * SECOND + 1, 70 * SECOND)
    assert people.identity(ABSENT, 71 * SECOND) == second and people.is_expired(first)
    assert PeopleRegistry().identity(ABSENT, 5 * SECOND) not in (first, second)


def test_nobody_is_no_capacity():
    with pytest.raises(ValueError, match='capacity is 0'):
        PeopleRegistry(capacity=0)


