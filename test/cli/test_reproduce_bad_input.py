# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What people and disks do to features and results: each time a sentence that says what to do, never a traceback."""
import dataclasses
import json
import shutil

import numpy as np
import pytest

from smern_ros.cli.main import main
from smern_ros.spec import LABELS
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec, corpus
from smern_ros.training.iemocap.features.feature_store import FeatureSet

SMALL = SyntheticCorpusSpec(utterances=200, frames=4, mocap_fraction=0)
CUTS = {'empty': lambda content: b'', 'cut': lambda content: content[: len(content) // 2],
        'garbage': lambda content: bytes(255 - byte for byte in content[:4096])}


def reproduce(capsys, features, out, *more):
    """Exit code and all that was said; one network, one fold, one epoch."""
    size = ('--tables', '1', '--figures', '', '--models', 'tre', '--folds', '1', '--runs', '1', '--epochs', '1')
    code = main(['reproduce', '--features', str(features), '--out', str(out), *size, *more])
    said = capsys.readouterr()
    assert 'Traceback' not in said.err + said.out
    assert code != 2 or said.err.splitlines()[-1].startswith('smern reproduce: ')
    return code, said.err + said.out


@pytest.fixture(scope='module')
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp('features')
    corpus(SMALL).save(folder)
    return folder


@pytest.fixture(scope='module')
def reproduced(features, tmp_path_factory):
    """Of a run of SMERN-GA, which can be exported, and one of TRE."""
    out = tmp_path_factory.mktemp('out')
    assert main(['reproduce', '--features', str(features), '--out', str(out), '--tables', '1', '--figures', '',
                 '--models', 'tre,smern_ga_whole', '--folds', '1', '--runs', '1', '--epochs', '1']) == 0
    return out


@pytest.fixture
def mine(features, tmp_path):
    return shutil.copytree(features, tmp_path / 'features')


@pytest.fixture
def out(reproduced, tmp_path):
    return shutil.copytree(reproduced, tmp_path / 'out')


@pytest.mark.parametrize('name', sorted(CUTS))
def test_a_file_of_features_that_is_damaged_is_told(mine, tmp_path, capsys, name):
    for path in sorted(mine.iterdir()):
        content = path.read_bytes()
        path.write_bytes(CUTS[name](content))
        if path.read_bytes() != content:
            code, said = reproduce(capsys, mine, tmp_path / 'out')
            assert code == 2 and str(mine) in said and 'extract' in said, path.name
        path.write_bytes(content)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('value', [None, 7, 'text', [], {}, [None], {'a': 1}])
def test_an_index_that_says_nonsense_is_told(mine, tmp_path, capsys, value):
    index = json.loads((mine / 'index.json').read_text())
    changes = [(key, {**index, key: value}) for key in index if key not in ('corpus', 'left_out') or value is None]
    for field in index['utterances'][0]:
        rows = [{**index['utterances'][0], field: value}, *index['utterances'][1:]]
        changes.append((field, {**index, 'utterances': rows}))
    for key, changed in changes:
        (mine / 'index.json').write_text(json.dumps(changed))
        sense = key == 'corpus' or (key == 'session' and value == 7) or (
            key in ('id', 'speaker', 'text') and isinstance(value, str))
        code, said = reproduce(capsys, mine, tmp_path / f'out-{key}')
        assert code == 0 if sense else (code == 2 and str(mine) in said), key


def without(keep, sessions=5):
    whole = corpus(SMALL)
    chosen = [i for i, row in enumerate(whole.utterances) if keep(row) and row.session <= sessions]
    rows = [whole.utterances[i] for i in chosen]
    return FeatureSet.of('synthetic', rows, [whole.sample_arrays(i) for i in chosen])


@pytest.mark.parametrize(('made', 'message'), [
    (lambda: without(lambda row: False), 'larger corpus'),
    (lambda: without(lambda row: row.id.endswith('00001')), 'larger corpus'),
    (lambda: without(lambda row: row.label != 'sad'), 'no utterance is sad'),
    (lambda: without(lambda row: row.id < 'synthetic00012'), 'no utterance is'),
], ids=['nobody', 'one', 'a label is missing', 'twelve'])
def test_a_corpus_too_small_for_a_fold_is_told_with_the_run_that_failed(made, message, tmp_path, capsys):
    made().save(tmp_path / 'features')
    code, said = reproduce(capsys, tmp_path / 'features', tmp_path / 'out')
    assert code == 1 and 'PROBLEMS' in said and message in said
    assert '| – / ' in (tmp_path / 'out/report.md').read_text()


def test_a_label_that_is_in_no_test_part_is_told_beside_the_row_that_it_costs(tmp_path, capsys):
    sad = [row.id for row in corpus(SMALL).utterances if row.label == 'sad']
    without(lambda row: row.label != 'sad' or row.id in sad[:2]).save(tmp_path / 'features')
    said = [reproduce(capsys, tmp_path / 'features', tmp_path / f'out{seed}', '--seed', str(seed)) for seed in range(3)]
    assert any(code == 1 and 'no utterance is sad' in text for code, text in said)


def test_one_session_alone_costs_what_needs_another(tmp_path, capsys):
    without(lambda row: True, sessions=1).save(tmp_path / 'features')
    code, said = reproduce(capsys, tmp_path / 'features', tmp_path / 'out', '--tables', 'sessions')
    assert code == 1 and 'to hold one out, there must be two or more' in said


@pytest.mark.parametrize(('name', 'value'), [
    ('mfcc', np.nan), ('mfcc', np.inf), ('prosody', np.inf), ('skeleton', np.nan), ('skeleton_unfiltered', -np.inf),
])
def test_features_that_are_no_numbers_are_named_with_their_utterance(tmp_path, capsys, name, value):
    made = corpus(SMALL)
    row = 17 if name == 'prosody' else getattr(made, f'{name.split("_")[0]}_offsets')[17] + 1
    getattr(made, name)[row, 3] = value
    made.save(tmp_path / 'features')
    code, said = reproduce(capsys, tmp_path / 'features', tmp_path / 'out')
    assert code == 2 and f'{made.utterances[17].id}: its {name} holds what is no number' in said


def test_a_label_that_is_none_of_the_four_is_named(mine, tmp_path, capsys):
    index = json.loads((mine / 'index.json').read_text())
    index['utterances'][3]['label'] = 'bored'
    (mine / 'index.json').write_text(json.dumps(index))
    code, said = reproduce(capsys, mine, tmp_path / 'out')
    assert code == 2 and "has the label 'bored'" in said and all(label in said for label in LABELS)


@pytest.mark.parametrize('device', ['cuda:77', 'gpu', ''])
def test_a_device_that_cannot_compute_is_told(features, tmp_path, capsys, device):
    code, said = reproduce(capsys, features, tmp_path / 'out', '--device', device)
    assert code == 2 and f'device {device!r} cannot be used' in said


@pytest.mark.parametrize('name', sorted(CUTS))
def test_a_result_that_is_damaged_is_told_by_its_file(features, out, capsys, name):
    run, = (out / 'runs').glob('tre-*')
    for path in (run / 'metrics.json', run / 'predictions.npz', out / 'data.json'):
        content = path.read_bytes()
        path.write_bytes(CUTS[name](content))
        code, said = reproduce(capsys, features, out)
        assert code == 2 and str(out) in said and ('remove' in said or 'another folder' in said), path.name
        path.write_bytes(content)
    assert reproduce(capsys, features, out)[0] == 0


@pytest.mark.parametrize('value', [None, 'text', [], {}, [[]]])
def test_metrics_that_say_nonsense_are_damaged(features, out, capsys, value):
    path, = (out / 'runs').glob('tre-*/metrics.json')
    stored = json.loads(path.read_text())
    changes = {key: {**stored, key: value} for key in stored}
    changes |= {key: {**stored, 'scores': {**stored['scores'], key: value}} for key in stored['scores']}
    for key, changed in changes.items():
        path.write_text(json.dumps(changed))
        code, said = reproduce(capsys, features, out)
        if key in ('count', 'wap', 'uar', 'war', 'counts', 'parameters', 'without', 'seconds'):
            assert code == 2 and 'metrics.json is damaged' in said, key
        assert code in (0, 2), key


@pytest.mark.parametrize(('name', 'value'), [
    ('labels', np.full(30, 4)), ('labels', np.full(30, 0.5)), ('labels', np.zeros(29, int)),
    ('probabilities', np.full((30, 4), np.nan, np.float32)), ('probabilities', np.zeros((30, 3), np.float32)),
    ('ids', np.array(['a'])),
])
def test_predictions_that_are_none_are_damaged(features, out, capsys, name, value):
    path, = (out / 'runs').glob('tre-*/predictions.npz')
    with np.load(path) as stored:
        arrays = {**stored, name: value}
    np.savez(path, **arrays)
    code, said = reproduce(capsys, features, out)
    assert code == 2 and 'predictions.npz is damaged' in said


def export(capsys, run, to, *more):
    code = main(['export', str(run), '--out', str(to), *more])
    said = capsys.readouterr()
    assert 'Traceback' not in said.err and (code == 0 or said.err.startswith('smern export: '))
    return code, said.err


@pytest.mark.parametrize('name', ['cut', 'garbage'])
def test_a_run_that_is_damaged_is_not_exported(out, tmp_path, capsys, name):
    run, = (out / 'runs').glob('smern_ga_whole-*')
    for path in (*run.iterdir(), out / 'data.json'):
        content = path.read_bytes()
        path.write_bytes(CUTS[name](content))
        code, said = export(capsys, run, tmp_path / 'model')
        assert code == 2 and str(out) in said, path.name
        path.write_bytes(content)
    assert not (tmp_path / 'model').exists()
    assert export(capsys, run, tmp_path / 'model')[0] == 0


@pytest.mark.parametrize('value', [None, 7, 'text', [], {}])
def test_a_run_whose_config_says_nonsense_is_not_exported(out, tmp_path, capsys, value):
    run, = (out / 'runs').glob('smern_ga_whole-*')
    config = json.loads((run / 'config.json').read_text())
    changes = [value, {**config, 'run': value}, *({**config, 'run': {**config['run'], key: value}}
                                                  for key in config['run'] if config['run'][key] != value)]
    for changed in changes:
        (run / 'config.json').write_text(json.dumps(changed))
        assert export(capsys, run, tmp_path / 'model')[0] == 2, changed


def test_weights_of_another_network_are_not_exported(out, tmp_path, capsys):
    run, = (out / 'runs').glob('smern_ga_whole-*')
    other, = (out / 'runs').glob('tre-*')
    shutil.copy(other / 'model.safetensors', run)
    code, said = export(capsys, run, tmp_path / 'model')
    assert code == 2 and 'are of another network' in said


def test_features_of_another_time_calibrate_nothing(out, mine, tmp_path, capsys):
    run, = (out / 'runs').glob('smern_ga_whole-*')
    whole = FeatureSet.load(mine)
    rows = (dataclasses.replace(whole.utterances[0], text='other words'), *whole.utterances[1:])
    dataclasses.replace(whole, utterances=rows).save(mine)
    code, said = export(capsys, run, tmp_path / 'model', '--features', str(mine))
    assert code == 2 and 'other features than the run was made on' in said and not (tmp_path / 'model').exists()
