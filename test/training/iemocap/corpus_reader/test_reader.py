# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""IEMOCAP is read whole from its folder; what is missing or broken is named and costs only itself."""
import os
import shutil
from collections import Counter

import pytest

from smern_ros.training.iemocap import corpus_reader
from smern_ros.training.iemocap.corpus_reader import CorpusError, LeftOut, corpus_report, motion_capture
from smern_ros.training.iemocap.corpus_reader.published import LABEL_OF
from smern_ros.training.iemocap.mini_corpus import MALFORMED


@pytest.fixture(scope='module')
def corpus(mini):
    return corpus_reader.read(mini.root, subset=True)


@pytest.fixture
def broken(mini, copy_of):
    """A copy to break."""
    return copy_of(mini.root)


def rewrite(path, change):
    """The copy shares its files with the original, so the file is made anew."""
    text = path.read_text()
    path.unlink()
    path.write_text(change(text))


def read(root):
    return corpus_reader.read(root, subset=True)


def only_problem(corpus):
    (problem,) = corpus.report.problems
    return str(problem)


def left_out(corpus):
    """Ids left out for a reason that a whole corpus does not have."""
    normal = (corpus_report.OTHER_EMOTION, corpus_report.NO_AGREEMENT)
    return {u.id: u.why for u in corpus.report.left_out if u.why not in normal}


def test_every_utterance_of_the_four_emotions_is_read_as_it_was_written(mini, corpus):
    found = {u.id: u for u in corpus.utterances}
    written = {u.id.text: u for u in mini.utterances if u.annotation in LABEL_OF}
    assert found.keys() == written.keys()
    for name, mine in found.items():
        theirs = written[name]
        assert (mine.text, mine.annotation, mine.label) == (theirs.text, theirs.annotation, LABEL_OF[theirs.annotation])
        assert (mine.start_ns, mine.end_ns) == (round(theirs.start * 1e9), round(theirs.end * 1e9))
        assert mine.session == int(name[4]) and mine.speaker == f'Ses0{mine.session}{name[-4]}'
        assert mine.wav.stem == name and mine.wav.is_file()
        assert mine.video.stem == mine.dialog == name[:-5] and mine.video.is_file()
        assert (mine.side == 'left') == (name[5] == name[-4])
    order = [(u.session, u.dialog, u.start_ns) for u in corpus.utterances]
    assert order == sorted(order)


def test_the_report_counts_what_was_written(mini, corpus):
    assert corpus.report.annotations() == Counter(u.annotation for u in mini.utterances)
    used = [LABEL_OF[u.annotation] for u in mini.utterances if u.annotation in LABEL_OF]
    assert corpus.report.labels() == Counter(used)
    for session in corpus_reader.SESSIONS:
        assert corpus.report.evaluated_in(session) == sum(u.id.dialog.session == session for u in mini.utterances)
    assert corpus.report.reasons() == {
        corpus_report.NO_AGREEMENT: sum(u.annotation == 'xxx' for u in mini.utterances),
        corpus_report.OTHER_EMOTION: sum(u.annotation in ('fru', 'sur') for u in mini.utterances),
    }
    assert corpus.report.complete and not corpus.report.problems


def test_what_is_odd_is_skipped_and_counted(mini, corpus):
    assert corpus.report.skipped == {
        'remarks M: or F: in transcriptions': 2 * len(mini.dialogs),
        'transcribed, never evaluated (MXX0)': len(mini.dialogs),
        'hidden files (._*)': 4 * 5,
    }
    assert {problem.path.stem for problem in corpus.report.tolerated} == MALFORMED
    assert {problem.line for problem in corpus.report.tolerated} == {3}


def test_excitement_counts_as_happiness(corpus):
    assert {u.label for u in corpus.utterances if u.annotation in ('exc', 'hap')} == {'happy'}


def test_the_oddly_named_dialogs_are_read(corpus):
    assert {u.dialog for u in corpus.utterances} >= {
        'Ses03M_impro05a', 'Ses03M_impro05b', 'Ses03M_impro08a', 'Ses03M_impro08b', 'Ses05M_script01_1b'
    }


def test_words_keep_what_looks_like_the_end_of_a_head(corpus):
    (first,) = (u for u in corpus.utterances if u.id == 'Ses01F_impro01_F000')
    assert first.text.startswith('Well [LAUGHTER]: ')


def test_motion_capture_is_of_who_wears_the_markers(corpus):
    for utterance in corpus.utterances:
        wears = utterance.id[5] == utterance.id[-4] and utterance.dialog != 'Ses05M_script01_1b'
        assert (utterance.mocap is not None) == wears
    worn = next(u for u in corpus.utterances if u.mocap)
    values = motion_capture.read(worn.mocap).between(worn.start_ns, worn.end_ns)
    assert values.shape[1] == 189
    assert abs(len(values) - (worn.end_ns - worn.start_ns) / 1e9 * 12) <= 1


def test_utterances_can_be_left_out_later(mini, corpus):
    unseen = [u for u in corpus.utterances if u.id in mini.unseen]
    assert unseen
    fewer = corpus.without(LeftOut(u.id, corpus_report.NO_ACTOR) for u in unseen)
    assert len(fewer.utterances) == len(corpus.utterances) - len(unseen)
    assert sum(fewer.report.used.values()) == len(fewer.utterances)
    assert fewer.report.reasons()[corpus_report.NO_ACTOR] == len(unseen)
    assert fewer.report.evaluated == corpus.report.evaluated


def test_a_wrong_root_says_what_is_wanted(mini, tmp_path):
    for root in (tmp_path, tmp_path / 'absent', mini.root / 'README.txt', tmp_path / (300 * 'x')):
        with pytest.raises(CorpusError, match='IEMOCAP_full_release, which holds Session1 to Session5'):
            corpus_reader.read(root)


@pytest.fixture
def forbid():
    """forbid(path) takes all permissions from a file or folder for the time of the test, even if root runs it."""
    forbidden, me = [], os.geteuid()

    def take(path):
        forbidden.append((path, path.stat().st_mode))
        path.chmod(0)
        if me == 0:
            os.seteuid(65534)

    yield take
    os.seteuid(me)
    for path, mode in forbidden:
        path.chmod(mode)


def test_a_root_without_permission_says_so(mini, forbid):
    forbid(mini.root)
    with pytest.raises(CorpusError, match=f'{mini.root} cannot be read: Permission denied; wanted'):
        corpus_reader.read(mini.root)


def test_a_root_one_folder_off_is_corrected(mini):
    for root in (mini.root.parent, mini.root / 'Session1'):
        with pytest.raises(CorpusError, match=f'{mini.root} seems to be'):
            corpus_reader.read(root)


def test_counts_other_than_those_published_are_problems(mini):
    problems = [str(problem) for problem in corpus_reader.read(mini.root).report.problems]
    assert len(problems) == 5
    assert 'Session1: 4 evaluated utterances; 1819 were published' in problems[0]


def test_a_missing_session_is_a_problem_unless_a_part_is_wanted(corpus, broken):
    shutil.rmtree(broken / 'Session3')
    problems = [str(problem) for problem in corpus_reader.read(broken).report.problems]
    assert f'{broken}/Session3: this session is missing' in problems
    part = read(broken)
    assert part.report.complete
    assert [u.id for u in part.utterances] == [u.id for u in corpus.utterances if u.session != 3]


def test_an_evaluation_file_cut_in_a_line_loses_only_what_is_gone_and_says_so(corpus, broken):
    path = broken / 'Session1/dialog/EmoEvaluation/Ses01F_impro01.txt'
    rewrite(path, lambda text: text[: text.index('Ses01F_impro01_M001') + 10])
    cut = read(broken)
    wrong, lost = map(str, cut.report.problems)
    assert wrong.startswith(f'{path}:') and 'malformed or cut off' in wrong
    assert lost == f'{path}: no evaluation of Ses01F_impro01_M001, whose sound is there; is this file cut off?'
    assert cut.report.evaluated_in(1) == 3
    assert {u.id for u in corpus.utterances} - {u.id for u in cut.utterances} <= {'Ses01F_impro01_M001'}


def test_an_evaluation_file_cut_between_blocks_is_noticed(broken):
    path = broken / 'Session1/dialog/EmoEvaluation/Ses01F_impro01.txt'
    rewrite(path, lambda text: text[: text.index('\n\n[', 100) + 2])
    lost = ', '.join(f'Ses01F_impro01_{turn}' for turn in ('F001', 'M000', 'M001'))
    assert f'no evaluation of {lost}, whose sound is there' in only_problem(read(broken))


@pytest.mark.parametrize('content', [b'', bytes(range(256)) * 20])
def test_an_evaluation_file_of_nonsense_loses_its_dialog_and_says_so(broken, content):
    path = broken / 'Session1/dialog/EmoEvaluation/Ses01F_impro01.txt'
    path.unlink()
    path.write_bytes(content)
    corpus = read(broken)
    assert f'{path}: no evaluation of' in str(corpus.report.problems[-1])
    assert corpus.report.evaluated_in(1) == 0 and corpus.report.evaluated_in(2) == 4


def test_an_evaluation_file_in_another_encoding_is_read_or_noticed(corpus, broken):
    path = broken / 'Session1/dialog/EmoEvaluation/Ses01F_impro01.txt'
    text = path.read_text()
    path.unlink()
    path.write_text(text.replace('\n', '\r\n'), encoding='utf-8-sig')
    assert read(broken).report.complete and len(read(broken).utterances) == len(corpus.utterances)
    path.write_text(text, encoding='utf-16')
    lost = read(broken)
    assert only_problem(lost).startswith(f'{path}: no evaluation of Ses01F_impro01_F000')
    assert lost.report.evaluated_in(1) == 0 and lost.report.evaluated_in(2) == 4


def test_a_missing_evaluation_file_is_noticed_by_its_sound(broken):
    path = broken / 'Session1/dialog/EmoEvaluation/Ses01F_impro01.txt'
    path.unlink()
    assert only_problem(read(broken)) == f'{path}: this file is missing'


def test_a_folder_in_place_of_a_file_is_a_problem(broken):
    path = broken / 'Session1/dialog/EmoEvaluation/Ses01F_impro01.txt'
    path.unlink()
    path.mkdir()
    assert str(read(broken).report.problems[0]) == f'{path}: cannot be read: Is a directory'


def test_a_malformed_line_of_words_leaves_its_utterance_out(corpus, broken):
    name = corpus.utterances[0].id
    path = broken / f'Session1/dialog/transcriptions/{corpus.utterances[0].dialog}.txt'
    rewrite(path, lambda text: text.replace(f'{name} [', f'{name} '))
    damaged = read(broken)
    assert only_problem(damaged) == f'{path}: no words of {name}'
    assert left_out(damaged) == {name: corpus_report.NO_WORDS}
    assert len(damaged.report.tolerated) == len(corpus.report.tolerated) + 1
    assert len(damaged.utterances) == len(corpus.utterances) - 1


def test_an_empty_file_of_words_leaves_its_dialog_out_and_names_each_utterance(corpus, broken):
    path = broken / 'Session1/dialog/transcriptions/Ses01F_impro01.txt'
    rewrite(path, lambda _: '')
    damaged = read(broken)
    gone = [u.id for u in corpus.utterances if u.dialog == 'Ses01F_impro01']
    assert gone and {str(p) for p in damaged.report.problems} == {f'{path}: no words of {name}' for name in gone}
    assert left_out(damaged) == dict.fromkeys(gone, corpus_report.NO_WORDS)
    assert len(damaged.utterances) == len(corpus.utterances) - len(gone)


def test_a_missing_sound_file_leaves_its_utterance_out(corpus, broken):
    wav = broken / corpus.utterances[0].wav.relative_to(corpus.report.root)
    wav.unlink()
    damaged = read(broken)
    assert only_problem(damaged) == f'{wav}: this sound file is missing'
    assert left_out(damaged) == {wav.stem: corpus_report.NO_SOUND}


def test_without_videos_everything_else_is_read_and_each_session_says_so_once(corpus, broken):
    for session in corpus_reader.SESSIONS:
        shutil.rmtree(broken / f'Session{session}/dialog/avi')
    silent = read(broken)
    assert [problem.path.name for problem in silent.report.problems] == 5 * ['DivX']
    assert [u.id for u in silent.utterances] == [u.id for u in corpus.utterances]
    assert {u.video for u in silent.utterances} == {None}


def test_one_missing_video_or_motion_file_is_named(broken):
    video = broken / 'Session2/dialog/avi/DivX/Ses02F_impro01.avi'
    hand = broken / 'Session2/dialog/MOCAP_hand/Ses02F_impro01.txt'
    video.unlink()
    hand.unlink()
    damaged = read(broken)
    assert {str(problem) for problem in damaged.report.problems} == {
        f'{video}: this file is missing', f'{hand}: this file is missing'
    }
    assert all(u.video is None and u.mocap is None for u in damaged.utterances if u.dialog == 'Ses02F_impro01')


def test_files_that_are_no_dialogs_are_left_aside(corpus, broken):
    (broken / 'Session1/dialog/EmoEvaluation/notes.txt').write_text('[buy milk]')
    (broken / 'Session1/dialog/transcriptions/Ses02F_impro09.txt').write_text('')
    odd = read(broken)
    assert odd.report.complete and odd.utterances[0].id == corpus.utterances[0].id
    said = ' '.join(str(problem) for problem in odd.report.tolerated)
    assert "'notes' is no name of a dialog" in said and 'a dialog of session 2' in said
