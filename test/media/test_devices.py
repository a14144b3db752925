# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The list of cameras and microphones. Drivers and PortAudio are stand-ins here: no test machine has devices."""
import struct
import sys

import pytest

from smern_ros.cli.main import main
from smern_ros.media import devices

PCM = """00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1
00-03: HDMI 0 : HDMI 0 : playback 1
02-00: USB Audio : USB Audio : capture 1
"""
STREAM = """SEEED ReSpeaker 4 Mic Array (UAC1.0) at usb-0000:00:14.0-1, high speed : USB Audio

Playback:
  Status: Stop
  Interface 1
    Altset 1
    Format: S16_LE
    Channels: 2
    Endpoint: 1 OUT (ADAPTIVE)
    Rates: 16000

Capture:
  Status: Stop
  Interface 2
    Altset 1
    Format: S16_LE
    Channels: 6
    Endpoint: 2 IN (ASYNC)
    Rates: 16000, 48000
"""


class FakeDriver:
    """Stands in for Video4Linux's ioctl: a camera with two formats, one with sizes of any kind, or no camera at all."""

    FORMATS = ((b'MJPG', b'Motion-JPEG', [(1280, 720), (640, 480)]), (b'YUYV', b'YUYV 4:2:2', None))

    def __init__(self, this=0x04200001):
        self.this = this

    def __call__(self, handle, request, data):
        numbers = struct.unpack(f'{len(data) // 4}I', data)
        if request == 0x80685600:
            return struct.pack('16s32s32s6I', b'uvcvideo', b'HD Webcam', b'usb-1', 0, 0x84A00001, self.this, 0, 0, 0)
        if request == 0xC0405602 and numbers[0] < len(self.FORMATS):
            code, text, _ = self.FORMATS[numbers[0]]
            return struct.pack('3I32s4s4I', numbers[0], 1, 0, text, code, 0, 0, 0, 0)
        if request == 0xC02C564A:
            sizes = {code: sizes for code, _, sizes in self.FORMATS}[data[4:8]]
            if sizes is None and numbers[0] == 0:
                return struct.pack('11I', 0, numbers[1], 3, 160, 1920, 2, 120, 1080, 2, 0, 0)
            if sizes is not None and numbers[0] < len(sizes):
                return struct.pack('11I', numbers[0], numbers[1], 1, *sizes[numbers[0]], *6 * [0])
        raise OSError(22, 'Invalid argument')


@pytest.fixture
def computer(tmp_path, monkeypatch):
    """Folders that stand in for /dev, /sys and /proc, without sounddevice."""
    for name in ('dev', 'sys', 'proc'):
        (tmp_path / name).mkdir()
    monkeypatch.setitem(sys.modules, 'sounddevice', None)
    return tmp_path


def test_a_camera_is_listed_with_its_formats_and_sizes(computer, monkeypatch):
    monkeypatch.setattr(devices.fcntl, 'ioctl', FakeDriver())
    for name in ('video10', 'video2', 'video-enc'):
        (computer / 'dev' / name).touch()
    found = devices.cameras(computer / 'dev', computer / 'sys')
    assert [(one.device, one.name) for one in found] == [('2', 'HD Webcam'), ('10', 'HD Webcam')]
    assert found[0].can == ('MJPG (Motion-JPEG) 1280x720 640x480', 'YUYV (YUYV 4:2:2) 160x120 to 1920x1080')


def test_a_node_that_gives_no_pictures_is_no_camera(computer, monkeypatch):
    monkeypatch.setattr(devices.fcntl, 'ioctl', FakeDriver(this=0x04A00000))  # metadata of a camera that has pictures
    (computer / 'dev/video1').touch()
    assert devices.cameras(computer / 'dev', computer / 'sys') == []


def test_a_camera_that_cannot_be_asked_is_listed_with_the_reason(computer):
    (computer / 'dev/video0').touch()  # a plain file: no driver answers
    (computer / 'dev/video1').symlink_to(computer / 'gone')
    (computer / 'sys/video0').mkdir()
    (computer / 'sys/video0/name').write_text('HD Webcam\n')
    first, second = devices.cameras(computer / 'dev', computer / 'sys')
    assert first.name == 'HD Webcam' and 'does not tell what it can: Inappropriate ioctl' in first.can[0]
    assert second.name == 'video1' and 'cannot be opened: No such file' in second.can[0]


def test_microphones_are_listed_from_alsa_where_portaudio_is_not_installed(computer):
    (computer / 'proc/pcm').write_text(PCM)
    (computer / 'proc/card2').mkdir()
    (computer / 'proc/card2/stream0').write_text(STREAM)
    library, (first, second) = devices.microphones(computer / 'proc')
    assert library == 'ALSA'
    assert (first.device, first.name, first.can) == ('hw:0,0', 'ALC257 Analog', ('formats are not told',))
    assert (second.device, second.can) == ('hw:2,0', ('6 channels, 16000, 48000 Hz, S16_LE',))


def test_microphones_are_listed_from_portaudio_where_it_is_installed(monkeypatch):
    class PortAudio:
        """Stands in for the sounddevice module."""

        class default:
            device = (1, 0)

        @staticmethod
        def query_devices():
            return [{'name': 'HDMI', 'max_input_channels': 0, 'default_samplerate': 48000.0},
                    {'name': 'ReSpeaker', 'max_input_channels': 6, 'default_samplerate': 16000.0}]

    monkeypatch.setitem(sys.modules, 'sounddevice', PortAudio)
    assert devices.microphones() == (
        'PortAudio', [devices.Found('1', 'ReSpeaker', ('6 channels, 16000 Hz, the default',))]
    )


@pytest.mark.parametrize('portaudio', [True, False])
def test_the_command_says_what_is_there_and_ends_well_if_nothing_is(monkeypatch, capsys, portaudio):
    if not portaudio:
        monkeypatch.setitem(sys.modules, 'sounddevice', None)
    monkeypatch.setattr(devices, 'cameras', list)
    monkeypatch.setattr(devices, '_alsa', lambda _: [])
    assert main(['devices']) == 0
    said = capsys.readouterr().out
    assert 'cameras (Video4Linux)\n  none' in said and 'microphones (' in said
    if not portaudio:
        assert 'microphones (ALSA)\n  none' in said and 'apt install libportaudio2' in said
