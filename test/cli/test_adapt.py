# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern adapt` on real speech: what it learns is told honestly, kept in a file, and used by `smern predict`."""
import csv
import json

import pytest
import torch

from smern_ros.cli.main import main
from smern_ros.emotion import adaptation_file
from smern_ros.emotion.adaptation import Adaptation, AdaptationSettings, Example
from smern_ros.emotion.people import EVERYBODY
from smern_ros.emotion.predictor import ADAPTED, EmotionPredictor
from smern_ros.spec import AUDIO

SPEAKER = '03'


def command(capsys, *arguments):
    """Exit code, lines on standard output and what was said on standard error."""
    code = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err


def adapt(capsys, table, out, *whose):
    return command(capsys, 'adapt', table, '--no-asr', '--out', out, *(whose or ['--everybody']))


@pytest.fixture(scope='module')
def recorded(shared_data):
    """Recordings of one speaker of EMO-DB, two angry and two sad, with their labels."""
    with (shared_data / 'emodb4/labels.csv').open(encoding='utf-8', newline='') as file:
        rows = [(shared_data / 'emodb4/wav' / row['file'], row['emotion']) for row in csv.DictReader(file)
                if row['speaker'] == SPEAKER]
    return [row for label in ('angry', 'sad') for row in [r for r in rows if r[1] == label][:2]]


def table(folder, rows):
    path = folder / 'anna.csv'
    path.write_text('\n'.join(['file,label', *(f'{file},{label}' for file, label in rows)]) + '\n')
    return path


def predicted(capsys, file, *arguments):
    _, lines, _ = command(capsys, 'predict', '--no-asr', file, *arguments)
    return json.loads(lines[0])


def test_what_was_learnt_is_told_by_leave_one_out_and_is_what_predict_uses(capsys, recorded, tmp_path):
    out = tmp_path / 'anna.safetensors'
    code, said, progress = adapt(capsys, table(tmp_path, recorded), out)
    assert code == 0
    assert 'in 4 recordings of one person: sad 2, angry 2' in said[0]
    assert [line.split()[1] for line in said[2:6]] == ['angry', 'angry', 'sad', 'sad']
    assert any(line.startswith('right, of 4:') for line in said)
    assert f'4 of 4: {recorded[3][0]}' in progress

    before, after = (predicted(capsys, recorded[0][0], *with_it) for with_it in ((), ('--adaptation', out)))
    assert after['model'] == before['model'] + ADAPTED
    angry = before['labels'].index('angry')
    assert after['probabilities'][angry] > before['probabilities'][angry]


def test_the_same_table_gives_the_same_words_and_the_same_file(capsys, recorded, tmp_path):
    first, second = (
        adapt(capsys, table(tmp_path, recorded[:2]), tmp_path / name)[1][:-1] for name in ('one', 'two')
    )
    assert first == second
    assert (tmp_path / 'one').read_bytes() == (tmp_path / 'two').read_bytes()
    again = adapt(capsys, table(tmp_path, recorded[:2]), tmp_path / 'one')[1]
    assert 'holds 2 labelled utterances' in again[-1]  # the same recordings once more replace themselves


def test_one_person_is_learnt_beside_another_and_judged_alone(capsys, recorded, tmp_path):
    out = tmp_path / 'people'
    _, said, _ = adapt(capsys, table(tmp_path, recorded[:1]), out, '--person', 'anna')
    assert 'What this gains cannot be told from a single recording.' in said
    assert ADAPTED not in predicted(capsys, recorded[0][0], '--adaptation', out)['model']
    _, said, _ = adapt(capsys, table(tmp_path, recorded[:1]), out)
    assert 'holds 2 labelled utterances' in said[-1]
    assert ADAPTED in predicted(capsys, recorded[0][0], '--adaptation', out)['model']


def test_whoever_has_a_voice_without_a_body_next_is_not_judged_by_what_one_of_them_taught(capsys, recorded, tmp_path):
    out = tmp_path / 'people'
    code, _, said = adapt(capsys, table(tmp_path, recorded[:1]), out, '--person', '')
    assert code == 2 and 'give an id, or --everybody' in said and not out.exists()

    adapt(capsys, table(tmp_path, recorded[:1]), out, '--person', 'anna')
    out.write_bytes(out.read_bytes().replace(b'\\"anna\\"', b'\\"\\"    '))  # as an older version wrote it
    code, lines, said = command(capsys, 'predict', '--no-asr', recorded[0][0], '--adaptation', out)
    assert code == 0 and 'skipped 1 labels of voices without a body' in said
    assert ADAPTED not in json.loads(lines[0])['model']
    code, said, left_out = adapt(capsys, table(tmp_path, recorded[:1]), out)
    assert code == 0 and 'holds 1 labelled utterances' in said[-1] and 'skipped 1 labels of voices' in left_out


def test_what_cannot_be_learnt_from_is_named_and_nothing_is_written(capsys, recorded, tmp_path):
    import soundfile

    (tmp_path / 'nonsense.wav').write_bytes(b'no sound at all' * 100)
    soundfile.write(tmp_path / 'silent.wav', [0.0] * 16000, 16000)
    rows = [*recorded[:1], ('nonsense.wav', 'sad'), ('silent.wav', 'happy')]
    code, _, said = adapt(capsys, table(tmp_path, rows), tmp_path / 'out')
    assert code == 2 and not (tmp_path / 'out').exists() and 'Traceback' not in said
    assert 'nonsense.wav' in said and 'silent.wav: no speech and no person found' in said
    code, _, said = adapt(capsys, table(tmp_path, [(recorded[0][0], 'bored')]), tmp_path / 'out')
    assert code == 2 and "has label 'bored'; expected one of happy" in said


def test_more_than_is_kept_of_a_person_is_refused_with_what_the_file_holds_already(capsys, recorded, tmp_path):
    checkpoint, out = EmotionPredictor.load().checkpoint, tmp_path / 'everybody'
    full = Adaptation(checkpoint)
    for number in range(AdaptationSettings().examples - 1):
        full.add(EVERYBODY, Example(f'u{number}', {AUDIO: torch.ones(checkpoint.fusion.config.audio)}, 'sad'))
    adaptation_file.save(full, checkpoint, out)
    before = out.read_bytes()
    code, _, said = adapt(capsys, table(tmp_path, recorded[:2]), out)
    assert code == 2 and f'have {AdaptationSettings().examples + 1} utterances' in said and out.read_bytes() == before


def test_a_file_that_is_no_adaptation_is_refused(capsys, recorded, tmp_path):
    out = tmp_path / 'notes.txt'
    out.write_text('dear diary')
    code, _, said = adapt(capsys, table(tmp_path, recorded[:1]), out)
    assert code == 2 and 'cannot use' in said and out.read_text() == 'dear diary'
    code, _, said = command(capsys, 'predict', '--no-asr', recorded[0][0], '--adaptation', out)
    assert code == 2 and 'cannot use' in said


@pytest.mark.weights
def test_a_voice_with_given_words_and_a_silent_film_are_learnt_from_as_far_as_they_go(
    capsys, recorded, shared_data, tmp_path
):
    film = shared_data / 'video_upperbody/asl_gestures/no.mkv'
    path, out = tmp_path / 'anna.csv', tmp_path / 'anna.safetensors'
    path.write_text(f'file,label,text\n{recorded[0][0]},angry,i am furious\n{film},happy,\n')
    code, _, said = adapt(capsys, path, out)
    assert code == 0, said
    checkpoint = EmotionPredictor.load().checkpoint
    found = Adaptation(checkpoint)
    adaptation_file.load(found, checkpoint, out)
    assert [(set(e.vectors), e.label) for e in found.examples(EVERYBODY)] == [
        ({'audio', 'text'}, 'angry'), ({'skeleton'}, 'happy')
    ]
