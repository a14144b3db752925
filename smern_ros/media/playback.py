# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A file played in time, as a camera and a microphone would give it, or as fast as it is taken."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from smern_ros.media.back_pressure import BackPressure
from smern_ros.media.reader import MediaReader
from smern_ros.media.tracks import AUDIO_JITTER, AudioBlock, VideoFrame
from smern_ros.values import SECOND


def chunks(blocks: Iterable[AudioBlock], seconds: float) -> Iterator[AudioBlock]:
    """The same samples in chunks of `seconds`; the last one, and the last before a gap or another format, is shorter.

    Stamps are counted in samples from the first block, and anew after a gap.
    """
    waiting = np.zeros((0, 1), np.int16)
    anchor_ns = given = sample_rate = 0  # the stamp of a sample is anchor + its number since there / rate
    for block in blocks:
        expected_ns = anchor_ns + (given + len(waiting)) * SECOND // max(sample_rate, 1)
        same_format = block.sample_rate == sample_rate and block.samples.shape[1] == waiting.shape[1]
        if not same_format or abs(block.stamp_ns - expected_ns) >= AUDIO_JITTER:
            if len(waiting):
                yield AudioBlock(anchor_ns + given * SECOND // sample_rate, waiting, sample_rate)
            anchor_ns, given, sample_rate = block.stamp_ns, 0, block.sample_rate
            waiting = block.samples[:0]
        waiting = np.concatenate([waiting, block.samples])
        size = max(round(seconds * sample_rate), 1)
        while len(waiting) >= size:
            yield AudioBlock(anchor_ns + given * SECOND // sample_rate, waiting[:size], sample_rate)
            waiting, given = waiting[size:], given + size
    if len(waiting):
        yield AudioBlock(anchor_ns + given * SECOND // sample_rate, waiting, sample_rate)


def silence_after(block: AudioBlock, seconds: float) -> AudioBlock:
    """Zeros that follow a block, in its format."""
    count = round(seconds * block.sample_rate)
    return AudioBlock(block.end_ns, np.zeros((count, block.samples.shape[1]), np.int16), block.sample_rate)


class Playback:
    """Plays a file in two threads, one for each track; stamps count from the start of the first pass.

    A frame comes at its time, a chunk of sound when its last sample has been "recorded". After the end the microphone
    goes on in silence, so that the last utterance ends. In a loop it does so wherever a pass has pictures and no sound.

    :param show: called with each frame. :param sound: called with each chunk. Each from its track's own thread.
    :param on_error: called with what went wrong; playing goes on if it can.
    :param on_end: called after the last pass, unless stopped.
    :param rate: 1 is real time; 0 waits for nothing but back-pressure.
    :param chunk: seconds of sound in a chunk. :param silence: seconds of silence after the end.
    """

    def __init__(
        self,
        reader: MediaReader,
        *,
        show: Callable[[VideoFrame], object],
        sound: Callable[[AudioBlock], object],
        on_error: Callable[[Exception], object],
        on_end: Callable[[], object],
        rate: float = 1.0,
        chunk: float = 0.032,
        loop: bool = False,
        silence: float = 1.5,
        pressure: BackPressure | None = None,
    ):
        self._reader = reader
        self._show, self._sound = show, sound
        self._on_error, self._on_end = on_error, on_end
        self._rate, self._chunk, self._loop, self._silence = rate, chunk, loop, silence
        self._pressure = pressure
        self._stopping = threading.Event()
        self._began = 0.0
        self._offset_ns = 0  # of the present pass
        self._end_ns = 0     # of what has been played, sound without the silence
        self._showing = False
        self._moved = threading.Condition()  # guards the two above
        self._last: AudioBlock | None = None  # of the sound that was sent
        self._thread = threading.Thread(target=self._run, name='playback', daemon=True)

    def start(self) -> None:
        self._began = time.monotonic()
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End at once, from any thread but those of the callbacks."""
        self._stopping.set()
        with self._moved:
            self._moved.notify_all()
        if self._pressure is not None:
            self._pressure.stop()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._pressure is not None:
                self._pressure.begin()
            self._showing = True
            frames = threading.Thread(target=self._guard, args=(self._play_frames,), name='playback.video', daemon=True)
            frames.start()
            self._guard(self._play_sound)
            frames.join()
            self._guard(self._tell_problem)
            if not self._loop or self._end_ns == self._offset_ns:  # an endless loop over nothing would be a busy one
                break
            self._offset_ns = self._end_ns
        if self._pressure is not None:
            self._pressure.drain()
        if not self._stopping.is_set():
            self._on_end()

    def _guard(self, play: Callable[[], None]) -> None:
        try:
            play()
        except Exception as error:  # a decoder's or a callback's; the other track goes on
            self._on_error(error)

    def _tell_problem(self) -> None:
        problem = self._reader.problem()
        if problem is not None and self._offset_ns == 0:  # of a later pass it is the same
            raise problem

    def _play_frames(self) -> None:
        try:
            previous_ns, period_ns = None, SECOND // 25
            for frame in self._reader.video():
                stamp_ns = frame.stamp_ns + self._offset_ns
                if previous_ns is not None:
                    period_ns = stamp_ns - previous_ns
                previous_ns = stamp_ns
                if not self._wait_until(stamp_ns) or not self._may_show(stamp_ns):
                    return
                self._show(VideoFrame(stamp_ns, frame.image))
                self._played(stamp_ns + period_ns)
        finally:
            if self._pressure is not None:
                self._pressure.no_more_frames()
            with self._moved:
                self._showing = False
                self._moved.notify_all()

    def _play_sound(self) -> None:
        try:
            begun = False
            for chunk in chunks(self._reader.audio(), self._chunk):
                chunk = AudioBlock(chunk.stamp_ns + self._offset_ns, chunk.samples, chunk.sample_rate)
                if not (begun or self._send_silence(chunk.stamp_ns)) or not self._send(chunk):
                    return
                begun = True
                self._played(chunk.end_ns)
            if self._last is None:
                return
            if not self._loop:
                self._send_silence(self._last.end_ns + round(self._silence * SECOND))
                return
            while self._send_silence(self._shown_until(self._last.end_ns)) and self._showing:
                pass
        finally:
            if self._pressure is not None:
                self._pressure.no_more_audio()

    def _shown_until(self, heard_ns: int) -> int:
        """Wait until the video is a chunk ahead of `heard_ns`, or ended. :return: end of the video in ns."""
        wanted_ns = heard_ns + round(self._chunk * SECOND)
        with self._moved:
            self._moved.wait_for(lambda: not self._showing or self._end_ns >= wanted_ns or self._stopping.is_set())
            return self._end_ns

    def _send_silence(self, end_ns: int) -> bool:
        """Send silence from the end of the last audio, if any, to `end_ns`. :return: False if playback stops."""
        seconds = 0.0 if self._last is None else (end_ns - self._last.end_ns) / SECOND
        if self._last is None or seconds <= 0:
            return not self._stopping.is_set()
        return all(self._send(silent) for silent in chunks([silence_after(self._last, seconds)], self._chunk))

    def _send(self, chunk: AudioBlock) -> bool:
        if not self._wait_until(chunk.end_ns):
            return False
        if self._pressure is not None and not self._pressure.wait_for_audio(chunk.stamp_ns, chunk.end_ns):
            return False
        self._sound(chunk)
        self._last = chunk
        return True

    def _may_show(self, stamp_ns: int) -> bool:
        return self._pressure is None or self._pressure.wait_for_frame(stamp_ns)

    def _wait_until(self, media_ns: int) -> bool:
        """:return: False if playback stops."""
        if self._rate == 0:
            return not self._stopping.is_set()
        due = self._began + media_ns / SECOND / self._rate
        return not self._stopping.wait(max(0.0, due - time.monotonic()))

    def _played(self, end_ns: int) -> None:
        with self._moved:
            self._end_ns = max(self._end_ns, end_ns)
            self._moved.notify_all()
