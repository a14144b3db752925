# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The state of an utterance is published once, for the right end, and never waits for what does not come."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.emotion.aligner import Aligner
from smern_ros.spec import AUDIO, MODALITIES, SKELETON, TEXT

START, END, LATER = 1_000, 2_000, 3_000


@pytest.fixture
def aligner() -> Aligner[str]:
    return Aligner(skeleton_timeout=0.3, text_timeout=2.0, expire_after=30.0, capacity=4)


def add(aligner, *modalities, end=END, now=0.0, evidence='evidence'):
    for modality in modalities:
        aligner.add(modality, 'u1', START, end, evidence, now=now)


def test_provisional_needs_audio_and_skeleton_and_is_published_once(aligner):
    add(aligner, AUDIO)
    assert aligner.ready(0.0) == []
    add(aligner, SKELETON)
    (ready,) = aligner.ready(0.0)
    assert not ready.is_final and set(ready.evidence) == {AUDIO, SKELETON} and ready.end_ns == END
    assert aligner.ready(0.0) == []


def test_final_comes_with_the_end_when_all_evidence_was_early(aligner):
    add(aligner, *MODALITIES)
    assert [d.is_final for d in aligner.ready(0.0)] == [False]
    aligner.announce('u1', START, END, ended=True, now=0.1)
    (ready,) = aligner.ready(0.1)
    assert ready.is_final and ready.late == () and set(ready.evidence) == set(MODALITIES)
    assert not aligner.busy


@given(st.permutations(['announce', *MODALITIES]))
def test_the_order_of_arrival_does_not_matter(order):
    aligner = Aligner()
    finals = []
    for step in order:
        if step == 'announce':
            aligner.announce('u1', START, END, ended=True, now=0.0)
        else:
            add(aligner, step)
        finals += [d for d in aligner.ready(0.0) if d.is_final]
    assert [set(d.evidence) for d in finals] == [set(MODALITIES)]


@pytest.mark.faults
def test_a_missing_camera_delays_the_provisional_state_by_the_wait_only(aligner):
    add(aligner, AUDIO, now=5.0)
    assert aligner.next_deadline() == pytest.approx(5.3)
    assert aligner.ready(5.29) == []
    (ready,) = aligner.ready(5.3)
    assert ready.late == (SKELETON,) and set(ready.evidence) == {AUDIO}


@pytest.mark.parametrize('modalities', [(TEXT,), (SKELETON,), (SKELETON, TEXT)])
def test_what_waits_for_the_voice_asks_for_no_moment_that_has_passed(aligner, modalities):
    add(aligner, *modalities)
    for now in (0.0, 0.31, 5.0, 29.0):
        assert aligner.ready(now) == []
        assert aligner.next_deadline() > now


@pytest.mark.faults
def test_words_that_never_come_make_the_final_state_late_not_lost(aligner):
    add(aligner, AUDIO, SKELETON)
    aligner.ready(0.0)
    aligner.announce('u1', START, END, ended=True, now=1.0)
    assert aligner.ready(2.9) == []
    (ready,) = aligner.ready(3.0)
    assert ready.is_final and ready.late == (TEXT,)


def test_final_states_come_in_the_order_of_the_utterances(aligner):
    for utterance_id, start in (('u2', END), ('u1', START)):
        aligner.announce(utterance_id, start, start + 500, ended=True, now=0.0)
    for modality in MODALITIES:
        aligner.add(modality, 'u2', END, END + 500, 'evidence', now=0.0)
    assert [d.is_final for d in aligner.ready(0.0)] == [False]
    assert [d.utterance_id for d in aligner.ready(2.0)] == ['u1', 'u2']


@pytest.mark.faults
def test_an_utterance_that_never_ends_holds_up_no_other(aligner):
    aligner.add(AUDIO, 'endless', START - 500, END - 500, 'evidence', now=0.0)
    add(aligner, *MODALITIES)
    aligner.announce('u1', START, END, ended=True, now=0.0)
    assert [d.utterance_id for d in aligner.ready(0.0) if d.is_final] == ['u1']


def test_a_modality_that_found_nothing_is_not_waited_for(aligner):
    add(aligner, AUDIO)
    add(aligner, TEXT, SKELETON, evidence=None)
    aligner.announce('u1', START, END, ended=True, now=0.0)
    (ready,) = aligner.ready(0.0)
    assert ready.is_final and set(ready.evidence) == {AUDIO} and ready.late == ()


def test_a_modality_that_is_not_expected_is_not_waited_for_and_taken_if_it_comes():
    for early in ((), (SKELETON,)):
        aligner = Aligner(expected=(AUDIO, TEXT), skeleton_timeout=0.3, text_timeout=2.0)
        add(aligner, *early, AUDIO)
        (provisional,) = aligner.ready(0.0)
        assert provisional.late == () and set(provisional.evidence) == {AUDIO, *early}
        add(aligner, TEXT)
        aligner.announce('u1', START, END, ended=True, now=0.0)
        (final,) = aligner.ready(0.0)
        assert final.is_final and final.late == () and set(final.evidence) == {AUDIO, TEXT, *early}


def test_what_was_made_for_an_end_taken_back_is_void(aligner):
    add(aligner, AUDIO, SKELETON)
    aligner.ready(0.0)
    aligner.resume('u1', END, now=0.0)
    assert not aligner.add(TEXT, 'u1', START, END, 'half a sentence', now=0.1)
    add(aligner, *MODALITIES, end=LATER, now=0.2, evidence='whole')
    aligner.announce('u1', START, LATER, ended=True, now=0.3)
    (ready,) = aligner.ready(0.3)
    assert ready.end_ns == LATER and set(ready.evidence.values()) == {'whole'}


def test_evidence_after_the_final_state_changes_nothing(aligner):
    add(aligner, *MODALITIES)
    aligner.announce('u1', START, END, ended=True, now=0.0)
    aligner.ready(0.0)
    assert not aligner.add(TEXT, 'u1', START, END, 'late', now=1.0)
    assert aligner.ready(100.0) == [] and not aligner.busy


@pytest.mark.faults
def test_an_utterance_that_never_ends_is_given_up_and_named(aligner):
    add(aligner, SKELETON, now=0.0)
    assert aligner.ready(31.0) == []
    assert aligner.expired == ['u1'] and not aligner.busy


@pytest.mark.faults
def test_memory_is_bounded_whatever_ids_come(aligner):
    for i in range(100):
        aligner.add(AUDIO, f'u{i}', START, END, 'evidence', now=0.0)
    assert len(aligner.expired) == 96
    assert len(aligner.ready(0.3)) == 4


def test_somebody_who_speaks_on_and_on_is_not_given_up(aligner):
    add(aligner, AUDIO, SKELETON, now=0.0)
    aligner.ready(0.0)
    aligner.resume('u1', END, now=29.0)
    aligner.ready(31.0)
    assert aligner.busy and not aligner.expired


@pytest.mark.faults
def test_an_utterance_whose_detector_died_holds_up_no_gestures_but_is_kept(aligner):
    aligner.announce('u1', START, END, ended=False, now=0.0)
    aligner.ready(1.0)
    assert aligner.busy
    aligner.ready(6.0)
    assert not aligner.busy and not aligner.expired
    aligner.announce('u1', START, END, ended=True, now=7.0)
    aligner.ready(8.0)
    assert aligner.busy, 'it waits for its evidence'
