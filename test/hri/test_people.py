"""Whose body, face and voice, and who is listened to."""
from smern_ros.hri.people import BODY, CHANGES, FACE, VOICE, Heard, PersonAssignments, Voices


def test_the_body_of_a_voice_is_found_through_its_person():
    people = PersonAssignments()
    people.match('anna', BODY, 'p1')
    people.match('anna', VOICE, 'v7')
    assert people.part(people.whose(VOICE, 'v7'), BODY) == 'p1'
    assert people.whose(VOICE, 'v8') is None and people.part(None, BODY) == ''


def test_a_part_belongs_to_one_person_at_a_time():
    people = PersonAssignments()
    people.match('anna', FACE, 'f1')
    people.match('ben', FACE, 'f1')
    assert people.whose(FACE, 'f1') == 'ben' and people.part('anna', FACE) == ''


def test_a_match_may_be_taken_back_and_a_person_forgotten():
    people = PersonAssignments()
    people.match('anna', FACE, 'f1')
    people.match('anna', BODY, 'p1')
    people.match('anna', FACE, '')
    assert people.part('anna', FACE) == '' and people.whose(FACE, '') is None
    people.forget('anna')
    assert people.whose(BODY, 'p1') is None


def test_the_one_who_speaks_is_heard_until_the_end_even_if_another_begins():
    voices = Voices()
    for voice in ('a', 'b'):
        voices.come(voice)
    assert voices.heard == 'a' and not voices.speaking
    voices.tell('b', True)
    assert voices.heard == 'b' and voices.speaking
    voices.tell('a', True)
    assert voices.heard == 'b'
    voices.tell('b', False)
    assert voices.heard == 'a' and voices.speaking
    voices.tell('a', False)
    assert voices.heard == 'a'


def test_when_the_one_who_is_heard_leaves_another_is():
    voices = Voices()
    voices.come('a')
    voices.come('b')
    voices.tell('a', True)
    voices.leave('a')
    assert voices.heard == 'b' and not voices.speaking
    voices.leave('b')
    assert voices.heard == ''


def test_a_chosen_voice_alone_is_heard():
    voices = Voices('b')
    voices.come('a')
    voices.tell('a', True)
    assert voices.heard == '' and not voices.speaking
    voices.come('b')
    assert voices.heard == 'b'
    voices.want('')
    assert voices.heard == 'a' and voices.speaking


def test_a_voice_that_is_not_there_is_not_heard():
    voices = Voices()
    voices.tell('ghost', True)
    assert voices.heard == ''


def test_whose_an_utterance_is_is_who_was_listened_to_for_most_of_it():
    heard = Heard()
    assert heard.during(0, 100) == ''
    for at, voice in ((1000, 'anna'), (2000, 'ben'), (2100, 'ben'), (3000, 'anna')):
        heard.note(at, voice)
    assert [heard.during(*span) for span in ((1000, 2000), (1900, 2600), (1400, 2400), (2500, 9000))] == [
        'anna', 'ben', 'anna', 'anna'
    ]
    assert heard.during(10, 20) == '' and heard.during(5000, 5000) == 'anna'


def test_the_changes_of_the_voice_that_are_remembered_are_bounded_and_may_begin_anew():
    heard = Heard()
    for at in range(10 * CHANGES):
        heard.note(at, f'v{at}')
    assert heard.during(10 * CHANGES - 5, 10 * CHANGES - 4) == f'v{10 * CHANGES - 5}'
    assert heard.during(0, 5) == f'v{10 * CHANGES - 1}'  # forgotten: as good a guess as any
    heard.note(3, 'first')
    assert heard.during(3, 9) == 'first'
