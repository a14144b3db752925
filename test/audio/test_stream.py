# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Utterances lie where people spoke, on the microphone's time line, however the sound arrives."""
from itertools import pairwise

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from smern_ros.audio.segmenter import Segmentation, UtteranceState
from smern_ros.audio.stream import (
    FRAME_NS,
    QUIET_PERIOD,
    Activity,
    ActivityDecimator,
    Boundary,
    Discontinuity,
    SpeechStream,
    TimeIntervals,
)
from smern_ros.values import SECOND

RATE = 16_000
START = 1_700_000_000 * SECOND + 123_456_789


def listen(samples, *, rate=RATE, cuts=None, stream=None, start=START):
    """All events of a recording that arrives in chunks of 20 ms, or cut as told."""
    stream = stream or SpeechStream()
    cuts = range(rate // 50, len(samples), rate // 50) if cuts is None else sorted(cuts)
    events, position = [], 0
    for part in np.split(samples, cuts):
        if len(part):
            events += stream.push(part, rate, start + position * SECOND // rate)
        position += len(part)
    return events + stream.flush()


def boundaries(events, state=None):
    return [e for e in events if isinstance(e, Boundary) and state in (None, e.state)]


def ended(events):
    return [b.utterance for b in boundaries(events, UtteranceState.ENDED)]


@pytest.fixture(scope='module')
def heard(conversation):
    return listen(conversation)


def test_each_of_four_speakers_is_one_utterance_where_they_spoke(heard, speech):
    found = ended(heard)
    assert len(found) == 4
    begins = RATE * 3 // 2
    for utterance, spoken in zip(found, speech, strict=True):
        loud = begins + np.flatnonzero(np.abs(spoken) > 0.1 * np.abs(spoken).max())
        start, end = ((t - START) * RATE / SECOND for t in (utterance.start_ns, utterance.end_ns))
        assert loud[0] - 0.5 * RATE < start < loud[0]
        assert loud[-1] < end < loud[-1] + 0.5 * RATE
        begins += len(spoken) + RATE * 3 // 2


def test_an_utterance_is_the_sound_between_its_start_and_its_end(heard, conversation):
    for utterance in ended(heard):
        first = round((utterance.start_ns - START) * RATE / SECOND)
        np.testing.assert_array_equal(utterance.samples, conversation[first : first + len(utterance.samples)])
        assert utterance.end_ns - utterance.start_ns == len(utterance.samples) * SECOND // RATE


def test_the_id_tells_when_it_began(heard):
    for utterance in ended(heard):
        assert utterance.id == f'u{utterance.start_ns // SECOND}.{utterance.start_ns % SECOND // 1_000_000:03d}'


def test_an_end_was_announced_with_the_same_sound_and_is_decided_448_ms_after_the_last_voice(heard):
    for i, event in enumerate(heard):
        if isinstance(event, Boundary) and event.state == UtteranceState.ENDED:
            announced = boundaries(heard[:i])[-1]
            assert announced.state == UtteranceState.TENTATIVE
            assert announced.utterance.id == event.utterance.id
            np.testing.assert_array_equal(announced.utterance.samples, event.utterance.samples)
            decided = [e for e in heard[:i] if isinstance(e, Activity)][-1].stamp_ns
            assert decided - event.last_voiced_ns == 14 * FRAME_NS == 448_000_000


def test_there_is_one_activity_each_32_ms(heard, conversation):
    stamps = [e.stamp_ns for e in heard if isinstance(e, Activity)]
    assert stamps == [START + (k + 1) * FRAME_NS for k in range(-(-len(conversation) // 512))]


@settings(deadline=None, max_examples=10)
@given(st.data())
def test_how_the_sound_is_cut_into_chunks_changes_nothing(conversation, heard, data):
    rate = data.draw(st.sampled_from([RATE, 48_000]))
    part = conversation[: RATE * 6]
    samples = part if rate == RATE else soxr.resample(part, RATE, rate)
    cuts = data.draw(st.lists(st.integers(0, len(samples)), max_size=30))
    regular, odd = listen(samples, rate=rate), listen(samples, rate=rate, cuts=cuts)
    assert len(regular) == len(odd)
    for one, other in zip(regular, odd, strict=True):
        if isinstance(one, Activity):
            assert one.stamp_ns == other.stamp_ns
            assert one.is_speaking == other.is_speaking
        else:
            assert (one.state, one.utterance.start_ns, one.utterance.end_ns, one.last_voiced_ns) == (
                other.state, other.utterance.start_ns, other.utterance.end_ns, other.last_voiced_ns
            )
            np.testing.assert_allclose(one.utterance.samples, other.utterance.samples, atol=1e-6)


@pytest.mark.parametrize('rate', [8000, 44100, 48000])
def test_another_sample_rate_finds_the_same_utterances(heard, conversation, rate):
    other = ended(listen(soxr.resample(conversation, RATE, rate), rate=rate))
    reference = ended(heard)
    assert len(other) == len(reference)
    # A telephone's rate lacks the fricatives with which an utterance may begin.
    within = 3 * FRAME_NS if rate == 8000 else SECOND // 50
    for one, two in zip(reference, other, strict=True):
        assert abs(one.start_ns - two.start_ns) <= within
        assert abs(one.end_ns - two.end_ns) <= within


def test_a_rate_that_changes_midway_loses_nothing(heard, conversation):
    stream = SpeechStream()
    half = RATE * 4
    events = stream.push(conversation[:half], RATE, START)
    rest = soxr.resample(conversation[half:], RATE, 48_000)
    events += stream.push(rest, 48_000, START + half * SECOND // RATE) + stream.flush()
    assert not [e for e in events if isinstance(e, Discontinuity)]
    for one, two in zip(ended(heard), ended(events), strict=True):
        assert abs(one.start_ns - two.start_ns) <= FRAME_NS
        assert abs(one.end_ns - two.end_ns) <= FRAME_NS


@pytest.mark.parametrize('loudness', [0.001, 0.03, 0.3])
def test_noise_alone_is_no_utterance(loudness):
    noise = np.random.default_rng(1).normal(0, loudness, RATE * 20).astype(np.float32)
    assert boundaries(listen(np.clip(noise, -1, 1))) == []


def test_speech_over_a_fan_is_still_cut_in_four(conversation):
    fan = np.random.default_rng(3).normal(0, 0.01, len(conversation)).astype(np.float32)  # some 15 dB below the voice
    assert len(ended(listen(np.clip(conversation + fan, -1, 1)))) == 4


def test_jitter_of_stamps_is_absorbed(heard, conversation):
    jitter = np.random.default_rng(2).integers(-40, 40, 10_000) * SECOND // 1000
    stream, events = SpeechStream(), []
    for i, part in enumerate(np.split(conversation, range(320, len(conversation), 320))):
        events += stream.push(part, RATE, START + i * SECOND // 50 + (int(jitter[i]) if i else 0))
    found = ended(events + stream.flush())
    assert [u.start_ns for u in found] == [u.start_ns for u in ended(heard)]


def test_a_sound_card_that_runs_fast_is_followed_between_utterances(conversation):
    stream, events = SpeechStream(), []
    for i, part in enumerate(np.split(conversation, range(320, len(conversation), 320))):
        events += stream.push(part, RATE, START + round(i * 1.02 * SECOND / 50))  # 2 %: 300 ms in this recording
    assert not [e for e in events if isinstance(e, Discontinuity)]
    found = ended(events)
    assert len(found) == 4
    straight = ended(listen(conversation))[-1].start_ns - START
    assert abs(found[-1].start_ns - START - 1.02 * straight) < 0.06 * SECOND


@pytest.mark.parametrize('jump', [0.25, 3600.0, -0.25, -3600.0])
def test_a_jump_ends_the_utterance_and_begins_anew_and_is_said(conversation, jump):
    cut = RATE * 5 // 2  # in the midst of the first utterance
    stream = SpeechStream()
    before = stream.push(conversation[:cut], RATE, START)
    assert stream.in_utterance
    new_start = START + cut * SECOND // RATE + round(jump * SECOND)
    at_jump = stream.push(conversation[cut : cut + 320], RATE, new_start)
    *closing, said = [e for e in at_jump if not isinstance(e, Activity)]
    assert said == Discontinuity(pytest.approx(jump, abs=1e-6))
    assert said.kind == ('gap' if jump > 0 else 'backwards')
    assert boundaries(before) == []
    assert [b.state for b in closing] == [UtteranceState.TENTATIVE, UtteranceState.ENDED]
    assert closing[-1].utterance.end_ns <= START + cut * SECOND // RATE
    later = listen(conversation[cut + 320 :], stream=stream, start=new_start + SECOND // 50)
    reference = listen(conversation[cut:], start=new_start)
    assert [u.start_ns for u in ended(later)] == [u.start_ns for u in ended(reference)]


def test_the_robot_does_not_listen_to_itself(conversation, heard):
    first, second = ended(heard)[:2]
    middle = (first.start_ns + first.end_ns) // 2
    stream = SpeechStream(mute_tail=0.2)
    stream.mute(middle, True)
    stream.mute(second.end_ns, False)
    events = listen(conversation, stream=stream)
    muted = [e.stamp_ns for e in events if isinstance(e, Activity) and e.muted]
    assert muted[0] - FRAME_NS <= middle < muted[0]
    assert muted[-1] - FRAME_NS < second.end_ns + SECOND // 5 <= muted[-1]
    assert not any(e.is_speaking for e in events if isinstance(e, Activity) and e.muted)
    found = ended(events)
    assert len(found) == 3
    assert middle - FRAME_NS <= found[0].end_ns <= middle
    assert found[0].start_ns == first.start_ns
    assert [u.end_ns for u in found[1:]] == [u.end_ns for u in ended(heard)[2:]]


def test_memory_is_bounded_by_the_longest_utterance(speech):
    stream = SpeechStream(segmentation=Segmentation(max_utterance_duration=2.0))
    talk = np.tile(speech[0][6000:-6000], 12)
    most = 0
    for i, part in enumerate(np.split(talk, range(1600, len(talk), 1600))):
        stream.push(part, RATE, START + i * SECOND // 10)
        most = max(most, len(stream._frames))
    assert most * FRAME_NS <= 2.1 * SECOND


def test_a_stream_that_ends_in_speech_ends_the_utterance_with_its_last_sample(speech):
    (utterance,) = ended(listen(speech[0][:-5000]))
    assert utterance.end_ns == START + len(speech[0][:-5000]) * SECOND // RATE


@pytest.mark.parametrize(('rate', 'stamp', 'shape', 'said'), [
    (0, START, (100,), '0 Hz'),
    (RATE, -1, (100,), 'stamp is -1'),
    (RATE, START, (100, 2), r'\(100, 2\)'),
])
def test_what_cannot_be_is_refused_and_changes_nothing(conversation, heard, rate, stamp, shape, said):
    stream = SpeechStream()
    events = stream.push(conversation[:50_000], RATE, START)
    with pytest.raises(ValueError, match=said):
        stream.push(np.zeros(shape, np.float32), rate, stamp)
    events += listen(conversation[50_000:], stream=stream, start=START + 50_000 * SECOND // RATE)
    assert [u.start_ns for u in ended(events)] == [u.start_ns for u in ended(heard)]


def test_a_stream_that_breaks_off_in_mid_word_says_that_nobody_speaks(speech):
    stream = SpeechStream()
    half = speech[0][: len(speech[0]) // 2]
    before = [e for e in stream.push(half, RATE, START) if isinstance(e, Activity)]
    assert before[-1].is_speaking
    last = [e for e in stream.flush() if isinstance(e, Activity)][-1]
    assert not last.is_speaking and last.stamp_ns > before[-1].stamp_ns


def test_told_when_somebody_speaks_it_cuts_there_and_asks_no_detector_of_its_own(conversation):
    stream = SpeechStream(own_detector=False)
    begins, ends = START + 3 * SECOND, START + 4 * SECOND
    stream.tell(begins, True)
    stream.tell(ends, False)
    (utterance,) = ended(listen(conversation, stream=stream))
    assert begins - SECOND // 4 < utterance.start_ns < begins
    assert ends < utterance.end_ns < ends + SECOND // 4


def test_a_stream_that_detects_speech_itself_is_not_told(conversation):
    with pytest.raises(ValueError, match='own_detector=False'):
        SpeechStream().tell(START, True)


def told(pattern: str) -> str:
    """:param pattern: a letter a frame: S for speech, m for silence in which the robot speaks, - for silence."""
    quiet = ActivityDecimator()
    frames = [Activity(k * FRAME_NS, 0.5, is_speaking=c == 'S', muted=c == 'm') for k, c in enumerate(pattern)]
    return ''.join(c if quiet.should_publish(frame) else ' ' for c, frame in zip(pattern, frames, strict=True))


def test_all_of_speech_and_each_change_is_told():
    assert told('--SSSS-S----') == '- SSSS-S-  -'
    assert told('---mmm--') == '-  m  - '


def test_of_silence_every_third_frame_is_told():
    heard = [k for k, c in enumerate(told('-' * 100)) if c != ' ']
    assert heard[0] == 0 and {later - one for one, later in pairwise(heard)} == {QUIET_PERIOD}


def test_after_a_jump_in_time_the_first_frame_is_told():
    for jump_ns in (-3600 * SECOND, 3600 * SECOND):
        quiet = ActivityDecimator()
        stamps = [7200 * SECOND, 7200 * SECOND + FRAME_NS, 7200 * SECOND + jump_ns]
        frames = [Activity(stamp_ns, 0.1, is_speaking=False, muted=False) for stamp_ns in stamps]
        assert [quiet.should_publish(frame) for frame in frames] == [True, False, True]


def test_it_covers_the_robot_s_speech_and_a_tail():
    mute = TimeIntervals(tail=0.2)
    assert not mute.overlaps(0, SECOND)
    mute.set(SECOND, True)
    assert not mute.overlaps(SECOND // 2, SECOND)
    assert mute.overlaps(SECOND - 1, SECOND + 1)
    assert mute.overlaps(50 * SECOND, 51 * SECOND)
    mute.set(60 * SECOND, False)
    assert mute.overlaps(59 * SECOND, 60 * SECOND)
    assert mute.overlaps(60 * SECOND + SECOND // 10, 61 * SECOND)
    assert not mute.overlaps(60 * SECOND + SECOND // 5, 61 * SECOND)


def test_saying_it_again_changes_nothing():
    mute = TimeIntervals(tail=0.0)
    mute.set(1 * SECOND, True)
    mute.set(5 * SECOND, True)
    assert mute.overlaps(1 * SECOND, 2 * SECOND)
    mute.set(6 * SECOND, False)
    mute.set(9 * SECOND, False)
    assert not mute.overlaps(6 * SECOND, 9 * SECOND)


def test_a_spell_is_remembered_until_its_sound_has_come():
    mute = TimeIntervals(tail=0.0)
    mute.set(5 * SECOND, True)
    mute.set(6 * SECOND, False)
    assert not mute.overlaps(4 * SECOND, 5 * SECOND)
    assert mute.overlaps(5 * SECOND, 6 * SECOND)


def test_when_time_jumps_back_only_a_robot_that_speaks_now_is_muted():
    mute = TimeIntervals(tail=0.0)
    mute.set(100 * SECOND, True)
    mute.set(101 * SECOND, False)
    mute.restart()
    assert not mute.overlaps(100 * SECOND, 101 * SECOND)
    mute.set(102 * SECOND, True)
    mute.restart()
    assert mute.overlaps(SECOND, 2 * SECOND)
