# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whoever is tested was never learnt from, neither by name nor by recording."""
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smern_ros.training.benchmarks.speakers import leave_out
from smern_ros.training.corpora import Clip, emodb, nemo

NUMBERS = itertools.count()


def recorded(folder, speaker, sound):
    name = f'{next(NUMBERS)}.wav'
    (folder / name).write_bytes(sound)
    return Clip('corpus', name, folder / name, speaker, 'happy')


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    recordings=st.lists(st.tuples(st.sampled_from('abc'), st.binary(min_size=1, max_size=2)), min_size=2, max_size=12),
    speaker=st.sampled_from('abc'),
)
def test_no_speaker_and_no_recording_is_on_both_sides_whatever_a_corpus_holds(tmp_path, recordings, speaker):
    clips = [recorded(tmp_path, name, sound) for name, sound in recordings]
    own = {sound for name, sound in recordings if name == speaker}
    others = {sound for name, sound in recordings if name != speaker}
    if not own or not others:
        with pytest.raises(ValueError, match=f'{speaker} cannot be left out'):
            leave_out(clips, speaker)
    elif own & others:
        with pytest.raises(ValueError, match='must be unseen'):
            leave_out(clips, speaker)
    else:
        learn, test = leave_out(clips, speaker)
        assert {c.speaker for c in test} == {speaker} and speaker not in {c.speaker for c in learn}
        assert len(learn) + len(test) == len(clips)


def test_a_copy_of_a_recording_under_another_name_and_speaker_is_found(tmp_path, shared_data):
    clips = emodb.read(shared_data)
    leave_out(clips, 'emodb-03')
    ours = next(c for c in clips if c.speaker == 'emodb-03')
    copy = recorded(tmp_path, 'emodb-08', ours.path.read_bytes())
    with pytest.raises(ValueError, match='must be unseen'):
        leave_out([*clips, copy], 'emodb-03')


def test_a_corpus_is_left_out_with_all_of_its_speakers(shared_data):
    clips = [*emodb.read(shared_data), *nemo.read(shared_data)]
    learn, test = leave_out(clips, 'nemo')
    assert {clip.corpus for clip in learn} == {'emodb'} and {clip.corpus for clip in test} == {'nemo'}
    assert len(learn) + len(test) == len(clips)
