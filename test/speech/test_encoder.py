# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The speech encoder: its definition by other means, and sound that is none."""
import math
import shutil

import numpy as np
import pytest

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder, normalised
from smern_ros.speech.encoder_weights import write_encoder
from smern_ros.speech.log_mel import log_mel

RATE = 16000


@pytest.fixture(scope='module')
def encoder():
    try:
        return SpeechEncoder()
    except assets.MissingAsset as error:
        pytest.skip(str(error))


@pytest.fixture(scope='module')
def spoken(shared_data):
    """A short utterance, and one of more than 12 s."""
    import soundfile

    wav = shared_data / 'emodb4/wav'
    clips = [soundfile.read(file, dtype='float32')[0] for file in sorted(wav.glob('*.wav'))[:8]]
    return clips[0], np.concatenate(clips)


def by_the_whole_network(samples):
    """faster-whisper's spectrogram, the whole model, and numpy's convolution."""
    import ctranslate2
    from faster_whisper.feature_extractor import FeatureExtractor

    folder = str(assets.path(SPEC.speech_encoder))
    model = ctranslate2.models.Whisper(folder, device='cpu', compute_type='int8', intra_threads=1)
    samples = samples[: 12 * RATE]
    power = np.convolve(samples**2, np.ones(400) / 400, 'same')
    loud = np.flatnonzero(power > power.max() * 1e-3)
    samples = samples[max(0, loud[0] - 1600) : loud[-1] + 1600]
    samples = samples / np.sqrt(np.mean(samples**2)) * 0.05
    seconds = len(samples) / RATE
    mel = FeatureExtractor()(np.concatenate([samples, np.zeros(RATE, np.float32)]), padding=0)
    padded = np.full((1, 80, math.ceil((seconds + 1) / 2) * 200), mel.min(), np.float32)
    padded[0, :, : mel.shape[1]] = mel
    layer = np.array(model.encode(ctranslate2.StorageView.from_array(padded), to_cpu=True))[0]
    own = layer[: int(seconds * 50)]
    return np.concatenate([own.mean(0), own.std(0)])


@pytest.mark.weights
def test_it_is_mean_and_deviation_of_what_the_whole_network_encodes(encoder, spoken):
    for samples in spoken:
        features = encoder.encode(samples)
        assert (features.shape, features.dtype) == ((SPEC.speech,), np.float32)
        wanted = by_the_whole_network(samples)
        # 8 bits enlarge the rounding errors of the spectrogram; the nearest other utterance is at 0.16.
        assert np.sqrt(np.mean((features - wanted) ** 2)) < 0.01 * np.std(wanted)


@pytest.mark.weights
def test_the_same_sound_gives_the_same_features_however_loud_and_in_however_much_silence(encoder, spoken):
    samples = spoken[0]
    features = encoder.encode(samples)
    np.testing.assert_array_equal(features, encoder.encode(samples))
    quiet = encoder.encode(np.pad(samples * 0.01, (RATE, 2 * RATE)))
    assert np.sqrt(np.mean((features - quiet) ** 2)) < 0.05 * np.std(features)


@pytest.mark.weights
def test_what_comes_after_twelve_seconds_is_not_heard(encoder, spoken):
    samples = spoken[1]
    assert len(samples) > 13 * RATE
    np.testing.assert_array_equal(encoder.encode(samples), encoder.encode(samples[: 12 * RATE]))


@pytest.mark.weights
@pytest.mark.parametrize('samples', [
    np.zeros(1), np.ones(1), np.ones(199), np.zeros(RATE), np.zeros(30 * RATE), np.full(401, 3e38),
    np.full(4000, 1e-40), np.eye(1, RATE)[0],
], ids=['zero', 'one', 'shorter than a frame', 'silence', 'long silence', 'loudest', 'quietest', 'click'])
def test_silence_and_the_shortest_sound_have_features(encoder, samples):
    features = encoder.encode(samples.astype(np.float32))
    assert features.shape == (SPEC.speech,) and np.isfinite(features).all()


def test_silence_at_both_ends_is_cut_off_but_for_a_tenth_of_a_second():
    tone = np.sin(np.arange(RATE) * 0.3).astype(np.float32)
    samples = normalised(np.pad(tone * 0.2, (3 * RATE, 2 * RATE)))
    assert abs(len(samples) - (RATE + 2 * 1600)) <= 400
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.05, rel=1e-3)


def test_the_spectrogram_is_that_of_faster_whisper(spoken):
    from faster_whisper.feature_extractor import FeatureExtractor

    np.testing.assert_allclose(log_mel(spoken[0]), FeatureExtractor()(spoken[0], padding=0), rtol=0, atol=1e-4)


def test_missing_weights_are_named_with_the_command_that_fetches_them(tmp_path, monkeypatch):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    with pytest.raises(assets.MissingAsset, match=r'smern assets fetch whisper-tiny\.en'):
        SpeechEncoder()


@pytest.mark.weights
def test_a_file_of_another_format_is_refused(tmp_path):
    source, target = tmp_path / 'source', tmp_path / 'target'
    shutil.copytree(assets.path(SPEC.speech_encoder), source)
    target.mkdir()
    whole = (source / 'model.bin').read_bytes()
    for content, said in ((whole[:1000], 'cut off'), (b'\x07' + whole[1:], 'version 7'), (b'', 'cut off')):
        (source / 'model.bin').write_bytes(content)
        with pytest.raises(ValueError, match=said):
            write_encoder(source, target)
