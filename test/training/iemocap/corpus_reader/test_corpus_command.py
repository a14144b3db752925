# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern corpus iemocap`: counts against the published ones, in words and in an exit code."""
import json
import shutil
import subprocess
import sys
from itertools import cycle

import pytest

from smern_ros.cli.main import main
from smern_ros.training.iemocap import corpus_reader
from smern_ros.training.iemocap.corpus_reader import ANNOTATIONS, published


def run(capsys, *arguments):
    code = main(['corpus', 'iemocap', *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """A corpus with as many utterances as were published, in 151 dialogs; sound, video and motion files are empty."""
    root = tmp_path_factory.mktemp('whole')
    annotations = iter([annotation for annotation, count in ANNOTATIONS.items() for _ in range(count)])
    for session, count in published.UTTERANCES.items():
        folder = root / f'Session{session}'
        names = [f'Ses0{session}{"FM"[k % 2]}_impro{k // 2 + 1:02d}' for k in range(31 if session == 3 else 30)]
        written = dict.fromkeys(names, 0)
        evaluations, words = ({name: [] for name in names} for _ in range(2))
        for name, _ in zip(cycle(names), range(count), strict=False):
            number = written[name] = written[name] + 1
            utterance = f'{name}_{"FM"[number % 2]}{number:03d}'
            evaluations[name].append(f'[{number}.5 - {number}.9]\t{utterance}\t{next(annotations)}\t[2.5, 2.5, 2.5]\n')
            words[name].append(f'{utterance} [{number:03d}.5-{number:03d}.9]: Excuse me.\n')
            wav = folder / 'sentences/wav' / name / f'{utterance}.wav'
            if number == 1:
                wav.parent.mkdir(parents=True)
            wav.touch()
        texts = {'EmoEvaluation': ('txt', evaluations), 'transcriptions': ('txt', words)}
        for kind, suffix in [('avi/DivX', 'avi'), *((kind, 'txt') for kind in corpus_reader.motion_capture.WIDTHS)]:
            texts[kind] = (suffix, {name: [] for name in names})
        for kind, (suffix, contents) in texts.items():
            (folder / 'dialog' / kind).mkdir(parents=True)
            for name, lines in contents.items():
                (folder / 'dialog' / kind / f'{name}.{suffix}').write_text(''.join(lines))
    return root


def test_a_whole_corpus_is_complete(capsys, whole):
    code, said, _ = run(capsys, whole)
    assert code == 0 and 'complete: no problems' in said
    rows = [line.split() for line in said.splitlines()]
    assert ['all', '10039', '10039', '1636', '1084', '1103', '1708', '5531'] in rows
    assert ['published', '10039', '1636', '1084', '1103', '1708', '5531'] in rows
    assert '2507  the annotators did not agree' in said and '2001  another emotion than the four' in said


def test_one_changed_label_in_ten_thousand_is_noticed(capsys, whole):
    path = whole / 'Session2/dialog/EmoEvaluation/Ses02F_impro01.txt'
    text = path.read_text()
    assert '\texc\t' in text
    try:
        path.write_text(text.replace('\texc\t', '\tang\t', 1))
        code, said, _ = run(capsys, whole)
    finally:
        path.write_text(text)
    assert code == 1
    assert '1104 utterances are ang; 1103 were published' in said


def test_a_part_of_the_corpus_has_problems_unless_it_is_called_a_part(capsys, mini):
    code, said, _ = run(capsys, mini.root)
    assert code == 1 and 'PROBLEMS (5)' in said and 'evaluated utterances; 1819 were published' in said
    code, said, _ = run(capsys, mini.root, '--subset')
    assert code == 0 and 'complete: no problems' in said


def test_videos_and_motion_capture_that_nobody_wants_are_not_missed(capsys, mini, copy_of):
    root = copy_of(mini.root)
    for session in root.glob('Session*'):
        for kind in ('avi', *corpus_reader.motion_capture.WIDTHS):
            shutil.rmtree(session / 'dialog' / kind)
    code, said, _ = run(capsys, root, '--subset')
    assert code == 1 and 'PROBLEMS (20)' in said
    code, said, _ = run(capsys, root, '--subset', '--no-video')
    assert code == 0 and 'complete: no problems' in said


def test_json_names_every_problem(capsys, mini, copy_of):
    root = copy_of(mini.root)
    wav = next((root / 'Session4/sentences/wav/Ses04F_impro01').glob('Ses*.wav'))
    used = {u.id for u in corpus_reader.read(mini.root, subset=True).utterances}
    lost = sorted(used & {path.stem for path in wav.parent.iterdir()})[0]
    wav.with_stem(lost).unlink()
    code, said, _ = run(capsys, root, '--subset', '--json')
    found = json.loads(said)
    assert code == 1 and not found['complete']
    assert found['problems'] == [
        {'path': str(wav.with_stem(lost)), 'line': None, 'what': 'this sound file is missing'}
    ]
    assert found['left_out_ids'] == {lost: 'no sound file'}
    assert sum(found['used'].values()) == len(used) - 1


def test_what_is_no_iemocap_is_refused(capsys, tmp_path):
    code, said, errors = run(capsys, tmp_path)
    assert code == 2 and not said
    assert errors.startswith('smern corpus: ') and 'is no IEMOCAP' in errors and 'Traceback' not in errors


def test_a_reader_who_leaves_early_sees_no_traceback(mini):
    command = [sys.executable, '-m', 'smern_ros.cli.main', 'corpus', 'iemocap', str(mini.root), '--json']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ''
    assert process.returncode == 141
