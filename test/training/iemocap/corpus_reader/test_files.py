# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation, transcription and motion capture files: whole, malformed and cut off."""
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smern_ros.training.iemocap.corpus_reader import CorpusError, Problem, evaluation, motion_capture, transcription
from smern_ros.training.iemocap.corpus_reader.evaluation import Evaluation, Unreadable
from smern_ros.training.iemocap.corpus_reader.motion_capture import MocapFiles
from smern_ros.training.iemocap.corpus_reader.names import Dialog
from smern_ros.training.iemocap.corpus_reader.transcription import Skipped, TranscribedUtterance

IMPRO = Dialog.parse('Ses01F_impro01')
EVALUATION = """\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
A-F1:\tval 3; act 2; dom  1;\t([sic])

[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[4.0000, 3.5000, 3]
C-F1:\tNeutral; Anger;\t(curious)

"""
one_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


@pytest.fixture
def read_evaluation(tmp_path):
    """Evaluations and unreadable blocks of a text or of bytes."""
    def read(content):
        path = tmp_path / 'Ses01F_impro01.txt'
        path.write_bytes(content if isinstance(content, bytes) else content.encode('cp1252'))
        items = list(evaluation.read(path, IMPRO))
        return ([item for item in items if isinstance(item, Evaluation)],
                [item for item in items if isinstance(item, Unreadable)])

    return read


def test_an_evaluation_has_its_time_in_nanoseconds_and_the_majoritys_emotion(read_evaluation):
    (first, second), unreadable = read_evaluation(EVALUATION)
    assert (first.id.text, first.start_ns, first.end_ns, first.annotation) == (
        'Ses01F_impro01_F000', 6_290_100_000, 8_235_700_000, 'neu'
    )
    assert (second.id.actor, second.annotation) == ('M', 'exc')
    assert not unreadable


@given(st.integers(0, len(EVALUATION)))
@one_file
def test_a_file_cut_off_anywhere_gives_nothing_that_the_whole_one_does_not(read_evaluation, length):
    whole, _ = read_evaluation(EVALUATION)
    found, unreadable = read_evaluation(EVALUATION[:length])
    assert found == whole[: len(found)]
    assert len(unreadable) <= 1


@given(st.binary(max_size=300))
@one_file
def test_any_bytes_can_be_read(read_evaluation, tmp_path, content):
    assert not read_evaluation(content)[0]
    (tmp_path / 'words.txt').write_bytes(content)
    assert all(isinstance(item, Problem | Skipped) for item in transcription.read(tmp_path / 'words.txt'))


@pytest.mark.parametrize(
    ('line', 'what', 'whose'),
    [
        ('[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.50', 'malformed or cut off', 'Ses01F_impro01_F000'),
        ('[6.2901 - 8.23', 'malformed or cut off', None),
        ('[6.2901 - 8.2357]\tSes01F_impro01_F00', 'malformed or cut off', None),
        ('[6.2901 - 8.2357]\tSes01F_impro01_F000\tnue\t[1, 1, 1]', "unknown emotion 'nue'", 'Ses01F_impro01_F000'),
        ('[8.2 - 8.2]\tSes01F_impro01_F000\tneu\t[1, 1, 1]', 'not after its start', 'Ses01F_impro01_F000'),
        ('[6.2 - 8.2]\tSes02F_impro01_F000\tneu\t[1, 1, 1]', 'of another dialog', 'Ses02F_impro01_F000'),
        ('[6.2 - 8.2]\tSes01F_impro01_X000\tneu\t[1, 1, 1]', 'no id of an utterance', None),
        ('[6.2 - ' + 400 * '9' + ']\tSes01F_impro01_F000\tneu\t[1, 1, 1]', 'malformed', 'Ses01F_impro01_F000'),
    ],
)
def test_a_wrong_line_is_named_and_costs_only_its_own_utterance(read_evaluation, line, what, whose):
    evaluations, (unreadable,) = read_evaluation(EVALUATION.replace('F000', 'F007') + line)
    assert [one.id.text[-4:] for one in evaluations] == ['F007', 'M001']
    assert what in unreadable.problem.what and unreadable.problem.line == 10
    assert unreadable.id == whose


def test_the_first_of_two_evaluations_counts(read_evaluation):
    evaluations, (unreadable,) = read_evaluation(
        EVALUATION + '[1.0 - 2.0]\tSes01F_impro01_F000\tang\t[1, 1, 1]\n'
    )
    assert [one.annotation for one in evaluations] == ['neu', 'exc']
    assert 'twice' in unreadable.problem.what


def test_words_end_where_the_line_ends_whatever_stands_in_them(tmp_path):
    path = tmp_path / 'Ses01F_impro01.txt'
    path.write_bytes(
        b'Ses01F_impro01_F000 [006.2901-008.2357]: Well [LAUGHTER]: it\x92s me.\r\n'
        b'\r\n'
        b'M: [BREATHING]\r\n'
        b'Ses01F_impro01_MXX0 [007.0000-007.1000]: Yeah.\r\n'
        b'Ses01F_impro01_M000 [007.5712-010.4750] Do you have your forms?\r\n'
        b'Ses01F_impro01_M001 [011.0000-012.0000]:\r\n'
        b'011.0000-012.0000]: Yes.\r\n'
        b'Ses01F_impro01_M002[013.0000-014.0000]:No.'
    )
    items = list(transcription.read(path))
    assert [item for item in items if isinstance(item, TranscribedUtterance)] == [
        TranscribedUtterance('Ses01F_impro01_F000', 'Well [LAUGHTER]: it’s me.'),
        TranscribedUtterance('Ses01F_impro01_M002', 'No.'),
    ]
    assert sum(isinstance(item, Skipped) for item in items) == 2
    assert [item.line for item in items if isinstance(item, Problem)] == [5, 6, 7]


@pytest.fixture
def motion_files(tmp_path):
    def write(frames=5, **lines):
        """:param lines: of `rotated`, `head` or `hand`, in place of those by default."""
        paths = {}
        for kind, width in zip(('rotated', 'head', 'hand'), motion_capture.WIDTHS.values(), strict=True):
            default = [f'{k} {k / 120:.5f} ' + ' '.join([f'{k}.5'] * width) for k in range(1, frames + 1)]
            paths[kind] = tmp_path / f'{kind}.txt'
            paths[kind].write_text('\n'.join(['Frame# Time', '- -', *lines.get(kind, default)]))
        return MocapFiles(**paths)

    return write


def test_motion_is_joined_frame_by_frame(motion_files):
    recording = motion_capture.read(motion_files(frames=5))
    assert recording.values.shape == (5, 189) and recording.values.dtype == np.float32
    assert (recording.values == np.arange(1.5, 6)[:, None]).all()
    assert recording.times_ns[1] == 16_670_000
    assert (recording.between(8_330_000, 25_000_000)[:, 0] == [1.5, 2.5, 3.5]).all()
    assert recording.between(10**12, 2 * 10**12).shape == (0, 189)


def test_motion_that_one_file_lacks_is_left_out_and_damage_is_counted(motion_files):
    head = ['1 0.00833 1 2 3 4 5 6', '2 0.01667 1 2 NaN 4 5 6', '3 0.025 1 2 x 4 5 6', '4 0.03333 1 2']
    recording = motion_capture.read(motion_files(frames=5, head=head))
    assert recording.values.shape == (2, 189)
    assert np.isnan(recording.values).sum() == 1 and np.isnan(recording.values[1, 167])
    assert recording.unreadable == 2


def test_motion_that_cannot_be_read_is_named(motion_files):
    files = motion_files()
    with pytest.raises(CorpusError, match='no frame in common'):
        motion_capture.read(motion_files(head=['77 0.6 1 2 3 4 5 6']))
    with pytest.raises(CorpusError, match=r'hand\.txt has no frame of 18 values'):
        motion_capture.read(motion_files(hand=[]))
    files.rotated.unlink()
    with pytest.raises(CorpusError, match=r'rotated\.txt cannot be read'):
        motion_capture.read(files)
