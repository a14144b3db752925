# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whose body, face and voice, and who is listened to."""
from smern_ros.hri.person_assignments import BODY, FACE, MAX_CHANGES, VOICE, PersonAssignments, VoiceHistory, Voices


def test_the_body_of_a_voice_is_found_through_its_person():
    people = PersonAssignments()
    people.assign('anna', BODY, 'p1')
    people.assign('anna', VOICE, 'v7')
    assert people.part(people.person_of(VOICE, 'v7'), BODY) == 'p1'
    assert people.person_of(VOICE, 'v8') is None and people.part(None, BODY) == ''


def test_a_part_belongs_to_one_person_at_a_time():
    people = PersonAssignments()
    people.assign('anna', FACE, 'f1')
    people.assign('ben', FACE, 'f1')
    assert people.person_of(FACE, 'f1') == 'ben' and people.part('anna', FACE) == ''


def test_a_match_may_be_taken_back_and_a_person_forgotten():
    people = PersonAssignments()
    people.assign('anna', FACE, 'f1')
    people.assign('anna', BODY, 'p1')
    people.assign('anna', FACE, '')
    assert people.part('anna', FACE) == '' and people.person_of(FACE, '') is None
    people.forget('anna')
    assert people.person_of(BODY, 'p1') is None


def test_the_one_who_speaks_is_heard_until_the_end_even_if_another_begins():
    voices = Voices()
    for voice in ('a', 'b'):
        voices.add(voice)
    assert voices.active == 'a' and not voices.speaking
    voices.set_speaking('b', True)
    assert voices.active == 'b' and voices.speaking
    voices.set_speaking('a', True)
    assert voices.active == 'b'
    voices.set_speaking('b', False)
    assert voices.active == 'a' and voices.speaking
    voices.set_speaking('a', False)
    assert voices.active == 'a'


def test_when_the_one_who_is_heard_leaves_another_is():
    voices = Voices()
    voices.add('a')
    voices.add('b')
    voices.set_speaking('a', True)
    voices.remove('a')
    assert voices.active == 'b' and not voices.speaking
    voices.remove('b')
    assert voices.active == ''


def test_a_chosen_voice_alone_is_heard():
    voices = Voices('b')
    voices.add('a')
    voices.set_speaking('a', True)
    assert voices.active == '' and not voices.speaking
    voices.add('b')
    assert voices.active == 'b'
    voices.select('')
    assert voices.active == 'a' and voices.speaking


def test_a_voice_that_is_not_there_is_not_heard():
    voices = Voices()
    voices.set_speaking('ghost', True)
    assert voices.active == ''


def test_whose_an_utterance_is_is_who_was_listened_to_for_most_of_it():
    heard = VoiceHistory()
    assert heard.during(0, 100) == ''
    for at, voice in ((1000, 'anna'), (2000, 'ben'), (2100, 'ben'), (3000, 'anna')):
        heard.record(at, voice)
    assert [heard.during(*span) for span in ((1000, 2000), (1900, 2600), (1400, 2400), (2500, 9000))] == [
        'anna', 'ben', 'anna', 'anna'
    ]
    assert heard.during(10, 20) == '' and heard.during(5000, 5000) == 'anna'


def test_the_changes_of_the_voice_that_are_remembered_are_bounded_and_may_begin_anew():
    heard = VoiceHistory()
    for at in range(10 * MAX_CHANGES):
        heard.record(at, f'v{at}')
    assert heard.during(10 * MAX_CHANGES - 5, 10 * MAX_CHANGES - 4) == f'v{10 * MAX_CHANGES - 5}'
    assert heard.during(0, 5) == f'v{10 * MAX_CHANGES - 1}'  # forgotten: as good a guess as any
    heard.record(3, 'first')
    assert heard.during(3, 9) == 'first'
