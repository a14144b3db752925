# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several channels to one: the voice is heard whatever a cable or a dead capsule makes of them."""
import numpy as np
import pytest
from support import film

from smern_ros.audio.channels import AUTOMATIC, Downmix, pick
from smern_ros.audio.resampler import Resampler
from smern_ros.emotion.offline import analyse
from smern_ros.media.reader import MediaReader

RATE = 16_000
rng = np.random.default_rng(3)
VOICE = (0.2 * rng.standard_normal(3 * RATE) * (np.sin(2 * np.pi * np.arange(3 * RATE) / RATE) > 0)).astype(np.float32)
HISS = 0.002 * rng.standard_normal((3 * RATE, 8)).astype(np.float32)


def level(samples) -> float:
    """Of what is heard, as a share of the voice's, once the first second has passed."""
    return float(np.std(samples[RATE:]) / np.std(VOICE[RATE:]))


def delayed(samples, count):
    return np.concatenate([np.zeros(count, np.float32), samples[:-count]])


@pytest.mark.parametrize('hiss', [0, 1], ids=['digital', 'hiss'])
@pytest.mark.parametrize('name, channels, share', [
    ('the same in both', [VOICE, VOICE], 1), ('opposite', [VOICE, -VOICE], 1), ('opposite, the second louder',
     [0.5 * VOICE, -VOICE], 1), ('almost opposite', [VOICE, -0.9 * VOICE], 1), ('dead left', [0 * VOICE, VOICE], 1),
    ('dead right', [VOICE, 0 * VOICE], 1), ('one quieter', [VOICE, 0.5 * VOICE], 0.75),
    ('one sample late', [VOICE, delayed(VOICE, 1)], 0.7),
    ('opposite and one sample late', [VOICE, -delayed(VOICE, 1)], 0.7),
    ('one of six lives', [VOICE, *5 * [0 * VOICE]], 1), ('six', 6 * [VOICE], 1),
    ('four, two of them opposite', [VOICE, -VOICE, VOICE, -VOICE], 1),
    ('an offset in the dead one', [VOICE, 0 * VOICE + 0.3], 1), ('one', [VOICE], 1),
])
def test_the_voice_is_as_loud_as_in_its_channel(name, channels, share, hiss):
    sound = np.stack(channels, axis=1).astype(np.float32)
    mono = Downmix().push(sound + hiss * HISS[:, :len(channels)], RATE)
    assert mono.shape == VOICE.shape and mono.dtype == np.float32
    assert level(mono) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize('cut', [1, 7, 160, 161, 512, 5000])
@pytest.mark.parametrize('right', [-VOICE, 0 * VOICE, VOICE, delayed(VOICE, 40)],
                         ids=['opposite', 'dead', 'same', 'late'])
def test_what_is_heard_does_not_depend_on_how_the_stream_is_cut(cut, right):
    sound = np.stack([VOICE, right], axis=1)[:RATE]
    whole, mono = Downmix().push(sound, RATE), Downmix()
    parts = [mono.push(sound[i:i + cut], RATE) for i in range(0, len(sound), cut)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_it_is_decided_within_ten_milliseconds_and_then_kept():
    mono, taken = Downmix(), []
    for i in range(0, len(VOICE), 160):
        mono.push(np.stack([VOICE, -VOICE], axis=1)[i:i + 160], RATE)
        taken.append(mono.channel)
    assert taken == len(taken) * [0]


def test_channels_of_about_the_same_loudness_do_not_take_turns():
    """Somebody walks from one to the other, 3 dB each way, in front of a cable of reversed polarity."""
    swing = 1 + 0.4 * np.sin(2 * np.pi * 2 * np.arange(len(VOICE)) / RATE).astype(np.float32)
    mono, taken = Downmix(), []
    for i in range(0, len(VOICE), 160):
        mono.push(np.stack([VOICE * swing, -VOICE / swing], axis=1)[i:i + 160], RATE)
        taken.append(mono.channel)
    assert len(set(taken)) == 1


def test_a_loud_noise_in_one_channel_does_not_take_the_voice_in_the_other():
    noise = 0.6 * np.random.default_rng(8).standard_normal(len(VOICE)).astype(np.float32)
    mono = Downmix().push(np.stack([VOICE, noise], axis=1), RATE)
    np.testing.assert_allclose(mono[RATE:], (VOICE + noise)[RATE:] / 2, atol=1e-6)


def test_channels_that_agree_again_are_mixed_again():
    mono = Downmix()
    mono.push(np.stack([VOICE, -VOICE], axis=1), RATE)
    assert mono.channel != AUTOMATIC
    for _ in range(10):
        mono.push(np.stack([VOICE, VOICE], axis=1), RATE)
    assert mono.channel == AUTOMATIC


@pytest.mark.parametrize('rate, channels', [(16_000, 1), (48_000, 2), (16_000, 3)])
def test_another_format_begins_anew(rate, channels):
    mono = Downmix()
    mono.push(np.stack([VOICE, -VOICE], axis=1), RATE)
    sound = np.repeat(VOICE[:, None], channels, axis=1)
    np.testing.assert_allclose(mono.push(sound, rate), VOICE, atol=1e-6)


def test_nothing_but_silence_is_silence():
    assert not Downmix().push(np.zeros((1000, 2), np.float32), RATE).any()
    assert Downmix().push(np.zeros((0, 2), np.float32), RATE).shape == (0,)


@pytest.mark.parametrize('rate', [0, 50, 10**7])
def test_a_rate_that_cannot_be_is_refused(rate):
    with pytest.raises(ValueError, match=f'sample rate is {rate}'):
        Downmix().push(np.zeros((10, 2), np.float32), rate)


def test_a_channel_is_picked_by_its_number_and_mono_sound_is_its_own():
    sound = np.arange(6).reshape(2, 3)
    assert pick(sound, 2).tolist() == [[2], [5]]
    assert pick(sound[:, :1], 2).tolist() == [[0], [3]]
    for channel in (3, -1):
        with pytest.raises(ValueError, match=f'channel is {channel}, but the audio has channels 0 to 2'):
            pick(sound, channel)


@pytest.mark.parametrize('right', [-1.0, -0.8, 0.0, 1.0], ids=['opposite', 'quieter and opposite', 'dead', 'same'])
@pytest.mark.parametrize('rate', [16_000, 44_100])
def test_a_file_whose_channels_cancel_each_other_gives_the_utterances_of_one_of_them(
    tmp_path, shared_data, right, rate
):
    spoken = film.speech(shared_data, 4.0)
    resampler = Resampler(16_000, rate)
    parts = [resampler.push(spoken.astype(np.float32)), resampler.flush()]
    voice = np.concatenate(parts).round().clip(-32768, 32767).astype(np.int16)
    both = np.stack([voice, np.round(right * voice)], axis=1).astype(np.int16)
    alone, stereo = (
        [u.audio for u in analyse(MediaReader(film.write(
            tmp_path / f'{name}.wav', samples=samples, sample_rate=rate, audio='pcm_s16le')).audio())]
        for name, samples in (('alone', voice), ('both', both))
    )
    assert len(stereo) == len(alone) > 0
    for one, other in zip(stereo, alone, strict=True):
        assert (one.start_ns, one.end_ns) == (other.start_ns, other.end_ns)
        np.testing.assert_allclose(one.prosody, other.prosody, rtol=0.05, atol=0.05)
