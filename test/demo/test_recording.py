# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a recording keeps is bounded and spread over the whole time."""
import itertools
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from smern_ros.demo.recording import Kind, Recording, StateRecord, Thinned


@given(count=st.integers(0, 3000), limit=st.integers(2, 40))
def test_thinning_keeps_at_most_its_limit_evenly_spread_from_the_first(count, limit):
    thinned = Thinned(limit)
    for i in range(count):
        thinned.offer(i)
    kept = list(thinned)
    assert len(kept) <= limit
    assert kept[:1] == [0][:count]
    steps = {b - a for a, b in itertools.pairwise(kept)}
    assert len(steps) <= 1
    assert not steps or count - kept[-1] <= steps.pop()  # and up to the end
    assert len(kept) >= min(count, limit // 2)


@given(count=st.integers(1, 500), limit=st.integers(2, 20))
def test_what_is_said_to_be_unwanted_need_not_be_made(count, limit):
    complete, spared = Thinned(limit), Thinned(limit)
    for i in range(count):
        complete.offer(i)
        spared.offer(i if spared.keeps_next else None)
    assert list(spared) == list(complete)


def test_a_state_says_whether_it_is_final_provisional_or_from_movement_alone(recording):
    assert [s.kind for s in recording.finals] == [Kind.FINAL, Kind.FINAL]
    assert [s.kind for s in recording.states] == [Kind.GESTURE, Kind.PROVISIONAL]


def test_only_states_with_all_modalities_are_complete(recording):
    assert [s.utterance_id for s in recording.complete] == ['u1']
    assert recording.outcome == '1 of 2 final states had voice, words and movement'


def test_movement_that_was_unlike_what_was_learnt_was_there(recording):
    recording.finals[0] = replace(
        recording.finals[0], modalities=('audio', 'text'), weights=(0.5, 0.5), unfamiliar=('skeleton',)
    )
    assert [s.utterance_id for s in recording.complete] == ['u1']
    assert recording.outcome.endswith('words and movement; in 1 of them movement was unlike what was learnt')


def test_time_counts_from_the_first_instant_even_if_it_comes_late():
    recording = Recording()
    recording.add_stamp(5_000_000_000)
    recording.add_stamp(4_000_000_000)
    recording.add_stamp(7_500_000_000)
    assert recording.seconds(5_000_000_000) == 1.0
    assert recording.duration == 3.5


def test_a_state_is_read_back_from_its_line():
    line = json.dumps({
        'header': {'stamp': {'sec': 12, 'nanosec': 500_000_000}, 'frame_id': 'camera'}, 'person_id': 'p1',
        'utterance_id': 'u1', 'window_start': {'sec': 10, 'nanosec': 0}, 'window_end': {'sec': 12, 'nanosec': 5},
        'is_final': True, 'labels': ['happy', 'sad'], 'probabilities': [0.25, 0.75], 'label': 'sad',
        'confidence': 0.75, 'modalities': ['audio', 'skeleton'], 'modality_weights': [0.9, 0.1],
        'modality_ages': [0.0, 0.02], 'modality_probabilities': [0.1, 0.9, 0.8, 0.2], 'latency': 0.05, 'model': 'm',
        'unfamiliar': ['text'],
    })
    state = StateRecord.from_json(json.loads(line))
    assert (state.stamp_ns, state.start_ns, state.end_ns) == (12_500_000_000, 10_000_000_000, 12_000_000_005)
    assert state.alone == ((0.1, 0.9), (0.8, 0.2))
    assert state.unfamiliar == ('text',)
    assert state.kind is Kind.FINAL
