"""Whose body belongs to a voice, as others name who speaks."""
from smern_ros.skeleton.speaker import REMEMBERED, Named


def test_an_utterance_is_of_whom_was_named_when_it_ended():
    named = Named()
    assert named.of('u1') == ''
    named.name('anna')
    assert named.of('u1') == 'anna'  # not ended yet: it may be hers
    named.ends('u1')
    named.name('ben')
    assert (named.of('u1'), named.of('u2')) == ('anna', 'ben')


def test_an_utterance_that_goes_on_is_of_whom_is_named_at_its_last_end():
    named = Named()
    named.name('anna')
    named.ends('u1')
    named.name('ben')
    named.ends('u1')
    named.name('')
    assert named.of('u1') == 'ben'


def test_what_is_remembered_is_bounded():
    named = Named()
    named.name('anna')
    for k in range(REMEMBERED + 1):
        named.ends(f'u{k}')
    named.name('ben')
    assert (named.of('u0'), named.of('u1')) == ('ben', 'anna')
