# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A state is one line that a person can read, and so are the words."""
from smern_ros.demo.console import format_state, format_transcript
from smern_ros.demo.recording import Kind
from smern_ros.values import Transcript


def test_a_final_state_tells_its_time_label_weights_and_latency(recording):
    state = format_state(recording.finals[0], recording)
    for part in ('5.0 s', 'FINAL', 'sad', '60 %', 'happy ▁ 10', 'audio  50 text  37 skeleton  13', '51 ms'):
        assert part in state


def test_other_states_are_one_line_and_a_missing_modality_is_a_dash(recording):
    (gesture,) = recording.of_kind(Kind.GESTURE)
    text = format_state(gesture, recording)
    assert '\n' not in text
    assert 'gesture' in text
    assert 'audio   – text   – skeleton 100' in text


def test_the_columns_of_all_states_are_as_wide(recording):
    states = (*recording.finals, *recording.states)
    assert len({len(format_state(s, recording)) for s in states}) == 1


def test_words_stand_under_the_states(recording):
    said = format_transcript(recording.transcripts['u1'], recording)
    assert said.split(maxsplit=3) == ['4.6', 's', 'words', '“he was not ill”']
    assert said.index('words') == format_state(recording.finals[0], recording).index('FINAL')
    assert format_transcript(Transcript('u9', 1, 2, ' '), recording).endswith('none recognised')


def test_what_was_said_cannot_steer_the_terminal(recording):
    text = format_transcript(Transcript('u1', 1, 2, 'a\x1b[2J\x07\rb\nc'), recording)
    assert not {'\x1b', '\x07', '\r', '\n'} & set(text)
