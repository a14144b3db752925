"""A camera and a microphone: what comes has the time at which it came in, and what is not there is named."""
import time

import numpy as np
import pytest
from support import film

from smern_ros.media import capture
from smern_ros.media.capture import Microphone, Webcam
from smern_ros.media.reader import MediaError
from smern_ros.values import SECOND

ALSA = """
pcm.!default {{ type file  slave.pcm "silent"  file "/dev/null"  infile "{infile}"  format "raw" }}
pcm.silent {{ type null }}
ctl.!default {{ type hw  card 0 }}
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
    with pytest.raises(MediaError, match='gives no more frames'):
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
    with pytest.raises(MediaError, match="microphone 'usb' gives no more sound"):
        for block in capture._PortAudio(port, 'usb', 16000, time.time_ns):
            blocks.append(block)
    assert len(blocks) == 2 and port.closed
