"""Whose body belongs to a voice, as others name who speaks."""
import pytest

from smern_ros.emotion.active_speaker import NAMED, NEAREST, REMEMBERED, SpeakerAssignment, check_wanted


def test_an_utterance_is_of_whom_was_named_when_it_ended():
    named = SpeakerAssignment()
    assert named.of('u1') == ''
    named.name('anna')
    assert named.of('u1') == 'anna'  # not ended yet: it may be hers
    named.ends('u1')
    named.name('ben')
    assert (named.of('u1'), named.of('u2')) == ('anna', 'ben')


def test_an_utterance_that_goes_on_is_of_whom_is_named_at_its_last_end():
    named = SpeakerAssignment()
    named.name('anna')
    named.ends('u1')
    named.name('ben')
    named.ends('u1')
    named.name('')
    assert named.of('u1') == 'ben'


def test_what_is_remembered_is_bounded():
    named = SpeakerAssignment()
    named.name('anna')
    for k in range(REMEMBERED + 1):
        named.ends(f'u{k}')
    named.name('ben')
    assert (named.of('u0'), named.of('u1')) == ('ben', 'anna')


def test_the_value_of_earlier_versions_is_refused_with_what_it_is_called_now():
    with pytest.raises(ValueError, match="'ros4hri' is called 'external' now"):
        check_wanted('ros4hri')
    for wanted in (NEAREST, NAMED, 'p1'):
        check_wanted(wanted)
