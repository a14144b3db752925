# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Assignment of utterances to the speaker that another node publishes."""
import pytest

from smern_ros.emotion.active_speaker import EXTERNAL, NEAREST, REMEMBERED, SpeakerAssignment, check_speaker


def test_an_utterance_belongs_to_the_speaker_at_its_end():
    speakers = SpeakerAssignment()
    assert speakers.of('u1') == ''
    speakers.set_current('anna')
    assert speakers.of('u1') == 'anna'  # not ended yet: it may be hers
    speakers.assign('u1')
    speakers.set_current('ben')
    assert (speakers.of('u1'), speakers.of('u2')) == ('anna', 'ben')


def test_a_resumed_utterance_belongs_to_the_speaker_at_its_last_end():
    speakers = SpeakerAssignment()
    speakers.set_current('anna')
    speakers.assign('u1')
    speakers.set_current('ben')
    speakers.assign('u1')
    speakers.set_current('')
    assert speakers.of('u1') == 'ben'


def test_what_is_remembered_is_bounded():
    speakers = SpeakerAssignment()
    speakers.set_current('anna')
    for k in range(REMEMBERED + 1):
        speakers.assign(f'u{k}')
    speakers.set_current('ben')
    assert (speakers.of('u0'), speakers.of('u1')) == ('ben', 'anna')


def test_the_value_of_earlier_versions_is_refused_with_what_it_is_called_now():
    with pytest.raises(ValueError, match="'ros4hri' is called 'external' now"):
        check_speaker('ros4hri')
    for speaker in (NEAREST, EXTERNAL, 'p1'):
        check_speaker(speaker)
