# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera and a microphone: what comes has the time at which it came in, and what is not there is named."""
import sys
import threading
import time

import numpy as np
import pytest
from support import film

from smern_ros.audio.channels import AUTOMATIC
from smern_ros.media import capture
from smern_ros.media.capture import Microphone, Webcam
from smern_ros.media.reader import MediaError
from smern_ros.media.tracks import AudioBlock
from smern_ros.values import SECOND

ALSA = """
pcm.!default {{ type file  slave.pcm "silent"  file "/dev/null"  infile "{infile}"  format "raw" }}
pcm.silent {{ type null }}
ctl.!default {{ type hw  card 0 }}
"""
ARRAY = """
pcm.array {{ type multi  slaves.a.pcm "silent"  slaves.a.channels {channels} {bindings} }}
pcm.silent {{ type null }}
"""


def test_frames_of_a_camera_are_stamped_when_they_came(shared_data):
    """OpenCV reads a film like a camera; its positions are no capture times, and are not believed."""
    camera = Webcam(str(shared_data / 'video_upperbody/asl_gestures/again.mkv'))
    frames = []
    for frame in camera:
        frames.append(frame)
        assert 0 <= time.time_ns() - frame.stamp_ns < SECOND
        if len(frames) == 5:
            camera.close()
    assert len(frames) == 5
    assert frames[0].image.shape == (480, 640, 3) and frames[0].image.dtype == np.uint8
    assert [f.stamp_ns for f in frames] == sorted({f.stamp_ns for f in frames})


def test_a_camera_that_stops_is_an_error(shared_data):
    with pytest.raises(MediaError, match='delivers no more frames'):
        list(Webcam(str(shared_data / 'video_upperbody/asl_gestures/again.mkv')))


def test_a_camera_that_is_not_there_is_named():
    with pytest.raises(MediaError, match="camera '99' cannot be opened.*cameras of this computer"):
        Webcam('99')


def test_a_microphone_that_is_not_there_is_named():
    with pytest.raises(MediaError, match="microphone 'nowhere' cannot be opened"):
        Microphone('nowhere')


def test_sound_of_a_microphone_is_that_of_the_microphone(tmp_path, monkeypatch, shared_data):
    """The real ALSA, with real speech in the place of a sound card."""
    voice = film.speech(shared_data, 0.5)
    (tmp_path / 'voice.raw').write_bytes(voice.tobytes())
    (tmp_path / 'alsa.conf').write_text(ALSA.format(infile=tmp_path / 'voice.raw'))
    monkeypatch.setenv('ALSA_CONFIG_PATH', str(tmp_path / 'alsa.conf'))
    microphone = capture._Alsa('', 16000, time.time_ns)
    blocks, count = [], 0
    for block in microphone:
        blocks.append(block)
        count += len(block.samples)
        assert 0 <= time.time_ns() - block.stamp_ns < SECOND
        if count >= 4000:
            microphone.close()
    np.testing.assert_array_equal(np.concatenate([b.samples for b in blocks])[:4000, 0], voice[:4000])
    assert {(b.sample_rate, b.samples.shape[1]) for b in blocks} == {(16000, 1)}


@pytest.mark.parametrize('channel', [AUTOMATIC, 0, 3])
def test_a_microphone_that_has_four_channels_and_no_other_number_of_them_is_opened(tmp_path, monkeypatch, channel):
    """The real ALSA, whose sound is silence here."""
    bindings = ' '.join(f'bindings.{i}.slave a  bindings.{i}.channel {i}' for i in range(4))
    (tmp_path / 'alsa.conf').write_text(ARRAY.format(channels=4, bindings=bindings))
    monkeypatch.setenv('ALSA_CONFIG_PATH', str(tmp_path / 'alsa.conf'))
    source = capture._Alsa('array', 16000, time.time_ns, channel)
    block = next(iter(source))
    assert block.samples.shape[1] == 4 and block.sample_rate == 16000


def test_a_channel_that_an_alsa_microphone_has_not_got_is_an_error(tmp_path, monkeypatch):
    (tmp_path / 'alsa.conf').write_text(ARRAY.format(channels=1, bindings='bindings.0.slave a  bindings.0.channel 0'))
    monkeypatch.setenv('ALSA_CONFIG_PATH', str(tmp_path / 'alsa.conf'))
    with pytest.raises(MediaError, match="microphone 'array' cannot be opened through ALSA with 6 or 8 channels"):
        capture._Alsa('array', 16000, time.time_ns, 5)


@pytest.mark.parametrize('rate', [8000, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize('channels', [1, 2, 6])
@pytest.mark.parametrize('count', [64, 441, 960])
def test_sound_of_any_format_becomes_mono_of_the_rate_asked_for(rate, channels, count):
    """A tone of 440 Hz: its times are those of its samples."""
    tone = np.round(8000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.int16)
    blocks = [
        AudioBlock(SECOND + i * SECOND // rate, np.repeat(tone[i:i + count, None], channels, axis=1), rate)
        for i in range(0, rate, count)
    ]
    heard = list(capture.mono(blocks, 16000))
    assert {(b.sample_rate, b.samples.shape[1], b.samples.dtype) for b in heard} == {(16000, 1, np.dtype(np.int16))}
    for block in heard:
        times = (block.stamp_ns - SECOND) / SECOND + np.arange(len(block.samples)) / 16000
        inner = (times > 0.02) & (times < 0.98)
        expected = 8000 * np.sin(2 * np.pi * 440 * times)
        np.testing.assert_allclose(block.samples[inner, 0], expected[inner], atol=20)
    assert heard[0].stamp_ns == SECOND and abs(heard[-1].end_ns - 2 * SECOND) < 0.01 * SECOND


class FakePortAudio:
    """Stands in for the sounddevice module: its microphone gives two blocks, and then nothing more."""

    PortAudioError = RuntimeError
    samplerate = 16000

    def InputStream(self, *, callback, **_):
        self._callback = callback
        return self

    def start(self):
        times = type('Times', (), {'currentTime': 1.0, 'inputBufferAdcTime': 0.98})
        for _ in range(2):
            self._callback(np.zeros((320, 1), np.int16), 320, times, None)

    def close(self):
        self.closed = True


def test_a_microphone_that_falls_silent_for_good_is_an_error(monkeypatch):
    monkeypatch.setattr(capture, 'MAX_SILENCE', 0.1)
    port = FakePortAudio()
    blocks = []
    with pytest.raises(MediaError, match="microphone 'usb' delivers no more audio"):
        for block in capture._PortAudio(port, 'usb', 16000, time.time_ns):
            blocks.append(block)
    assert len(blocks) == 2 and port.closed


class PickyPortAudio:
    """Stands in for the sounddevice module: its one microphone takes no rate and number of channels but its own."""

    PortAudioError = RuntimeError

    def __init__(self, rate, channels, *, appears_late=False):
        self.rate, self.channels, self.there = rate, channels, not appears_late
        self.tried, self.samplerate = [], rate
        self.open = self.closed = 0

    def query_devices(self, device=None, kind=None):
        found = {'name': 'array', 'default_samplerate': float(self.rate), 'max_input_channels': self.channels}
        if kind is None:
            return [found] if self.there else []
        if not self.there:
            raise ValueError(f'No input device matching {device!r}')
        return found

    def _terminate(self):
        assert self.open == self.closed

    def _initialize(self):
        self.there = True

    def InputStream(self, *, samplerate, channels, callback, **_):
        self.tried.append((samplerate, channels))
        if not self.there:
            raise ValueError('No input device matching')
        if (samplerate, channels) != (self.rate, self.channels):
            raise RuntimeError('Invalid sample rate or number of channels')
        self._callback = callback
        self.open += 1
        return self

    def start(self):
        self.give(np.tile(np.arange(self.channels, dtype=np.int16) * 1000, (self.rate, 1)))

    def give(self, samples):
        times = type('Times', (), {'currentTime': 2.0, 'inputBufferAdcTime': 1.5})
        self._callback(samples, len(samples), times, None)

    def close(self):
        self.closed += 1


@pytest.mark.parametrize('rate, channels', [(44100, 1), (16000, 2), (48000, 2), (48000, 6), (16000, 8), (8000, 1)])
@pytest.mark.parametrize('channel', ['automatic', 'first', 'last'])
def test_a_microphone_with_a_format_of_its_own_is_opened_in_that_and_converted(monkeypatch, rate, channels, channel):
    port = PickyPortAudio(rate, channels)
    monkeypatch.setitem(sys.modules, 'sounddevice', port)
    number = {'automatic': AUTOMATIC, 'first': 0, 'last': channels - 1}[channel]
    microphone = Microphone('array', channel=number, clock=lambda: 10 * SECOND)
    block = next(iter(microphone))
    assert (block.sample_rate, block.samples.shape[1]) == (16000, 1)
    assert block.stamp_ns == 10 * SECOND - SECOND // 2
    level = np.mean(np.arange(channels)) if channel == 'automatic' else number
    np.testing.assert_allclose(block.samples[200:-200], 1000 * level, atol=2)
    assert port.tried[-1] == (rate, channels)


def test_a_microphone_that_takes_the_wanted_format_is_asked_for_nothing_else(monkeypatch):
    port = PickyPortAudio(16000, 1)
    monkeypatch.setitem(sys.modules, 'sounddevice', port)
    Microphone('array')
    assert port.tried == [(16000, 1)]


def test_a_channel_that_is_not_there_is_said():
    with pytest.raises(MediaError, match="microphone 'array' has 6 channels, from 0; there is no channel 6"):
        capture._PortAudio(PickyPortAudio(48000, 6), 'array', 16000, time.time_ns, 6)


def test_a_microphone_that_was_plugged_in_after_the_start_is_found():
    port = PickyPortAudio(48000, 2, appears_late=True)
    capture._PortAudio(port, 'array', 16000, time.time_ns)
    assert port.open == 1


def test_a_microphone_whose_blocks_nobody_takes_is_closed_at_once():
    port = PickyPortAudio(16000, 1)
    source = capture._PortAudio(port, 'array', 16000, time.time_ns)
    for _ in range(600):
        port.give(np.zeros((320, 1), np.int16))
    thread = threading.Thread(target=source.close, daemon=True)
    thread.start()
    thread.join(10.0)
    assert not thread.is_alive()
    assert list(source) == [] and port.closed == 1
