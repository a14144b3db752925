# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plays the messages of a bag at a given rate or as fast as the graph can follow. Needs no ROS."""
from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from smern_ros.media.back_pressure import BackPressure
from smern_ros.values import SECOND

MAX_PAUSE = 600.0
"""s without recorded messages; a longer pause is skipped: the clock was set during the recording."""
RECHECK_PERIOD = 1.0
"""s after which a waiting track checks whether the other one waits, too."""


@dataclass(frozen=True, eq=False)
class TimedMessage:
    """A message to publish."""

    topic: str
    message: Any
    time_ns: int                   # of recording
    start_ns: int | None = None    # its stamp; None: without stamp
    end_ns: int | None = None      # end of its samples; None: an image


class Player:
    """Plays images and audio in a thread each, since each waits for different acknowledgements.

    :param pictures, sound: in the order of recording.
    :param send: called with each message, from the thread of its track.
    :param on_error: called with an exception; the other track goes on.
    :param on_end: called after the last message, unless stopped.
    :param rate: 1 for the recorded speed; 0: limited by the back-pressure alone.
    """

    def __init__(
        self,
        pictures: Iterable[TimedMessage],
        sound: Iterable[TimedMessage],
        *,
        send: Callable[[TimedMessage], object],
        on_error: Callable[[Exception], object],
        on_end: Callable[[], object],
        rate: float,
        pressure: BackPressure,
    ) -> None:
        self._pictures, self._sound = iter(pictures), iter(sound)
        self._send, self._on_error, self._on_end = send, on_error, on_end
        self._rate, self._pressure = rate, pressure
        self._began, self._first_ns = 0.0, 0
        self._due = {'pictures': -math.inf, 'sound': -math.inf}  # s, steady clock: next message of each track
        self._pacing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='player', daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Stop at once. Do not call from a callback."""
        self._stopping.set()
        self._pressure.stop()
        self._thread.join(timeout)

    def _run(self) -> None:
        first = [piece for track in (self._pictures, self._sound) for piece in [self._next(track)]]
        self._first_ns = min((piece.time_ns for piece in first if piece is not None), default=0)
        self._began = time.monotonic()
        pictures, sound = (
            itertools.chain([piece] if piece is not None else [], track)
            for piece, track in zip(first, (self._pictures, self._sound), strict=True)
        )
        thread = threading.Thread(
            target=self._play, args=('pictures', pictures, self._wait_for_frame, self._pressure.no_more_frames),
            name='player.pictures', daemon=True,
        )
        thread.start()
        self._play('sound', sound, self._wait_for_audio, self._pressure.no_more_audio)
        thread.join()
        self._pressure.drain()
        if not self._stopping.is_set():
            self._on_end()

    def _next(self, track: Iterator[TimedMessage]) -> TimedMessage | None:
        try:
            return next(track, None)
        except Exception as error:
            self._on_error(error)
            return None

    def _play(
        self,
        name: str,
        track: Iterator[TimedMessage],
        wait_for_ack: Callable[[TimedMessage], bool],
        on_track_end: Callable[[], None],
    ) -> None:
        try:
            for piece in track:
                if not self._wait_until(name, piece.time_ns) or not wait_for_ack(piece):
                    return
                self._send(piece)
        except Exception as error:  # of the bag or a callback
            self._on_error(error)
        finally:
            with self._pacing:
                self._due[name] = math.inf
            on_track_end()

    def _wait_for_frame(self, piece: TimedMessage) -> bool:
        return piece.start_ns is None or self._pressure.wait_for_frame(piece.start_ns)

    def _wait_for_audio(self, piece: TimedMessage) -> bool:
        if piece.start_ns is None or piece.end_ns is None:
            return not self._stopping.is_set()
        return self._pressure.wait_for_audio(piece.start_ns, piece.end_ns)

    def _wait_until(self, name: str, time_ns: int) -> bool:
        """:return: False if the player is being stopped."""
        while self._rate and not self._stopping.is_set():
            left = self._left(name, time_ns)
            if left <= 0:
                break
            self._stopping.wait(min(left, RECHECK_PERIOD))
        return not self._stopping.is_set()

    def _left(self, name: str, time_ns: int) -> float:
        """s to wait. Pauses of both tracks longer than `MAX_PAUSE` are skipped."""
        with self._pacing:
            now = time.monotonic()
            due = self._due[name] = self._began + (time_ns - self._first_ns) / SECOND / self._rate
            pause = min(self._due.values()) - now
            if pause > MAX_PAUSE / self._rate:
                self._began -= pause
                self._due = {track: at - pause for track, at in self._due.items()}
                due -= pause
            return due - now
