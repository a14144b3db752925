# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera and a microphone of this computer, with the times at which light and sound came in."""
from __future__ import annotations

import contextlib
import os
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from smern_ros.audio.channels import AUTOMATIC, Downmix, pick
from smern_ros.audio.pcm import MAX_CHANNELS
from smern_ros.audio.resampler import Resampler
from smern_ros.media.reader import MediaError
from smern_ros.media.tracks import AudioBlock, VideoFrame
from smern_ros.values import SECOND

MAX_AGE = SECOND
"""ns; a driver that tells an older (or a future) capture time counts on another clock and is not believed."""


ALSA_CHANNELS = (2, 4, 6, 8)
"""Numbers of channels to try; ALSA has no machine-readable list of them."""
MAX_SILENCE = 3.0
"""s without any block of audio, even of silence, after which a microphone is lost."""


class Webcam:
    """A camera, opened with OpenCV. Iteration yields its frames until `close`.

    :param device: number, path (/dev/video0) or URL of a stream.
    :param clock: returns the time in ns, for the stamps.
    :raises MediaError: if the camera does not exist or is in use.
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
        """:raises MediaError: if the camera delivers no more frames."""
        try:
            while not self._closed:
                good, image = self._capture.read()
                if not good:
                    raise MediaError(f'camera {self._device!r} delivers no more frames')
                age_ns = time.monotonic_ns() - round(self._capture.get(self._monotonic) * 1e6)
                yield VideoFrame(self._clock() - (age_ns if 0 <= age_ns < MAX_AGE else 0), image)
        finally:
            self._capture.release()

    def close(self) -> None:
        """End the iteration at the next frame. Thread-safe."""
        self._closed = True


class Microphone:
    """A microphone, opened with PortAudio (`sounddevice`) if installed, else with ALSA.

    If it does not support `sample_rate` and one channel, it is opened at its own rate with all channels.

    :param device: name, part of the name, or number; '': the default of the system.
    :param channel: channel from 0; AUTOMATIC: their mean, or the loudest if they cancel each other.
    :raises MediaError: if the microphone or channel does not exist, or is in use.
    """

    def __init__(
        self, device: str = '', *, sample_rate: int = 16000, channel: int = AUTOMATIC,
        clock: Callable[[], int] = time.time_ns,
    ):
        self._sample_rate, self._channel = sample_rate, channel
        try:
            import sounddevice
        except (ImportError, OSError):  # OSError: the PortAudio library is missing
            self._source: _PortAudio | _Alsa = _Alsa(device, sample_rate, clock, channel)
        else:
            self._source = _PortAudio(sounddevice, device, sample_rate, clock, channel)

    def __iter__(self) -> Iterator[AudioBlock]:
        """Mono audio at `sample_rate`. :raises MediaError: if the microphone delivers no more audio."""
        return mono(self._source, self._sample_rate, self._channel)

    def close(self) -> None:
        """End the iteration at the next block. Thread-safe."""
        self._source.close()


def mono(blocks: Iterable[AudioBlock], sample_rate: int, channel: int = AUTOMATIC) -> Iterator[AudioBlock]:
    """Convert blocks to one channel at `sample_rate`.

    :param channel: see `Microphone`.
    """
    downmix, resampler, rate = Downmix(), Resampler(sample_rate, sample_rate), sample_rate
    taken = given = 0  # samples since the resampler began
    for block in blocks:
        if block.sample_rate == sample_rate and block.samples.shape[1] == 1:
            yield block
            continue
        if block.sample_rate != rate:
            resampler, rate, taken, given = Resampler(block.sample_rate, sample_rate), block.sample_rate, 0, 0
        samples = block.samples if channel == AUTOMATIC else pick(block.samples, channel)
        heard = resampler.push(downmix.push(samples.astype(np.float32) / 32768, rate))
        # The first output sample may be older than the block: the filter has a delay.
        stamp_ns = block.stamp_ns + given * SECOND // sample_rate - taken * SECOND // rate
        taken, given = taken + len(samples), given + len(heard)
        if len(heard):
            yield AudioBlock(stamp_ns, np.clip(np.rint(heard * 32768), -32768, 32767).astype(np.int16)[:, None],
                             sample_rate)


class _PortAudio:
    def __init__(self, sounddevice, device: str, sample_rate: int, clock: Callable[[], int], channel: int = AUTOMATIC):
        self._device, self._clock, self._closed = device or '(default)', clock, False
        self._blocks: queue.Queue[AudioBlock | None] = queue.Queue(maxsize=500)
        name = int(device) if device.isdecimal() else device or None
        errors: list[str] = []
        for again in (False, True):
            if again:  # PortAudio lists devices once; restart it to find those plugged in since
                with contextlib.suppress(Exception):
                    sounddevice._terminate()
                    sounddevice._initialize()
            for rate, channels in self._formats(sounddevice, name, sample_rate, channel):
                try:
                    self._open(sounddevice, name, rate, channels)
                    return
                except (sounddevice.PortAudioError, ValueError) as error:
                    errors.append(f'{error} ({rate} Hz, {channels} channels)')
        there = ', '.join(repr(d['name']) for d in sounddevice.query_devices() if d['max_input_channels']) or 'none'
        raise MediaError(
            f'microphone {self._device!r} cannot be opened: {"; ".join(dict.fromkeys(errors))}; '
            f'microphones of this computer: {there}'
        )

    def _formats(
        self, sounddevice, name: int | str | None, rate: int, channel: int
    ) -> Iterator[tuple[int, int]]:
        """Yield rates and channels to try. For one channel of several, many drivers mix them."""
        if channel == AUTOMATIC:
            yield rate, 1
        try:
            found = sounddevice.query_devices(name, 'input')
            own_rate, most = round(found['default_samplerate']), int(found['max_input_channels'])
        except (sounddevice.PortAudioError, ValueError):
            if channel != AUTOMATIC:
                yield rate, channel + 1  # its error names the cause
            return
        if channel >= most:
            raise MediaError(
                f'microphone {self._device!r} has {most} channels, from 0; there is no channel {channel}'
            )
        most = min(most, MAX_CHANNELS)
        counts = [1, most, 2] if channel == AUTOMATIC else [most, channel + 1]
        yield from ((r, c) for c in counts if channel < c <= most for r in (rate, own_rate, 48000, 44100))

    def _open(self, sounddevice, name: int | str | None, rate: int, channels: int) -> None:
        stream = sounddevice.InputStream(
            samplerate=rate, channels=channels, dtype='int16', blocksize=rate // 50, device=name, callback=self._take,
        )
        self._stream = stream
        try:
            stream.start()
        except Exception:
            stream.close()
            raise

    def _take(self, samples, _count, times, _status) -> None:
        """On PortAudio's thread. `times` has the current time and that of the first sample, on one clock."""
        rate = round(self._stream.samplerate)
        age_ns = round((times.currentTime - times.inputBufferAdcTime) * SECOND)
        if not 0 < age_ns < MAX_AGE:
            age_ns = len(samples) * SECOND // rate
        with contextlib.suppress(queue.Full):  # no consumer
            self._blocks.put_nowait(AudioBlock(self._clock() - age_ns, samples.copy(), rate))

    def __iter__(self) -> Iterator[AudioBlock]:
        try:
            while not self._closed and (block := self._blocks.get(timeout=MAX_SILENCE)) is not None:
                yield block
        except queue.Empty:  # PortAudio does not report an unplugged microphone
            raise MediaError(f'microphone {self._device!r} delivers no more audio') from None
        finally:
            self._stream.close()

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(queue.Full):  # then no consumer waits
            self._blocks.put_nowait(None)


class _Alsa:
    def __init__(self, device: str, sample_rate: int, clock: Callable[[], int], channel: int = AUTOMATIC):
        import av

        # PyAV's wheel looks for ALSA's configuration at the path of its build.
        if os.path.exists('/usr/share/alsa/alsa.conf'):
            os.environ.setdefault('ALSA_CONFIG_PATH', '/usr/share/alsa/alsa.conf')
        self._device, self._clock, self._closed = device or 'default', clock, False
        names = [self._device]
        if self._device.startswith('hw:'):  # has its own format only, and FFmpeg needs 16 bit; plughw converts
            names.append(f'plug{self._device}')
        counts = [1, *ALSA_CHANNELS]
        if channel != AUTOMATIC:  # for one of several, ALSA may mix them
            counts = sorted({channel + 1, *(n for n in ALSA_CHANNELS if n > channel)}, reverse=True)
        errors: list[str] = []
        for name in names:
            # ALSA replaces an unsupported rate by the nearest, but not a number of channels.
            for channels in counts:
                try:
                    self._container = av.open(
                        name, format='alsa', options={'sample_rate': str(sample_rate), 'channels': str(channels)}
                    )
                    return
                except (av.error.FFmpegError, OSError, ValueError) as error:
                    errors.append(str(error))
        raise MediaError(
            f'microphone {self._device!r} cannot be opened through ALSA with {" or ".join(map(str, sorted(counts)))} '
            f'channels ({"; ".join(dict.fromkeys(errors))}); '
            'with PortAudio (apt install libportaudio2) more kinds of microphones work'
        )

    def __iter__(self) -> Iterator[AudioBlock]:
        import av

        to_int16 = av.AudioResampler(format='s16')  # keeps rate and channels
        try:
            for frame in self._container.decode(audio=0):
                if self._closed:
                    return
                # ALSA stamps the first sample with the system clock.
                age_ns = time.time_ns() - round((frame.time or 0) * SECOND)
                for converted in to_int16.resample(frame):
                    samples = converted.to_ndarray().reshape(-1, len(converted.layout.channels))
                    if not 0 <= age_ns < MAX_AGE:
                        age_ns = len(samples) * SECOND // frame.sample_rate
                    yield AudioBlock(self._clock() - age_ns, samples, frame.sample_rate)
            raise MediaError(f'microphone {self._device!r} delivers no more audio')
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f'microphone {self._device!r} delivers no more audio: {error}') from error
        finally:
            self._container.close()

    def close(self) -> None:
        self._closed = True
