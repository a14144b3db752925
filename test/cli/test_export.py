"""`smern export`: what a run learnt is what the robot says."""
import json
import shutil

import numpy as np
import pytest

from smern_ros.cli.main import main
from smern_ros.models.inputs import InputEncoder
from smern_ros.predictor import EmotionPredictor
from smern_ros.spec import AUDIO, SKELETON, TEXT
from smern_ros.training.experiments.planted import Plan, corpus
from smern_ros.values import SECOND, AudioFeatures, SkeletonWindow, Transcript

START, END = 1000 * SECOND, 1002 * SECOND


@pytest.fixture(scope='module')
def features():
    return corpus(Plan(utterances=200, frames=4))


@pytest.fixture(scope='module')
def runs(features, tmp_path_factory):
    """Folders by network; real sizes, two epochs."""
    folder, out = tmp_path_factory.mktemp('features'), tmp_path_factory.mktemp('out')
    features.save(folder)
    size = ('--tables', '1', '--figures', '', '--folds', '1', '--runs', '1', '--epochs', '2')
    what = ('--features', str(folder), '--out', str(out), '--models', 'smern_ga_whole,are')
    assert main(['reproduce', *what, *size]) == 0
    return {path.name.split('-')[0]: path for path in (out / 'runs').iterdir()}


@pytest.fixture(scope='module')
def exported(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp('checkpoint')
    assert main(['export', str(runs['smern_ga_whole']), '--out', str(out), '--id', 'mine']) == 0
    return out


def test_the_checkpoint_says_of_every_test_utterance_what_the_run_said(features, runs, exported):
    predictor = EmotionPredictor.load(exported)
    inputs = InputEncoder(predictor.checkpoint.normalisation, predictor.checkpoint.vocabulary)
    with np.load(runs['smern_ga_whole'] / 'predictions.npz') as stored:
        expected = dict(zip(stored['ids'], stored['probabilities'], strict=True))
    said = {}
    for i, row in enumerate(features.utterances):
        if row.id in expected:
            arrays = features.sample_arrays(i)
            x, visible = inputs.movement(arrays.skeleton.copy(), arrays.visible.copy())
            said[row.id] = predictor.fuse({
                AUDIO: predictor.encode_audio(AudioFeatures(row.id, 0, SECOND, arrays.mfcc, arrays.prosody)),
                TEXT: predictor.encode_text(Transcript(row.id, 0, SECOND, row.text)),
                SKELETON: predictor.checkpoint.smacn.features(x[None], visible[None])[0].detach(),
            }).probabilities
    assert len(said) == 30
    np.testing.assert_allclose(
        [said[i] for i in expected], list(expected.values()), atol=5e-3, err_msg='weights are stored in half precision'
    )


def test_encoders_alone_claim_no_emotion(exported):
    checkpoint = EmotionPredictor.load(exported).checkpoint
    for encoder in (checkpoint.are, checkpoint.tre, checkpoint.smacn):
        assert all(not p.any() for p in encoder.output.parameters())


def test_the_checkpoint_tells_what_it_was_made_of(exported):
    config = json.loads((exported / 'config.json').read_text())
    assert config['id'] == 'mine'
    assert config['training']['run']['model'] == 'smern_ga_whole' and config['training']['utterances'] == [160, 10, 30]
    assert 'not calibrated' in config['training']['note']


@pytest.mark.ros
def test_the_fusion_node_answers_with_it(exported, probe, start_node):
    from smern_ros import msg
    from smern_ros.nodes import qos, topics
    from smern_ros.nodes.messages import window_to_message

    window = SkeletonWindow(
        'p1', START, END, np.random.default_rng(0).normal(scale=0.3, size=(61, 10, 3)).astype(np.float32),
        np.ones((61, 10), bool), 0.2,
    )
    node = start_node('fusion', {'checkpoint': str(exported)})
    seen = probe.publisher(msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE)
    states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    probe.wait_for_listener(seen)
    probe.wait_for_speaker(topics.EMOTION_STATE)
    seen.publish(window_to_message('', START, END, [window], 'camera_optical'))
    state = probe.wait_for(lambda: states and states[0], f'a state; the node said:\n{node.output}')

    predictor = EmotionPredictor.load(exported)
    expected = predictor.fuse({SKELETON: predictor.encode_skeleton(window)})
    assert state.model == 'mine'
    np.testing.assert_allclose(state.probabilities, expected.probabilities, atol=1e-5)


def test_what_cannot_be_exported_says_why(runs, tmp_path, capsys):
    for folder, message in (
        (tmp_path, 'is no run'),
        (runs['are'], 'is a run of are'),
        (shutil.copytree(runs['smern_ga_whole'], tmp_path / 'runs' / 'renamed'), 'was moved or renamed'),
    ):
        assert main(['export', str(folder), '--out', str(tmp_path / 'out')]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_damaged_weights_are_told(runs, tmp_path, capsys):
    run = shutil.copytree(runs['smern_ga_whole'], tmp_path / 'runs' / runs['smern_ga_whole'].name)
    (run / 'model.safetensors').write_bytes(b'cut')
    assert main(['export', str(run), '--out', str(tmp_path / 'out')]) == 2
    assert 'is damaged' in capsys.readouterr().err


def test_an_id_that_no_message_should_carry_is_refused(runs, tmp_path, capsys):
    assert main(['export', str(runs['smern_ga_whole']), '--out', str(tmp_path), '--id', 'a b']) == 2
    assert "its id is 'a b'" in capsys.readouterr().err
