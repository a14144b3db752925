# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The hang-over's bookkeeping: no ended utterance is forgotten, no void transcript gets out."""
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from smern_ros.speech.schedule import Schedule
from smern_ros.values import Transcript, Utterance


def utterance(name='a', end=2):
    return Utterance(name, 1, end, np.zeros(1, np.float32))


def words_of(spoken):
    return Transcript(spoken.id, spoken.start_ns, spoken.end_ns, 'words')


@pytest.fixture
def schedule():
    return Schedule(capacity=2)


def test_words_that_are_ready_go_out_when_the_end_is_certain(schedule):
    schedule.tentative(utterance())
    begun = schedule.take()
    assert schedule.finish(begun, words_of(begun)) is False
    ready, _ = schedule.ended(utterance())
    assert ready == words_of(begun)
    assert schedule.take() is None


def test_words_that_come_after_the_end_are_final(schedule):
    schedule.tentative(utterance())
    begun = schedule.take()
    assert schedule.ended(utterance()) == (None, [])
    assert schedule.finish(begun, words_of(begun)) is True


def test_speech_that_goes_on_voids_what_waits_and_what_runs(schedule):
    schedule.tentative(utterance())
    schedule.resumed('a')
    assert schedule.take() is None
    schedule.tentative(utterance())
    begun = schedule.take()
    schedule.resumed('a')
    assert schedule.finish(begun, words_of(begun)) is None


def test_a_later_end_voids_the_earlier_one_even_while_it_runs(schedule):
    schedule.tentative(utterance(end=2))
    early = schedule.take()
    schedule.tentative(utterance(end=3))
    late = schedule.take()
    assert late.end_ns == 3
    assert schedule.finish(early, words_of(early)) is None
    assert schedule.ended(utterance(end=3)) == (None, [])
    assert schedule.finish(late, words_of(late)) is True


def test_an_end_nobody_announced_is_transcribed(schedule):
    assert schedule.ended(utterance()) == (None, [])
    assert schedule.take().id == 'a'


def test_what_has_ended_goes_before_what_may_have(schedule):
    schedule.tentative(utterance('a'))
    schedule.ended(utterance('b'))
    assert schedule.take().id == 'b'


def test_tentative_utterances_give_way_first_and_only_then_is_an_ended_one_given_up(schedule):
    schedule.tentative(utterance('a'))
    assert schedule.ended(utterance('b'))[1] == []
    assert schedule.ended(utterance('c'))[1] == []
    assert [lost.id for lost in schedule.ended(utterance('d'))[1]] == ['b']
    assert [schedule.take().id, schedule.take().id] == ['c', 'd']


def test_an_utterance_that_fails_does_not_block_the_next(schedule):
    schedule.ended(utterance('a'))
    assert schedule.finish(schedule.take(), None) is None
    schedule.ended(utterance('b'))
    assert schedule.take().id == 'b'


class Speech(RuleBasedStateMachine):
    """Any order of events: every ended utterance gets exactly one final transcript, of its last end."""

    def __init__(self):
        super().__init__()
        self.schedule = Schedule(capacity=100)
        self.running = None
        self.open, self.ended, self.final = {}, {}, {}
        self.clock = 1

    def publish(self, transcript):
        assert transcript.utterance_id not in self.final
        self.final[transcript.utterance_id] = transcript.end_ns

    @rule(number=st.integers(0, 3))
    def silence_begins(self, number):
        self.clock += 1
        name = f'{number}.{sum(key.startswith(f"{number}.") for key in self.ended)}'
        self.open[name] = self.clock
        self.schedule.tentative(utterance(name, self.clock))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def speech_goes_on(self, data):
        name = data.draw(st.sampled_from(sorted(self.open)))
        del self.open[name]
        self.schedule.resumed(name)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def the_end_is_certain(self, data):
        name = data.draw(st.sampled_from(sorted(self.open)))
        self.ended[name] = self.open.pop(name)
        ready, lost = self.schedule.ended(utterance(name, self.ended[name]))
        assert not lost
        if ready is not None:
            self.publish(ready)

    @precondition(lambda self: self.running is None)
    @rule()
    def the_recogniser_begins(self):
        self.running = self.schedule.take()

    @precondition(lambda self: self.running is not None)
    @rule()
    def the_recogniser_ends(self):
        begun, self.running = self.running, None
        if self.schedule.finish(begun, words_of(begun)):
            self.publish(words_of(begun))

    def teardown(self):
        self.running = self.running or self.schedule.take()
        while self.running is not None:
            self.the_recogniser_ends()
            self.running = self.schedule.take()
        assert self.final == self.ended


Speech.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestSpeech = Speech.TestCase
