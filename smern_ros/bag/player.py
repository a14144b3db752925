# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plays what a bag holds, in its own time or as fast as the graph can follow. Needs no ROS."""
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
"""s in which nothing was recorded; a longer time is that of a clock that was set meanwhile, and is not waited for."""
LOOKS_AGAIN = 1.0
"""s after which a track that waits looks whether the other waits, too."""


@dataclass(frozen=True, eq=False)
class TimedMessage:
    """A message that is ready to be sent."""

    topic: str
    message: Any
    time_ns: int                   # when it was recorded
    start_ns: int | None = None    # its stamp; None: it has none
    end_ns: int | None = None      # of sound: of its last sample; None: a picture


class Player:
    """Plays pictures and sound in a thread each, since each waits for other answers.

    :param pictures, sound: in the order in which they were recorded.
    :param send: called with each piece, from its own thread.
    :param on_error: called with what went wrong; the other thread goes on.
    :param on_end: called after the last piece, unless stopped.
    :param rate: 1 plays as it was recorded, 0 waits for nothing but the back-pressure.
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
        self._due = {'pictures': -math.inf, 'sound': -math.inf}  # s by this machine's clock: what each track waits for
        self._pacing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='player', daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End at once, from any thread but those of the callbacks."""
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
            target=self._play, args=('pictures', pictures, self._may_show, self._pressure.no_more_frames),
            name='player.pictures', daemon=True,
        )
        thread.start()
        self._play('sound', sound, self._may_sound, self._pressure.no_more_audio)
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
        may_go: Callable[[TimedMessage], bool],
        no_more: Callable[[], None],
    ) -> None:
        try:
            for piece in track:
                if not self._wait_until(name, piece.time_ns) or not may_go(piece):
                    return
                self._send(piece)
        except Exception as error:  # the bag's or a callback's
            self._on_error(error)
        finally:
            with self._pacing:
                self._due[name] = math.inf
            no_more()

    def _may_show(self, piece: TimedMessage) -> bool:
        return piece.start_ns is None or self._pressure.wait_for_frame(piece.start_ns)

    def _may_sound(self, piece: TimedMessage) -> bool:
        if piece.start_ns is None or piece.end_ns is None:
            return not self._stopping.is_set()
        return self._pressure.wait_for_audio(piece.start_ns, piece.end_ns)

    def _wait_until(self, name: str, time_ns: int) -> bool:
        """:return: False if all is to stop."""
        while self._rate and not self._stopping.is_set():
            left = self._left(name, time_ns)
            if left <= 0:
                break
            self._stopping.wait(min(left, LOOKS_AGAIN))
        return not self._stopping.is_set()

    def _left(self, name: str, time_ns: int) -> float:
        """s to wait. What neither track has anything in is passed over if it is too long."""
        with self._pacing:
            now = time.monotonic()
            due = self._due[name] = self._began + (time_ns - self._first_ns) / SECOND / self._rate
            pause = min(self._due.values()) - now
            if pause > MAX_PAUSE / self._rate:
                self._began -= pause
                self._due = {track: at - pause for track, at in self._due.items()}
                due -= pause
            return due - now
