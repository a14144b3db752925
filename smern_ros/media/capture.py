"""A camera and a microphone of this computer, with the times at which light and sound came in."""
from __future__ import annotations

import contextlib
import os
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from smern_ros.media.reader import MediaError
from smern_ros.media.tracks import AudioBlock, VideoFrame
from smern_ros.values import SECOND

MAX_AGE = SECOND
"""ns; a driver that tells an older (or a future) capture time counts on another clock and is not believed."""


MAX_SILENCE = 3.0
"""s without a single block of sound, even of silence, after which a microphone is lost."""


class Webcam:
    """A camera through OpenCV. Iterating gives its frames until `close`.

    :param device: number, path (/dev/video0) or address of a stream.
    :param clock: gives the time in ns on whose line the stamps shall lie.
    :raises MediaError: if there is no such camera or another program has it.
    """

    def __init__(self, device: str = '0', *, width: int = 640, height: int = 480, rate: float = 30.0,
                 clock: Callable[[], int] = time.time_ns):
        import cv2

        self._device, self._clock, self._closed = device, clock, False
        self._monotonic = cv2.CAP_PROP_POS_MSEC  # Video4Linux: when the frame was captured, on the steady clock
        self._capture = cv2.VideoCapture(int(device) if device.isdecimal() else device)
        if not self._capture.isOpened():
            there = ', '.join(str(path) for path in sorted(Path('/dev').glob('video*'))) or 'none'
            raise MediaError(
                f'camera {device!r} cannot be opened: it is not there, in use, or not permitted (group video); '
                f'cameras of this computer: {there}'
            )
        for setting, value in ((cv2.CAP_PROP_FRAME_WIDTH, width), (cv2.CAP_PROP_FRAME_HEIGHT, height),
                               (cv2.CAP_PROP_FPS, rate), (cv2.CAP_PROP_BUFFERSIZE, 2)):
            self._capture.set(setting, value)

    def __iter__(self) -> Iterator[VideoFrame]:
        """:raises MediaError: if the camera gives no more frames."""
        try:
            while not self._closed:
                good, image = self._capture.read()
                if not good:
                    raise MediaError(f'camera {self._device!r} gives no more frames')
                age_ns = time.monotonic_ns() - round(self._capture.get(self._monotonic) * 1e6)
                yield VideoFrame(self._clock() - (age_ns if 0 <= age_ns < MAX_AGE else 0), image)
        finally:
            self._capture.release()

    def close(self) -> None:
        """End the iteration at its next frame; from any thread."""
        self._closed = True


class Microphone:
    """A microphone, through PortAudio (`sounddevice`) where that is installed, else directly from ALSA.

    :param device: its name or number, or part of its name; '' is the system's default.
    :raises MediaError: if there is no such microphone or another program has it.
    """

    def __init__(self, device: str = '', *, sample_rate: int = 16000, clock: Callable[[], int] = time.time_ns):
        try:
            import sounddevice
        except (ImportError, OSError):  # the latter: the module is there, the PortAudio library is not
            self._source: _PortAudio | _Alsa = _Alsa(device, sample_rate, clock)
        else:
            self._source = _PortAudio(sounddevice, device, sample_rate, clock)

    def __iter__(self) -> Iterator[AudioBlock]:
        """Mono. :raises MediaError: if the microphone gives no more sound."""
        return iter(self._source)

    def close(self) -> None:
        """End the iteration at its next block; from any thread."""
        self._source.close()


class _PortAudio:
    def __init__(self, sounddevice, device: str, sample_rate: int, clock: Callable[[], int]):
        self._device, self._clock = device or '(default)', clock
        self._blocks: queue.Queue[AudioBlock | None] = queue.Queue(maxsize=500)
        name = int(device) if device.isdecimal() else device or None
        try:
            self._stream = sounddevice.InputStream(
                samplerate=sample_rate, channels=1, dtype='int16', blocksize=sample_rate // 50, device=name,
                callback=self._take,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            there = ', '.join(repr(d['name']) for d in sounddevice.query_devices() if d['max_input_channels']) or 'none'
            raise MediaError(
                f'microphone {self._device!r} cannot be opened: {error}; microphones of this computer: {there}'
            ) from error

    def _take(self, samples, _count, times, _status) -> None:
        """On PortAudio's thread. `times` tells on one clock what time is now and was at the first sample."""
        rate = round(self._stream.samplerate)
        age_ns = round((times.currentTime - times.inputBufferAdcTime) * SECOND)
        if not 0 < age_ns < MAX_AGE:
            age_ns = len(samples) * SECOND // rate
        with contextlib.suppress(queue.Full):  # nobody listens
            self._blocks.put_nowait(AudioBlock(self._clock() - age_ns, samples.copy(), rate))

    def __iter__(self) -> Iterator[AudioBlock]:
        try:
            while (block := self._blocks.get(timeout=MAX_SILENCE)) is not None:
                yield block
        except queue.Empty:  # PortAudio says nothing of a microphone that was pulled out
            raise MediaError(f'microphone {self._device!r} gives no more sound') from None
        finally:
            self._stream.close()

    def close(self) -> None:
        self._blocks.put(None)


class _Alsa:
    def __init__(self, device: str, sample_rate: int, clock: Callable[[], int]):
        import av

        # PyAV's wheel looks for ALSA's settings where it was built.
        if os.path.exists('/usr/share/alsa/alsa.conf'):
            os.environ.setdefault('ALSA_CONFIG_PATH', '/usr/share/alsa/alsa.conf')
        self._device, self._clock, self._closed = device or 'default', clock, False
        try:
            self._container = av.open(
                self._device, format='alsa', options={'sample_rate': str(sample_rate), 'channels': '1'}
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError(
                f'microphone {self._device!r} cannot be opened through ALSA ({error}); '
                'with PortAudio (apt install libportaudio2) more kinds of microphones work'
            ) from error

    def __iter__(self) -> Iterator[AudioBlock]:
        import av

        try:
            for frame in self._container.decode(audio=0):
                if self._closed:
                    return
                samples = frame.to_ndarray().reshape(-1, 1)
                # ALSA stamps the first sample by the system's clock.
                age_ns = time.time_ns() - round((frame.time or 0) * SECOND)
                if not 0 <= age_ns < MAX_AGE:
                    age_ns = len(samples) * SECOND // frame.sample_rate
                yield AudioBlock(self._clock() - age_ns, samples, frame.sample_rate)
            raise MediaError(f'microphone {self._device!r} gives no more sound')
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f'microphone {self._device!r} gives no more sound: {error}') from error
        finally:
            self._container.close()

    def close(self) -> None:
        self._closed = True
