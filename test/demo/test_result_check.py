# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""When the demo has not shown what it is for, it says which modality was missing, why, and what to do."""
import pytest

from smern_ros.demo.recording import ActivityRecord, Recording
from smern_ros.demo.result_check import check_demo
from smern_ros.values import Transcript


def test_one_state_with_all_modalities_is_enough(recording):
    verdict = check_demo(recording)
    assert verdict.shown
    assert verdict.text.startswith('1 of 2 final states')


def without(recording, *modalities: str) -> Recording:
    """The same recording, in which only these were used."""
    from dataclasses import replace
    recording.finals = [replace(s, modalities=modalities, weights=(1.0,) * len(modalities)) for s in recording.finals]
    return recording


def test_nobody_in_the_picture_is_said(recording):
    recording = without(recording, 'audio', 'text')
    recording.frames_with_body = 0
    verdict = check_demo(recording)
    assert not verdict.shown
    (reason,) = verdict.missing
    assert 'nobody was found in 300 frames' in reason
    assert 'min_extent' in reason


def test_a_file_without_pictures_is_told_from_one_without_people(recording):
    recording = without(recording, 'audio', 'text')
    recording.frames = recording.frames_with_body = 0
    assert 'video track' in check_demo(recording).missing[0]


@pytest.mark.parametrize(('transcripts', 'hint'), [
    ({}, 'smern assets verify'),
    ({'u1': Transcript('u1', 1, 2, '')}, 'English only'),
    ({'u1': Transcript('u1', 1, 2, 'xyzzy')}, 'text_timeout'),
])
def test_missing_words_are_explained_by_what_came_of_them(recording, transcripts, hint):
    recording = without(recording, 'audio', 'skeleton')
    recording.transcripts = transcripts
    (reason,) = check_demo(recording).missing
    assert reason.startswith('Words')
    assert hint in reason


def test_silence_is_told_from_no_sound():
    silent, deaf = Recording(frames=9, frames_with_body=9), Recording(frames=9, frames_with_body=9)
    silent.activity.offer(ActivityRecord(1, 0.21, False))
    assert 'highest probability 21 %' in check_demo(silent).missing[0]
    assert 'no audio was received' in check_demo(deaf).missing[0]


def test_modalities_that_never_met_are_no_success(recording):
    from dataclasses import replace
    recording.finals = [replace(recording.finals[0], modalities=('audio', 'text')), recording.finals[1]]
    verdict = check_demo(recording)
    assert not verdict.shown
    assert 'never all three in one utterance' in verdict.missing[0]
