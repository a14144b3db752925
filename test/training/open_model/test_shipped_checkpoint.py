# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The shipped checkpoint knows something about people, comments and contents that it was not made from."""
import functools

import numpy as np
import pytest

from smern_ros.audio.features import extract
from smern_ros.emotion.offline import Analyser
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import DEFAULT, checkpoint_folder, names
from smern_ros.media.reader import MediaReader, VideoFrame
from smern_ros.skeleton import pose
from smern_ros.spec import LABELS, SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.training.audio import audio_augment
from smern_ros.training.corpora import bandai, emodb
from smern_ros.training.open_model.evaluate import HeldOut, alone
from smern_ros.training.open_model.samples import SPOKEN, some_of_each_label, speech_split, text_split
from smern_ros.training.skeleton import skeleton_augment
from smern_ros.values import SECOND, Transcript, Utterance

pytestmark = pytest.mark.slow

CHANCE = 0.25


@pytest.fixture(scope='module')
def predictor():
    return EmotionPredictor.load()


@pytest.fixture(scope='module')
def voices(shared_data):
    """voices('emodb'): 60 clips of speakers held out and their features, with what the speech encoder hears or not."""
    encoder = SpeechEncoder()

    @functools.cache
    def of(corpus, *, encoded=True):
        clips = some_of_each_label([c for c in speech_split(shared_data).test if c.corpus == corpus], 60)
        features = []
        for clip in clips:
            samples = audio_augment.load(clip)
            utterance = Utterance(clip.id, 0, len(samples) * SECOND // SPEC.sample_rate, samples)
            features.append(extract(utterance, encoder if encoded else None))
        return clips, features

    return of


@pytest.mark.weights
@pytest.mark.parametrize(('corpus', 'stranger', 'encoded', 'least'), [
    ('emodb', False, True, 0.8), ('nemo', False, True, 0.65), ('ravdess', False, True, 0.65),
    ('emodb', True, True, 0.75), ('nemo', True, True, 0.55), ('ravdess', True, True, 0.6),
    ('emodb', False, False, 0.6), ('nemo', False, False, 0.3),
])
def test_unseen_voices_are_told_apart(predictor, voices, corpus, stranger, encoded, least):
    """Whether their other utterances were heard before, or none; and without the speech encoder, less well."""
    clips, features = voices(corpus, encoded=encoded)
    persons = [None] * len(clips) if stranger else HeldOut(clips, features, [], []).persons(predictor)

    def encode(heard):
        return predictor.encode_audio(*heard)

    evidence = list(zip(features, persons, strict=True))
    assert alone(predictor, 'audio', encode, evidence, clips).uar > least > CHANCE


def test_unseen_comments_are_told_apart(predictor, shared_data):
    comments = some_of_each_label(text_split(shared_data).test, 400)
    transcripts = [Transcript('', 0, 0, comment.text) for comment in comments]
    assert alone(predictor, 'text', predictor.encode_text, transcripts, comments).uar > 0.55 > CHANCE


def test_movements_of_unseen_contents_are_told_apart(predictor, shared_data):
    unseen = predictor.checkpoint.training['held_out']['contents']
    pieces = skeleton_augment.pieces([clip for clip in bandai.read(shared_data) if clip.content in unseen], 64)
    windows = [skeleton_augment.as_captured(piece) for piece in pieces]
    motions = [piece.motion for piece in pieces]
    assert alone(predictor, 'skeleton', predictor.encode_skeleton, windows, motions).uar > 0.4 > CHANCE


@pytest.mark.weights
@pytest.mark.parametrize('film', ['again', 'please', 'walk', 'no'])
def test_who_stands_still_is_not_called_anything_but_neutral_with_certainty(predictor, shared_data, film):
    """A person filmed before they begin to sign, held for two seconds with a millimetre of sway."""
    film = shared_data / 'video_upperbody' / 'asl_gestures' / f'{film}.mkv'
    estimator = pose.create('mediapipe')
    try:
        frames = (item for item in MediaReader(film) if isinstance(item, VideoFrame))
        seen = next(bodies[0] for f in frames if (bodies := estimator.estimate(f.image, f.stamp_ns)))
    finally:
        estimator.close()
    visible = np.isfinite(seen.positions).all(axis=1)
    held = np.nan_to_num(seen.positions) + np.random.default_rng(0).normal(0, 0.001, (64, 1, 1))
    window = skeleton_augment.window(held, np.tile(visible, (64, 1)))
    if predictor.unfamiliar(window):
        return  # and called nothing at all
    vector = predictor.encode_skeleton(window)
    certain = predictor.fuse({'skeleton': vector}).probabilities[[LABELS.index(x) for x in LABELS if x != 'neutral']]
    assert certain.max() < 0.75


@pytest.mark.weights
@pytest.mark.parametrize('name', ['book', 'help', 'please', 'school'])
def test_who_talks_with_their_hands_moves_unlike_what_was_learnt(predictor, shared_data, name):
    """Signers in front of a camera; nothing was learnt from them."""
    estimator = pose.create('mediapipe')
    analyser = Analyser(pose=estimator)
    try:
        media = MediaReader(shared_data / 'video_upperbody' / 'asl_gestures' / f'{name}.mkv')
        stamps = [item.stamp_ns for item in media if isinstance(item, VideoFrame) and analyser.add_frame(item) == []]
    finally:
        estimator.close()
    window = analyser.skeleton_window(stamps[0], stamps[-1])
    assert predictor.unfamiliar(window) and predictor.encode_skeleton(window) is None


@pytest.mark.parametrize(
    ('words', 'label'),
    [
        ('I am so happy today, this is fun!', 'happy'),
        ('I miss her, I feel sad and alone', 'sad'),
        ('Shut up, I hate you, this makes me angry', 'angry'),
        ('The meeting is on the second floor', 'neutral'),
    ],
)
def test_plain_words_have_their_plain_meaning(predictor, words, label):
    vector = predictor.encode_text(Transcript('', 0, 0, words))
    assert predictor.fuse({'text': vector}).label == label


@pytest.mark.weights
def test_one_learnt_from_no_data_that_forbid_commercial_use_and_tells_unseen_voices_and_comments_apart(
    voices, shared_data
):
    predictor = EmotionPredictor.load(f'{DEFAULT}-commercial')
    about = predictor.checkpoint.training
    assert about['data'] == {'audio': ['emodb'], 'text': ['goemotions']} and about['restricted'] == []
    assert set(about['held_out']['speakers']) == emodb.TEST_SPEAKERS
    clips, features = voices('emodb')
    assert alone(predictor, 'audio', predictor.encode_audio, features, clips).uar > 0.75 > CHANCE
    comments = some_of_each_label(text_split(shared_data).test, 200)
    transcripts = [Transcript('', 0, 0, comment.text) for comment in comments]
    assert alone(predictor, 'text', predictor.encode_text, transcripts, comments).uar > 0.55 > CHANCE


def test_it_was_not_made_from_what_it_is_measured_on(predictor):
    held_out = predictor.checkpoint.training['held_out']
    assert held_out['speakers'] == sorted(set().union(*(corpus.TEST_SPEAKERS for corpus in SPOKEN)))
    learnt, measured = (set(map(bandai.alike, contents)) for contents in (
        predictor.checkpoint.training['left_out']['contents'], held_out['contents']))
    assert not learnt & measured


@pytest.mark.parametrize('checkpoint', names())
def test_its_card_lies_beside_it_and_carries_its_figures(checkpoint):
    card = (checkpoint_folder(checkpoint) / 'README.md').read_text(encoding='utf-8')
    for name, figures in EmotionPredictor.load(checkpoint).checkpoint.metrics.items():
        assert f'| {name} | {figures["count"]} | {100 * figures["uar"]:.1f} |' in card
