# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""When an utterance begins and ends, told by frames of 32 ms that are voiced (1) or not (0)."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.audio.segmenter import Cut, Segmentation, Segmenter, UtteranceState

PRE_ROLL, TENTATIVE, END, MARGIN, SHORTEST, LONGEST = 6, 4, 14, 4, 8, 468
"""Frames, as the defaults come out."""


def cuts(frames, segmenter=None):
    segmenter = segmenter or Segmenter(Segmentation())
    return [cut for probability in frames for cut in segmenter.push(probability)]


def moments(frames):
    """(frame after which it was said, state)"""
    segmenter = Segmenter(Segmentation())
    return [(i, cut.state) for i, p in enumerate(frames, 1) for cut in segmenter.push(p)]


def test_an_end_is_tentative_after_four_silent_frames_and_final_after_fourteen():
    assert moments([0] * 20 + [1] * 30 + [0] * 20) == [
        (50 + TENTATIVE, UtteranceState.TENTATIVE), (50 + END, UtteranceState.ENDED)
    ]


def test_an_utterance_has_sound_before_its_first_and_after_its_last_voiced_frame():
    tentative, ended = cuts([0] * 20 + [1] * 30 + [0] * 20)
    assert tentative == Cut(UtteranceState.TENTATIVE, start=20 - PRE_ROLL, end=50 + MARGIN, voiced_end=50)
    assert ended == Cut(UtteranceState.ENDED, start=20 - PRE_ROLL, end=50 + MARGIN, voiced_end=50)


def test_speech_that_goes_on_makes_the_tentative_end_void():
    first, void, second, ended = cuts([1] * 20 + [0] * 10 + [1] * 5 + [0] * 14)
    assert (first.state, void.state, second.state, ended.state) == (
        UtteranceState.TENTATIVE, UtteranceState.RESUMED, UtteranceState.TENTATIVE, UtteranceState.ENDED
    )
    assert first.start == void.start == second.start == ended.start
    assert void.end == first.end == 20 + MARGIN
    assert second.end == ended.end == 35 + MARGIN


@pytest.mark.parametrize('voiced', [1, SHORTEST - 1])
def test_a_quarter_of_a_second_of_voice_is_needed(voiced):
    assert cuts([0] * 10 + [1] * voiced + [0] * 30) == []


def test_short_bits_of_voice_in_one_utterance_count_together():
    assert [c.state for c in cuts([1, 1, 1, 1, 0, 0, 0] * 2 + [0] * 20)] == [
        UtteranceState.TENTATIVE,
        UtteranceState.ENDED,
    ]


def test_a_frame_after_a_voiced_one_needs_less_to_be_voiced():
    segmenter = Segmenter(Segmentation(threshold=0.5, release=0.35))
    heard = []
    for probability in (0.4, 0.6, 0.4, 0.3, 0.4):
        segmenter.push(probability)
        heard.append(segmenter.is_speaking)
    assert heard == [False, True, True, False, False]


def test_endless_speech_is_cut_and_the_next_utterance_begins_there():
    found = cuts([1] * (2 * LONGEST + 50) + [0] * END)
    assert [c.state for c in found] == [UtteranceState.TENTATIVE, UtteranceState.ENDED] * 3
    first, second, third = found[1::2]
    assert (first.start, first.end) == (0, LONGEST)
    assert (second.start, second.end) == (LONGEST, 2 * LONGEST)
    assert (third.start, third.end) == (2 * LONGEST, 2 * LONGEST + 50 + MARGIN)


def test_an_utterance_ends_where_the_robot_begins_to_speak_and_none_reaches_into_it():
    segmenter = Segmenter(Segmentation())
    before = cuts([1] * 20, segmenter)
    at_mute = segmenter.push(1, muted=True)
    during = [cut for _ in range(30) for cut in segmenter.push(1, muted=True)]
    after = cuts([1] * 20 + [0] * END, segmenter)
    assert before == during == []
    assert at_mute == [Cut(s, start=0, end=20, voiced_end=20) for s in (UtteranceState.TENTATIVE, UtteranceState.ENDED)]
    assert after[-1] == Cut(UtteranceState.ENDED, start=51, end=71 + MARGIN, voiced_end=71)


def test_closing_ends_what_is_open_once():
    segmenter = Segmenter(Segmentation())
    assert cuts([1] * 20 + [0] * 2, segmenter) == []
    assert [(c.state, c.end) for c in segmenter.close()] == [(UtteranceState.TENTATIVE, 22), (UtteranceState.ENDED, 22)]
    assert segmenter.close() == []


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 60), st.booleans()), max_size=12))
def test_every_utterance_is_well_formed(runs):
    segmenter = Segmenter(Segmentation(max_utterance_duration=2.0))
    found, kept, frame = [], 0, 0
    for voiced, length, muted in runs:
        for _ in range(length):
            oldest = segmenter.oldest_needed
            assert oldest >= kept, 'sound that was let go of is needed again'
            kept = oldest
            new = segmenter.push(voiced, muted=muted)
            frame += 1
            assert all(kept <= c.start < c.voiced_end <= c.end <= frame for c in new)
            found += new
    found += segmenter.close()
    ended_at, tentative = 0, None
    for cut in found:
        assert cut.start >= ended_at, 'utterances do not overlap'
        if cut.state == UtteranceState.TENTATIVE:
            assert tentative is None
            tentative = cut
        else:
            assert tentative is not None, 'nothing ends or resumes that was not announced'
            assert (cut.start, cut.end) == (tentative.start, tentative.end)
            tentative = None
            if cut.state == UtteranceState.ENDED:
                ended_at = cut.end
    assert tentative is None, 'every utterance that was announced has ended'


@pytest.mark.parametrize('wrong', [
    {'threshold': 0.3}, {'release': 0.0}, {'tentative_silence': 0.1}, {'end_silence': 0.128},
    {'max_utterance_duration': 0.4}, {'min_speech_duration': 15.0},
])
def test_settings_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(ValueError, match='expected '):
        Segmentation(**wrong)
