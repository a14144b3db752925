# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The corpora are read as their makers describe them."""
import csv
from collections import Counter

import numpy as np
import pytest

from smern_ros.skeleton.features import model_input
from smern_ros.spec import Joint
from smern_ros.training.audio import audio_augment
from smern_ros.training.corpora import bandai, bvh, emodb, goemotions, nemo, ravdess
from smern_ros.training.skeleton import skeleton_augment


def labels(samples):
    return Counter(sample.label for sample in samples)


def test_the_corpora_have_their_published_sizes(shared_data):
    assert labels(emodb.read(shared_data)) == {'angry': 127, 'happy': 71, 'neutral': 79, 'sad': 62}
    assert len(nemo.read(shared_data)) == 1039
    assert labels(ravdess.read(shared_data)) == {'angry': 128, 'happy': 128, 'neutral': 64, 'sad': 128}
    assert labels(goemotions.read(shared_data, 'train')) == {
        'neutral': 12823, 'happy': 3155, 'angry': 2706, 'sad': 1689
    }
    assert labels(bandai.read(shared_data)) == {'angry': 11, 'happy': 11, 'neutral': 11, 'sad': 11}


def test_an_absent_corpus_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no emodb in .*emodb4'):
        emodb.read(tmp_path)
    with pytest.raises(FileNotFoundError, match='no ravdess in .*ravdess16'):
        ravdess.read(tmp_path)


def test_the_actors_of_ravdess_are_held_out_as_many_women_as_men(shared_data):
    clips = ravdess.read(shared_data)
    with (shared_data / 'ravdess16/labels.csv').open(encoding='utf-8') as file:
        sex = {f'ravdess-{row["speaker"]}': row['sex'] for row in csv.DictReader(file)}
    assert {clip.speaker for clip in clips} == set(sex) and len(sex) == 16
    for part, each in ((ravdess.TEST_SPEAKERS, 2), (ravdess.DEV_SPEAKERS, 1)):
        assert Counter(sex[speaker] for speaker in part) == {'female': each, 'male': each}
    assert not ravdess.TEST_SPEAKERS & ravdess.DEV_SPEAKERS
    assert all(clip.path.is_file() for clip in clips) and len({clip.id for clip in clips}) == len(clips)


@pytest.fixture(scope='module')
def motions(shared_data):
    return bandai.read(shared_data)


def test_forward_kinematics_agree_with_those_of_the_data_folder(shared_data):
    animation = bvh.read(shared_data / 'bandai_motion/bvh_4emotions/dataset-1_bow_sad_001.bvh')
    stored = np.load(shared_data / 'bandai_motion/ds1_all_0.npz')
    clip = list(stored['ids']).index('bow|sad|001')
    start = stored['lengths'][:clip].sum()
    expected = stored['rel'][start : start + stored['lengths'][clip]] / 100  # 0.1 mm to cm
    hips = animation.positions[:, animation.names.index('Hips')]
    for i, name in enumerate(stored['joints']):
        found = animation.positions[:, animation.names.index(name)] - hips
        assert np.abs(found - expected[:, i]).max() < 0.006


def test_a_truncated_motion_file_is_refused(shared_data, tmp_path):
    whole = (shared_data / 'bandai_motion/bvh_4emotions/dataset-1_bow_sad_001.bvh').read_text()
    (tmp_path / 'cut.bvh').write_text(whole[:-200])
    with pytest.raises(ValueError, match='numbers'):
        bvh.read(tmp_path / 'cut.bvh')


def test_captured_bodies_stand_in_the_cameras_axes(motions):
    for motion in motions:
        if motion.content not in ('bye', 'guide'):  # upright, arms below the head at most times
            continue
        mean = motion.positions.mean(axis=0)
        assert mean[Joint.HEAD, 1] < 0 < mean[Joint.SPINE, 1]                # y is down
        assert mean[Joint.LEFT_SHOULDER, 0] > 0 > mean[Joint.RIGHT_SHOULDER, 0]  # facing the camera
        assert mean[Joint.NOSE, 2] < mean[Joint.HEAD, 2]                     # the nose is nearer to it
        assert np.abs(motion.positions[:, Joint.THORAX]).max() < 1e-6
        width = np.linalg.norm(motion.positions[:, Joint.LEFT_SHOULDER] - motion.positions[:, Joint.RIGHT_SHOULDER],
                               axis=1)
        assert 0.3 < width.mean() < 0.4                                      # metres


def test_windows_cover_every_frame_of_every_clip(motions):
    for motion in motions:
        covered = np.zeros(len(motion.positions), bool)
        for piece in skeleton_augment.pieces([motion], 64):
            assert piece.frames == min(64, len(motion.positions))
            covered[piece.start : piece.start + piece.frames] = True
        assert covered.all()


def test_an_altered_window_is_one_that_the_network_can_read(motions):
    generator = np.random.default_rng(0)
    hidden = []
    for piece in skeleton_augment.pieces(motions, 64):
        for window in (
            skeleton_augment.as_seen(piece, generator),
            skeleton_augment.standing_still(piece.motion, 64, generator),
        ):
            x, visible = model_input(window)
            assert np.isfinite(x).all()
            assert visible[:, Joint.THORAX].all()
            hidden.append(1 - visible.mean(axis=0))
    assert np.mean(hidden, axis=0)[Joint.LEFT_WRIST] > 0.5  # a laptop's camera rarely sees hands
    assert np.mean(hidden, axis=0)[Joint.NOSE] == 0


def test_an_altered_utterance_is_another_one_of_like_length(shared_data):
    clip = emodb.read(shared_data)[0]
    samples = audio_augment.load(clip)
    generator = np.random.default_rng(0)
    one, other = audio_augment.augment(samples, generator), audio_augment.augment(samples, generator)
    assert one.dtype == np.float32
    assert np.abs(one).max() <= 1
    assert 0.85 * len(samples) < len(one) < 1.15 * len(samples) + 0.8 * 16000
    assert len(one) != len(other) or not np.array_equal(one, other)


@pytest.mark.weights
def test_cached_features_are_those_computed(shared_data, tmp_path):
    clips = emodb.read(shared_data)[:2]
    computed, cached = (audio_augment.features(clips, 1, tmp_path) for _ in range(2))
    assert [len(versions) for versions in computed] == [2, 2]
    for mine, theirs in zip(computed, cached, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            assert np.array_equal(one.mfcc, other.mfcc)
            assert np.array_equal(one.prosody, other.prosody)
            assert np.array_equal(one.speech, other.speech)
            assert (one.speech.shape, one.speech.dtype) == ((768,), np.float32)
    assert len(list(tmp_path.iterdir())) == 1
