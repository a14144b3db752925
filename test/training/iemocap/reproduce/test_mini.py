# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The whole way on the smallest corpus that it can be gone on: folder, features, all networks, report, robot."""
import dataclasses
import json
import re

import numpy as np
import pytest
from support.networks import NARROW

from smern_ros.cli import reproduce
from smern_ros.cli.main import main
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.spec import LABELS, MODALITIES, SPEC
from smern_ros.training.iemocap import corpus_reader, mini_corpus
from smern_ros.training.iemocap.corpus_reader.published import LABEL_OF
from smern_ros.training.iemocap.experiments.train_network import TRAINERS
from smern_ros.training.iemocap.features import speech
from smern_ros.training.iemocap.features.actors import Actors
from smern_ros.training.iemocap.features.feature_store import FeatureSet
from smern_ros.training.iemocap.reproduce.experiment_plan import MODELS
from smern_ros.values import Transcript, UtteranceInputs

pytestmark = [pytest.mark.slow, pytest.mark.weights]

SIZE = {'sessions': (4, 5), 'dialogs': 2, 'utterances': 12, 'shortest': 2}
SEED = 7
"""With it the tests of each network have all labels, though there are so few utterances."""
OF_ITS_DATA = {'words', 'frames', 'values'}


@pytest.fixture(scope='module')
def mini(shared_data, tmp_path_factory):
    """A `MiniCorpus` of four speakers, two dialogs a session, in utterances of one to two seconds."""
    return mini_corpus.build(tmp_path_factory.mktemp('mini') / 'IEMOCAP_full_release', shared_data, **SIZE)


@pytest.fixture(scope='module')
def features(mini, tmp_path_factory):
    from smern_ros import assets

    try:
        for name in ('pose-landmarker-full', SPEC.speech_encoder, SPEC.sentence_encoder):
            assets.path(name)
    except assets.AssetError as error:
        pytest.skip(str(error))
    out = tmp_path_factory.mktemp('features')
    more = ('--subset', '--extra', '--jobs', '2')
    assert main(['features', '--corpus', 'iemocap', str(mini.root), '--out', str(out), *more]) == 0
    return out


@pytest.fixture(scope='module')
def out(features, tmp_path_factory):
    """Of all that the command can reproduce, with narrow networks, two folds and two epochs."""
    folder, whole = tmp_path_factory.mktemp('out'), reproduce._choice
    narrow = {
        model: {name: value for name, value in sizes.items() if name not in OF_ITS_DATA}
        for model, sizes in NARROW.items() if model not in TRAINERS
    }
    size = ('--extra', '--folds', '2', '--runs', '1', '--epochs', '2', '--fractions', '25,50', '--seed', str(SEED))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduce, '_choice', lambda args: dataclasses.replace(whole(args), overrides=narrow))
        assert main(['reproduce', '--features', str(features), '--out', str(folder), *size]) == 0
    return folder


@pytest.fixture(scope='module')
def results(out):
    return json.loads((out / 'results.json').read_text())


def test_the_command_counts_what_was_written(mini, capsys):
    assert main(['corpus', 'iemocap', '--subset', '--json', str(mini.root)]) == 0
    found = json.loads(capsys.readouterr().out)
    written = [u for u in mini.utterances if u.annotation in LABEL_OF]
    assert found['used'] == {label: sum(LABEL_OF[u.annotation] == label for u in written) for label in LABELS}
    assert sum(found['evaluated'].values()) == len(mini.utterances)
    assert {int(s): counts['evaluated'] for s, counts in found['sessions'].items()} == {
        session: sum(u.id.dialog.session == session for u in mini.utterances) for session in SIZE['sessions']
    }


def test_every_utterance_has_its_features(mini, features):
    written = {u.id.text: LABEL_OF[u.annotation] for u in mini.utterances if u.annotation in LABEL_OF}
    found = FeatureSet.load(features)
    assert {row.id: row.label for row in found.utterances} == written
    wearers = {u.id.text for u in mini.utterances if u.id.wears_markers and 'script01_1b' not in u.id.text}
    for i, row in enumerate(found.utterances):
        arrays = found.sample_arrays(i)
        assert arrays.mfcc is not None and arrays.visible.any(axis=1).mean() > 0.9
        assert (arrays.mocap is not None) == (row.id in wearers)


def test_every_row_of_every_table_is_filled_by_a_run_of_its_own(results, out):
    assert results['failures'] == []
    assert {number: len(rows) for number, rows in results['tables'].items()} == {
        '1': 12, '2': 5, '3': 2, '4': 2, 'sessions': 8, 'extra': 12,
    }
    for rows in results['tables'].values():
        for row in rows:
            assert not row['missing'] and row['repetitions'] == 1 and row['parameters'] > 0, row['row']
            assert all(0 <= cell['ours']['mean'] <= 100 for cell in row['figures'].values()), row['row']
    trained = {path.name.split('-')[0] for path in (out / 'runs').iterdir()}
    assert trained == {*MODELS, *TRAINERS} and len(MODELS) == 13
    said = [
        np.load(next((out / 'runs').glob(f'smacn-random-{movement}r0-f0-*')) / 'predictions.npz')['probabilities']
        for movement in ('', 'unfiltered-')
    ]
    assert not np.array_equal(*said), 'table 3 compares movement with itself'


def test_both_figures_are_drawn(results, out):
    page = (out / 'report.html').read_text()
    tested = results['tables']['1'][-1]['utterances']
    assert [c['network'] for c in results['figure_4']] == ['smacn', 'are', 'tre', 'smern_ga_whole']
    assert all(np.sum(c['counts']) == tested for c in results['figure_4'])
    assert [p['fraction'] for p in results['figure_5']] == [0.25, 0.5]
    assert (page.count('<svg class="figure"'), page.count('<svg class="figure plot"')) == (4, 1)


def test_the_text_says_all_that_the_page_does(results, out):
    page, text = ((out / name).read_text() for name in ('report.html', 'report.md'))
    runs = len(list((out / 'runs').iterdir()))
    for said in (page, text):
        tables = said[said.index('Table 1.'):].lower()
        assert '– /' not in tables and 'nan' not in re.findall(r'\w+', tables)
        assert 'not of all of IEMOCAP' in said and 'do not have the sizes of the paper' in said
        assert f'{runs} of {runs} runs are done' in said
        for row in (row for rows in results['tables'].values() for row in rows):
            assert f'{row["parameters"]:,}' in said


@pytest.mark.ros
def test_the_robot_says_of_an_utterance_what_the_run_said(mini, features, out, tmp_path, probe, start_node):
    from smern_ros import msg
    from smern_ros.ros import qos, topics
    from smern_ros.ros.messages import features_to_message, header, to_time, transcript_to_message, window_to_message

    run, = (out / 'runs').glob('smern_ga_whole-random-r0-f0-*')
    assert main(['export', str(run), '--out', str(tmp_path), '--id', 'mine']) == 0
    with np.load(run / 'predictions.npz') as stored:
        tested = dict(zip(stored['ids'].tolist(), stored['probabilities'], strict=True))
    told = next(u for u in corpus_reader.read(mini.root, subset=True).utterances if u.id in tested)
    poses, = (features / 'cache/poses').glob(f'{told.dialog}-*.npz')
    body = Actors.load(poses).window(told.side, told.start_ns, told.end_ns)
    heard = dataclasses.replace(speech.features(told.wav), start_ns=told.start_ns, end_ns=told.end_ns)
    words = Transcript(told.id, told.start_ns, told.end_ns, told.text, (), 1.0)

    node = start_node('fusion', {'checkpoint': str(tmp_path)})
    utterances, audio, text, skeleton = (probe.publisher(kind, topic, qos.EVIDENCE) for kind, topic in (
        (msg.Utterance, topics.UTTERANCE), (msg.AudioFeatures, topics.AUDIO_FEATURES),
        (msg.Transcript, topics.TRANSCRIPT), (msg.SkeletonWindow, topics.SKELETON_WINDOW),
    ))
    states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    probe.wait_for_listener(utterances, audio, text, skeleton)
    probe.wait_for_speaker(topics.EMOTION_STATE)
    utterances.publish(msg.Utterance(
        header=header(told.start_ns, 'microphone'), id=told.id, state=msg.Utterance.ENDED, sample_rate=16000,
        start=to_time(told.start_ns), end=to_time(told.end_ns), last_voiced=to_time(told.end_ns),
    ))
    audio.publish(features_to_message(heard, 'microphone'))
    skeleton.publish(window_to_message(told.id, told.start_ns, told.end_ns, [body], 'camera_optical'))
    text.publish(transcript_to_message(words, 'microphone', is_final=True))
    state = probe.wait_for(
        lambda: next((s for s in states if s.is_final and s.utterance_id == told.id), None),
        f'the final state; the node said:\n{node.output}',
    )

    predictor = EmotionPredictor.load(tmp_path)
    offline = predictor.predict(UtteranceInputs(told.id, told.start_ns, told.end_ns, heard, words, body))
    assert state.model == 'mine' == offline.model and list(state.modalities) == list(MODALITIES)
    np.testing.assert_allclose(state.probabilities, offline.probabilities, atol=1e-5)
    np.testing.assert_allclose(state.modality_weights, offline.weights, atol=1e-5)
    np.testing.assert_allclose(
        state.probabilities, tested[told.id], atol=5e-3, err_msg='weights are stored in half precision'
    )
