# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern features`: every utterance as the robot hears and sees it, or the reason why not."""
import functools
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from smern_ros import assets
from smern_ros.audio.features import extract
from smern_ros.cli.main import main
from smern_ros.spec import LABELS, PROSODY, SPEC, Joint
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.text.sentence_encoder import SentenceEncoder
from smern_ros.training.iemocap import corpus_reader
from smern_ros.training.iemocap.corpus_reader.corpus_report import NO_ACTOR
from smern_ros.training.iemocap.corpus_reader.motion_capture import WIDTHS
from smern_ros.training.iemocap.corpus_reader.names import Side
from smern_ros.training.iemocap.features import speech
from smern_ros.training.iemocap.features.actors import LEAD, Actors
from smern_ros.training.iemocap.features.feature_store import EXTRA, FeatureSet, SkeletonChoice
from smern_ros.training.iemocap.features.unit import UNREADABLE_SOUND, UNREADABLE_VIDEO
from smern_ros.values import Utterance

pytestmark = pytest.mark.slow


def arguments(root, out, *more):
    return ['features', '--corpus', 'iemocap', str(root), '--subset', '--out', str(out), *more]


def run(capsys, root, out, *more):
    code = main(arguments(root, out, *more))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def sessions(root, *kept):
    for folder in root.glob('Session?'):
        if folder.name not in {f'Session{number}' for number in kept}:
            shutil.rmtree(folder)
    return root


def replace(path, content):
    """Unlinked first: the corpus's own file is the same."""
    path.unlink()
    path.write_bytes(content)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope='module')
def seen(mini, tmp_path_factory):
    """The features of two dialogs with their videos; in the second nobody is on the right."""
    from smern_ros import assets

    try:
        assets.path('pose-landmarker-full')
    except assets.AssetError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp('seen')
    root = sessions(Path(shutil.copytree(mini.root, folder / 'corpus')), 1, 2)
    command = [sys.executable, '-m', 'smern_ros.cli.main', *arguments(root, folder / 'out', '--jobs', '2')]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return root, folder / 'out', done


@pytest.fixture(scope='module')
def heard(mini, tmp_path_factory):
    """The features of all dialogs without their videos, and the cache."""
    out = tmp_path_factory.mktemp('heard') / 'out'
    assert main(arguments(mini.root, out, '--no-video', '--jobs', '1')) == 0
    return out


@pytest.mark.weights
def test_every_utterance_is_there_but_those_whose_actor_is_not_in_view(seen, mini):
    root, out, done = seen
    assert done.returncode == 0, done.stderr
    used = {u.id for u in corpus_reader.read(root, subset=True).utterances}
    features = FeatureSet.load(out)
    assert set(features.left_out) == mini.unseen & used and set(features.left_out.values()) == {NO_ACTOR}
    assert {row.id for row in features.utterances} == used - mini.unseen
    assert f'{len(features.left_out)}  {NO_ACTOR}' in done.stdout and 'complete' in done.stdout
    assert '2 of 2 dialogs' in done.stderr
    counts = [sum(row.label == label for row in features.utterances) for label in LABELS]
    assert ['here', *map(str, counts), str(len(features))] in [line.split() for line in done.stdout.splitlines()]


@pytest.mark.weights
def test_a_row_holds_what_the_corpus_says_and_one_frame_for_each_thirtieth_of_a_second(seen):
    root, out, _ = seen
    features = FeatureSet.load(out)
    told = {u.id: u for u in corpus_reader.read(root, subset=True).utterances}
    for i, row in enumerate(features.utterances):
        utterance, sample = told[row.id], features.sample_arrays(i)
        assert (row.speaker, row.session, row.label, row.text) == (
            utterance.speaker, utterance.session, utterance.label, utterance.text
        )
        frames = int((utterance.end_ns - utterance.start_ns) * 30 / 1e9 + 1e-6) + 1
        assert sample.skeleton.shape == (frames, 30) and sample.visible.shape == (frames, 10)
        assert sample.visible.mean() > 0.8
        assert (sample.mocap is not None) == (utterance.mocap is not None)
        assert sample.mocap is None or np.isfinite(sample.mocap).all()


@pytest.mark.weights
def test_the_filter_takes_out_what_is_fast_and_nothing_else(seen):
    features = FeatureSet.load(seen[1])
    whole = [s for i in range(len(features)) if (s := features.sample_arrays(i)).visible.all()]
    assert whole
    for sample in whole:
        slow, fast = [], []
        for x in (sample.skeleton_unfiltered, sample.skeleton):
            power = (np.abs(np.fft.rfft((x - x.mean(axis=0)) * np.hanning(len(x))[:, None], axis=0)) ** 2).sum(axis=1)
            hertz = np.fft.rfftfreq(len(x), 1 / SPEC.skeleton_rate)
            slow.append(power[hertz < 0.8].sum())
            fast.append(power[hertz > 4].sum())
        assert fast[1] < 0.05 * fast[0]
        assert slow[1] == pytest.approx(slow[0], rel=0.2)


@pytest.mark.weights
def test_raw_skeletons_keep_place_and_size_and_say_so(seen, tmp_path, capsys):
    root, out, _ = seen
    shutil.copytree(out, tmp_path / 'out')  # with what was seen: nobody looks again
    code, said, _ = run(capsys, root, tmp_path / 'out', '--raw-skeleton', '--filter', 'causal', '--jobs', '1')
    assert code == 0, said
    raw, usual = FeatureSet.load(tmp_path / 'out'), FeatureSet.load(out)
    assert raw.skeletons == SkeletonChoice(raw=True, filter='causal') and usual.skeletons == SkeletonChoice()
    assert raw.utterances == usual.utterances and np.array_equal(raw.visible, usual.visible)
    thorax = slice(3 * Joint.THORAX, 3 * Joint.THORAX + 3)
    assert np.abs(usual.skeleton[:, thorax]).max() < 1e-6
    high = -raw.skeleton[raw.visible[:, Joint.THORAX], 3 * Joint.THORAX + 1]  # metres above the hips
    assert 0.3 < np.median(high) < 0.7


@pytest.mark.weights
@pytest.mark.parametrize('dialog', ['Ses01F_impro01', 'Ses02F_impro01'])  # in the second nobody is on the right
def test_each_actor_is_looked_for_in_the_own_half_while_speaking_and_shortly_before(seen, dialog):
    root, out, _ = seen
    path, = (out / 'cache/poses').glob(f'{dialog}-*.npz')
    actors = Actors.load(path)
    found = dict(zip(Side, np.isfinite(actors.extents), strict=True))
    for side, there in found.items():
        spoken = [u for u in corpus_reader.read(root, subset=True).utterances if u.dialog == dialog and u.side is side]
        during, near = (
            np.any([(actors.stamps_ns >= u.start_ns - lead) & (actors.stamps_ns <= u.end_ns) for u in spoken], axis=0)
            for lead in (0, LEAD)
        )
        assert 0 < during.sum() < near.sum() < len(there)
        assert there[during].mean() == pytest.approx(0 if (dialog, side) == ('Ses02F_impro01', 'right') else 1, abs=.05)
        assert not there[~near].any()


@pytest.mark.weights
def test_nothing_is_done_twice(seen, capsys):
    root, out, _ = seen
    before, poses = contents(out), {p: p.stat().st_mtime_ns for p in (out / 'cache/poses').iterdir()}
    code, _, err = run(capsys, root, out, '--jobs', '1')
    assert code == 0 and err.splitlines() == ['2 of 2 dialogs']
    assert contents(out) == before
    assert {p: p.stat().st_mtime_ns for p in (out / 'cache/poses').iterdir()} == poses


@pytest.mark.weights
def test_a_video_that_is_cut_off_costs_what_was_behind_the_cut_and_is_told(seen, mini, copy_of, tmp_path, capsys):
    root = sessions(copy_of(mini.root), 1, 2)
    video = root / 'Session1/dialog/avi/DivX/Ses01F_impro01.avi'
    replace(video, video.read_bytes()[: int(0.5 * video.stat().st_size)])
    garbage = root / 'Session2/dialog/avi/DivX/Ses02F_impro01.avi'
    replace(garbage, bytes(1000))
    code, out, err = run(capsys, root, tmp_path / 'out', '--jobs', '1')
    assert code == 1 and 'Traceback' not in err
    assert f'{video}: is cut off' in out and f'{garbage}: ' in out and 'PROBLEMS (2)' in out
    features, whole = FeatureSet.load(tmp_path / 'out'), FeatureSet.load(seen[1])
    assert set(features.left_out.values()) == {UNREADABLE_VIDEO}
    assert f'{len(features.left_out)}  {UNREADABLE_VIDEO}' in out
    kept = [row.id for row in features.utterances]
    assert kept and kept == [row.id for row in whole.utterances][: len(kept)]
    assert {u for u in features.left_out if u.startswith('Ses01')} and not any(u.startswith('Ses02') for u in kept)
    for i in range(len(kept)):
        assert np.array_equal(features.sample_arrays(i).skeleton, whole.sample_arrays(i).skeleton)


def test_the_sound_of_an_utterance_is_what_the_robot_would_hear(heard, mini):
    features = FeatureSet.load(heard)
    told = {u.id: u for u in corpus_reader.read(mini.root, subset=True).utterances}
    assert {row.id for row in features.utterances} == set(told)
    for i, row in enumerate(features.utterances):
        samples, _ = soundfile.read(told[row.id].wav, dtype='float32')
        wanted = extract(Utterance(row.id, 0, 1, samples))
        sample = features.sample_arrays(i)
        assert np.array_equal(sample.mfcc, wanted.mfcc) and np.array_equal(sample.prosody, wanted.prosody)
        assert sample.skeleton is None and sample.visible is None


@pytest.mark.parametrize('by', [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_loses_the_dialogs_in_hand_and_leaves_no_process(by, heard, mini, tmp_path, capsys):
    command = [sys.executable, '-m', 'smern_ros.cli.main',
               *arguments(mini.root, tmp_path / 'out', '--no-video', '--jobs', '2')]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test in the background would ignore it
    ) as process:
        for line in process.stderr:
            if line.startswith('3 of'):
                break
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        if by == signal.SIGINT:  # as a terminal does it
            os.killpg(process.pid, by)
            said = process.stderr.read()
            assert 'interrupted; what was done is kept: the same command goes on' in said and 'Traceback' not in said
        else:
            process.kill()
    assert process.returncode == (130 if by == signal.SIGINT else -by)
    assert not (tmp_path / 'out/index.json').exists()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, 'a process outlives the run'
    code, _, err = run(capsys, mini.root, tmp_path / 'out', '--no-video', '--jobs', '1')
    assert code == 0 and int(err.split()[0]) >= 3
    assert contents(tmp_path / 'out') == contents(heard)


def test_processes_of_a_run_in_the_background_ignore_ctrl_c_as_it_does():
    program = (
        'import signal; from smern_ros.training.common.jobs import begin_process; '
        'begin_process(); signal.raise_signal(2)'
    )
    for handler, code in ((signal.SIG_IGN, 0), (signal.SIG_DFL, -signal.SIGINT)):
        begun = functools.partial(signal.signal, signal.SIGINT, handler)
        assert subprocess.run([sys.executable, '-c', program], preexec_fn=begun, check=False).returncode == code


def test_a_cluster_gives_the_same(heard, mini, tmp_path):
    pytest.importorskip('ray')
    command = [sys.executable, '-m', 'smern_ros.cli.main',
               *arguments(mini.root, tmp_path / 'out', '--no-video', '--ray', 'local')]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / 'out') == contents(heard)


def test_a_cluster_that_is_not_there_is_told(mini, tmp_path, capsys):
    pytest.importorskip('ray')
    code, _, err = run(capsys, mini.root, tmp_path / 'out', '--no-video', '--ray', '127.0.0.1:9')
    assert code == 2 and 'smern features: no Ray cluster at 127.0.0.1:9' in err


def test_a_missing_ray_is_told(mini, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    code, _, err = run(capsys, mini.root, tmp_path / 'out', '--no-video', '--ray', 'local')
    assert code == 2 and 'Ray is not installed' in err


def test_a_sound_file_that_is_cut_off_is_told_and_only_its_dialog_read_again(heard, mini, copy_of, tmp_path, capsys):
    root, out = copy_of(mini.root), tmp_path / 'out'
    shutil.copytree(heard, out)
    utterance = corpus_reader.read(root, subset=True).utterances[0]
    replace(utterance.wav, utterance.wav.read_bytes()[:9000])
    code, said, err = run(capsys, root, out, '--no-video', '--jobs', '1')
    assert code == 1 and err.splitlines()[0] == '9 of 10 dialogs'
    assert f'{utterance.wav}: is cut off' in said and f'1  {UNREADABLE_SOUND}' in said
    features = FeatureSet.load(out)
    assert features.left_out == {utterance.id: UNREADABLE_SOUND}
    assert len(features) == len(FeatureSet.load(heard)) - 1
    code, again, err = run(capsys, root, out, '--no-video')
    assert (code, again, err.splitlines()) == (1, said, ['10 of 10 dialogs'])  # told again, though nothing was read


def test_the_papers_extractor_hears_the_same_as_the_robot_but_in_its_own_way(heard, mini, copy_of, tmp_path, capsys):
    pytest.importorskip('opensmile')
    root = sessions(copy_of(mini.root), 1)
    code, _, _ = run(capsys, root, tmp_path / 'out', '--no-video', '--opensmile', '--jobs', '1')
    theirs, ours = FeatureSet.load(tmp_path / 'out'), FeatureSet.load(heard)
    assert code == 0 and len(theirs) >= 2
    assert theirs.utterances == ours.utterances[: len(theirs)]
    for i in range(len(theirs)):
        mine, other = ours.sample_arrays(i), theirs.sample_arrays(i)
        frames = min(len(mine.mfcc), len(other.mfcc))
        assert abs(len(mine.mfcc) - len(other.mfcc)) <= 3
        correlations = [np.corrcoef(mine.mfcc[:frames, k], other.mfcc[:frames, k])[0, 1] for k in range(13)]
        assert min(correlations) > 0.9
        assert not np.array_equal(mine.prosody, other.prosody)
        assert other.prosody[PROSODY.index('f0_p90')] == pytest.approx(mine.prosody[PROSODY.index('f0_p90')], abs=3)


def test_a_missing_opensmile_is_told(mini, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'opensmile', None)
    code, _, err = run(capsys, mini.root, tmp_path / 'out', '--no-video', '--opensmile')
    assert code == 2 and 'openSMILE is not installed' in err


def test_sound_of_another_rate_empty_sound_and_half_of_it_are_left_out_and_told(mini, copy_of, tmp_path, capsys):
    root = sessions(copy_of(mini.root), 1, 2)
    faster, empty, half, *rest = corpus_reader.read(root, subset=True).utterances
    replace(empty.wav, b'')
    for wav, share, rate in ((faster.wav, 1, 22050), (half.wav, 0.5, 16000)):
        samples, _ = soundfile.read(wav)
        wav.unlink()
        soundfile.write(wav, samples[: int(share * len(samples))], rate)
    code, said, err = run(capsys, root, tmp_path / 'out', '--no-video', '--jobs', '1')
    assert code == 1 and 'Traceback' not in err
    assert f'{faster.wav}: has 22050 Hz; wanted 16000' in said and f'{empty.wav}: is not audio or video' in said
    seconds = (half.end_ns - half.start_ns) / 1e9
    assert f'{half.wav}: lasts {seconds / 2:.1f} s; its utterance lasts {seconds:.1f} s' in said
    assert f'3  {UNREADABLE_SOUND}' in said and 'PROBLEMS (3)' in said
    features = FeatureSet.load(tmp_path / 'out')
    assert features.left_out == dict.fromkeys([u.id for u in (faster, empty, half)], UNREADABLE_SOUND)
    assert [row.id for row in features.utterances] == [u.id for u in rest] != []


@pytest.mark.weights
def test_a_dialog_without_a_video_is_left_out_and_told(mini, copy_of, tmp_path, capsys):
    root = sessions(copy_of(mini.root), 1)
    video = root / 'Session1/dialog/avi/DivX/Ses01F_impro01.avi'
    used = corpus_reader.read(root, subset=True).utterances
    video.unlink()
    code, said, err = run(capsys, root, tmp_path / 'out', '--jobs', '1')
    assert code == 1 and f'{video}: this file is missing' in said and 'Traceback' not in err
    assert f'{len(used)}  {UNREADABLE_VIDEO}' in said and said.startswith('0 utterances')
    assert FeatureSet.load(tmp_path / 'out').left_out == dict.fromkeys([u.id for u in used], UNREADABLE_VIDEO)


def test_a_corpus_of_sound_and_words_alone_is_whole_if_no_video_is_wanted(heard, mini, copy_of, tmp_path, capsys):
    root = sessions(copy_of(mini.root), 1, 2, 3)
    for session in root.glob('Session*'):
        shutil.rmtree(session / 'dialog/avi')
        for kind in WIDTHS:
            shutil.rmtree(session / 'dialog' / kind)
    (root / 'Session1/dialog/MOCAP_hand').mkdir()  # as who unpacks all but the files leaves it
    code, said, err = run(capsys, root, tmp_path / 'out', '--no-video', '--jobs', '1')
    assert code == 0 and 'complete: no problems' in said and 'PROBLEMS' not in said + err
    features, whole = FeatureSet.load(tmp_path / 'out'), FeatureSet.load(heard)
    assert features.utterances == whole.utterances[: len(features)] and not len(features.mocap)
    assert np.array_equal(features.mfcc, whole.mfcc[: len(features.mfcc)])


@pytest.mark.parametrize('choice', [['--raw-skeleton'], ['--filter', 'causal']])
def test_skeletons_of_a_certain_kind_cannot_be_had_without_videos(mini, tmp_path, capsys, choice):
    code, _, err = run(capsys, mini.root, tmp_path / 'out', '--no-video', *choice)
    assert code == 2 and 'need the videos; leave out --no-video' in err and not (tmp_path / 'out').exists()


def test_motion_capture_of_which_a_part_is_there_is_still_missed_without_videos(mini, copy_of, tmp_path, capsys):
    root = sessions(copy_of(mini.root), 1)
    shutil.rmtree(root / 'Session1/dialog/MOCAP_hand')
    code, said, _ = run(capsys, root, tmp_path / 'out', '--no-video', '--jobs', '1')
    assert code == 1 and f'{root / "Session1/dialog/MOCAP_hand"}: this folder cannot be read' in said
    assert 'PROBLEMS (1)' in said


def test_motion_capture_that_is_cut_off_costs_what_was_behind_the_cut_and_is_told(
    heard, mini, copy_of, tmp_path, capsys
):
    root = sessions(copy_of(mini.root), 1)
    path = root / 'Session1/dialog/MOCAP_rotated/Ses01F_impro01.txt'
    replace(path, path.read_bytes()[: path.stat().st_size // 2])
    code, said, _ = run(capsys, root, tmp_path / 'out', '--no-video', '--jobs', '1')
    features, whole = FeatureSet.load(tmp_path / 'out'), FeatureSet.load(heard)
    assert code == 1 and f'{path}: 1 malformed lines' in said and f'{path}: no frame of Ses01F_impro01_F001' in said
    assert len(features) >= 2 and features.utterances == whole.utterances[: len(features)]
    kept = [row.id for i, row in enumerate(features.utterances) if features.sample_arrays(i).mocap is not None]
    before = [row.id for i, row in enumerate(features.utterances) if whole.sample_arrays(i).mocap is not None]
    assert kept == [name for name in before if name != 'Ses01F_impro01_F001'] != before


def test_motion_capture_that_cannot_be_read_costs_only_itself(heard, mini, copy_of, tmp_path, capsys):
    root = sessions(copy_of(mini.root), 1)
    hand = root / 'Session1/dialog/MOCAP_hand/Ses01F_impro01.txt'
    replace(hand, b'')
    code, said, _ = run(capsys, root, tmp_path / 'out', '--no-video')
    features = FeatureSet.load(tmp_path / 'out')
    assert code == 1 and str(hand) in said
    assert len(features) and not len(features.mocap)


def test_one_dialog_that_fails_as_nobody_foresaw_does_not_end_the_others(mini, tmp_path, capsys, monkeypatch):
    real = speech.features

    def failing(path, **options):
        if path.name.startswith('Ses03M_impro05a'):
            raise ZeroDivisionError('unforeseen')
        return real(path, **options)

    monkeypatch.setattr(speech, 'features', failing)
    code, said, _ = run(capsys, mini.root, tmp_path / 'out', '--no-video', '--jobs', '1')
    features = FeatureSet.load(tmp_path / 'out')
    assert code == 1 and 'Ses03M_impro05a is left out: ZeroDivisionError: unforeseen' in said
    assert {name[:15] for name in features.left_out} == {'Ses03M_impro05a'}
    assert {row.session for row in features.utterances} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(('more', 'wrong'), [
    ([], 'there is no folder'),
    (['--mmpose', 'pose.pth', 'lifter.pth'], ''),
])
def test_what_cannot_start_says_why(mini, more, wrong, tmp_path, capsys):
    root = mini.root if more else tmp_path / 'nowhere'
    code, said, err = run(capsys, root, tmp_path / 'out', *more)
    assert code == 2 and not said and err.startswith('smern features: ') and wrong in err and err.count('\n') == 1


@pytest.mark.parametrize('file', ['out', 'out/cache'])
def test_a_place_that_cannot_be_written_is_told(file, mini, tmp_path, capsys):
    (tmp_path / 'out').mkdir()
    path = tmp_path / file
    shutil.rmtree(path, ignore_errors=True)
    path.write_text('a file')
    code, _, err = run(capsys, mini.root, tmp_path / 'out', '--no-video', '--jobs', '1')
    assert code == 2 and f'smern features: {tmp_path / "out"} cannot be written' in err and 'Traceback' not in err


def test_a_full_disk_is_told_and_when_there_is_room_the_run_goes_on(heard, mini, tmp_path, capsys):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # bytes of a file; then writing fails
    try:
        code, said, err = run(capsys, mini.root, tmp_path / 'out', '--no-video', '--jobs', '1')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 2 and not said and 'Traceback' not in err
    assert f'{tmp_path / "out"} cannot be written ([Errno 27] File too large); what was done is kept' in err
    assert not (tmp_path / 'out/index.json').exists()
    assert run(capsys, mini.root, tmp_path / 'out', '--no-video', '--jobs', '1')[0] == 0
    assert contents(tmp_path / 'out') == contents(heard)


def test_no_processes_are_too_few(mini, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(arguments(mini.root, tmp_path / 'out', '--jobs', '0'))
    assert ended.value.code == 2


@pytest.mark.weights
def test_the_extra_is_what_the_robots_encoders_make_of_it_and_changes_nothing_else(heard, mini, tmp_path, capsys):
    out = tmp_path / 'out'
    assert run(capsys, mini.root, out, '--no-video', '--jobs', '1', '--extra')[0] == 0
    before, after = contents(heard), contents(out)
    assert {name for name in after if name not in before} == {f'{name}.npy' for name in EXTRA}
    assert all(after[name] == before[name] for name in before if name != 'index.json')
    features, wav = FeatureSet.load(out), {u.id: u.wav for u in corpus_reader.read(mini.root, subset=True).utterances}
    row, arrays = features.utterances[-1], features.sample_arrays(len(features) - 1)
    utterance = Utterance(row.id, 0, 1, speech.read(wav[row.id]))
    assert np.array_equal(arrays.speech, extract(utterance, SpeechEncoder()).speech)
    assert np.array_equal(arrays.word_vectors, SentenceEncoder().encode(row.text).astype(np.float16))
    made = {path: path.stat().st_mtime_ns for path in (out / 'cache').rglob('*')}
    assert run(capsys, mini.root, out, '--no-video', '--jobs', '1', '--extra')[0] == 0
    assert {path: path.stat().st_mtime_ns for path in (out / 'cache').rglob('*')} == made, 'nothing is done twice'
    assert contents(out) == after


@pytest.mark.parametrize('missing', ['whisper-tiny.en', 'minilm-l6-int8'])
def test_a_missing_encoder_is_told_with_the_command_that_fetches_it(mini, tmp_path, capsys, monkeypatch, missing):
    def path(name):
        if name == missing:
            raise assets.AssetError(f'{name} is not here. Fetch it: smern assets fetch {name}')
        return tmp_path

    monkeypatch.setattr(assets, 'path', path)
    code, _, err = run(capsys, mini.root, tmp_path / 'out', '--no-video', '--extra')
    assert code == 2 and err.endswith(f'smern assets fetch {missing}\n')
