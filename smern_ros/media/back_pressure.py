# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Back-pressure: a file is played no faster than the graph processes it, so that nothing is lost."""
from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from smern_ros.values import SECOND

FRAMES_AHEAD = 4
"""Frames in flight; fewer than any queue on their way holds."""

AUDIO_AHEAD = SECOND // 2
"""ns of audio in flight."""

UNACKED_AUDIO = SECOND // 5
"""ns at the end of all audio without acknowledgement: in silence only every third frame is published."""

FRAMES_BEFORE_AUDIO = 2 * SECOND
"""ns that frames may be ahead of the sound: less than the skeletons of which windows are cut are kept."""


class BackPressure:
    """Blocks frames and audio until earlier ones are acknowledged.

    - A frame waits until fewer than FRAMES_AHEAD are under way, and for the sound to come near.
    - Sound waits for the frames up to its end, so that the movement of an utterance is there when it ends; until less
      than AUDIO_AHEAD is under way; and while an ended utterance has no final state.

    Without any acknowledgement for `patience` seconds, one more piece is let through.

    :param frames: frames are acknowledged. :param audio: audio is acknowledged.
    :param states: utterances are acknowledged by final states.
    :param on_stall: called with the reason when `patience` runs out.
    """

    def __init__(
        self, *, frames: bool, audio: bool, states: bool, patience: float = 10.0, on_stall: Callable[[str], object]
    ):
        self._frames, self._audio, self._states = frames, audio, states
        self._patience = patience
        self._on_stall = on_stall
        self._changed = threading.Condition()
        self._in_flight: deque[int] = deque()  # stamps of frames that were sent and not acknowledged
        self._acked_frame_ns: int | None = None
        self._acked_audio_ns: int | None = None
        self._sent_ns = 0                      # end of the newest audio that was let through
        self._awaited_states: set[str] = set()
        self._acked_states: deque[str] = deque(maxlen=100)
        self.begin()
        self._acked_at = -float('inf')      # steady time of the last acknowledgement
        self._stopped = False

    def begin(self) -> None:
        """Start a pass over the file."""
        with self._changed:
            self._more_frames, self._more_audio = self._frames, self._audio

    # --- what came out ----------------------------------------------------------------------------------------

    def ack_frames(self, stamp_ns: int) -> None:
        """Acknowledge all frames up to this stamp."""
        with self._changed:
            self._acked_frame_ns = max(stamp_ns, self._acked_frame_ns or 0)
            while self._in_flight and self._in_flight[0] <= stamp_ns:
                self._in_flight.popleft()
            self._acked()

    def ack_audio(self, stamp_ns: int) -> None:
        """Acknowledge all audio up to this stamp."""
        with self._changed:
            self._acked_audio_ns = max(stamp_ns, self._acked_audio_ns or 0)
            self._acked()

    def utterance_ended(self, utterance_id: str) -> None:
        """An utterance ended: its final state is awaited."""
        with self._changed:
            if self._states and utterance_id not in self._acked_states:  # a message may overtake another
                self._awaited_states.add(utterance_id)

    def ack_state(self, utterance_id: str) -> None:
        """Acknowledge the final state of an utterance."""
        with self._changed:
            self._acked_states.append(utterance_id)
            self._awaited_states.discard(utterance_id)
            self._acked()

    def _acked(self) -> None:
        self._acked_at = time.monotonic()
        self._changed.notify_all()

    # --- what goes in -----------------------------------------------------------------------------------------

    def wait_for_frame(self, stamp_ns: int) -> bool:
        """Wait until a frame may be sent. :return: False if it must not be, because all is to stop."""
        with self._changed:
            allowed = self._wait(lambda: self._frame_allowed(stamp_ns), 'skeletons')
            if self._frames:
                self._in_flight.append(stamp_ns)
            return allowed

    def wait_for_audio(self, start_ns: int, end_ns: int) -> bool:
        """Wait until a chunk of sound may be sent. :return: False if it must not be, because all is to stop."""
        with self._changed:
            # Gaps in the audio of the file need no acknowledgement.
            if self._acked_audio_ns is None:
                self._acked_audio_ns = start_ns
            else:
                self._acked_audio_ns += max(0, start_ns - self._sent_ns)
            self._sent_ns = end_ns
            self._changed.notify_all()
            return self._wait(lambda: self._audio_allowed(end_ns), 'skeletons, voice activity or final states')

    def no_more_frames(self) -> None:
        with self._changed:
            self._more_frames = False
            self._changed.notify_all()

    def no_more_audio(self) -> None:
        with self._changed:
            self._more_audio = False
            self._changed.notify_all()

    def drain(self) -> bool:
        """Wait until all that was sent has come out. :return: False if all is to stop."""
        with self._changed:
            return self._wait(self._drained, 'skeletons, voice activity or final states')

    def stop(self) -> None:
        """Let nothing more through, and nobody wait."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _drained(self) -> bool:
        acked_ns = self._acked_audio_ns
        audio_done = not self._audio or acked_ns is None or self._sent_ns <= acked_ns + UNACKED_AUDIO
        return audio_done and not (self._in_flight or self._awaited_states)

    def _frame_allowed(self, stamp_ns: int) -> bool:
        acked_ns = self._acked_audio_ns
        near = not self._more_audio or acked_ns is None or stamp_ns <= acked_ns + FRAMES_BEFORE_AUDIO
        return len(self._in_flight) < FRAMES_AHEAD and near

    def _audio_allowed(self, end_ns: int) -> bool:
        frames_due = self._frames and (self._in_flight or self._more_frames)
        if frames_due and (self._acked_frame_ns is None or end_ns > self._acked_frame_ns):
            return False
        if self._awaited_states:
            return False
        return not self._audio or self._acked_audio_ns is None or end_ns <= self._acked_audio_ns + AUDIO_AHEAD

    def _wait(self, allowed: Callable[[], bool], missing: str) -> bool:
        """The lock is held."""
        start = time.monotonic()
        while not self._changed.wait_for(lambda: self._stopped or allowed(), self._remaining(start)):
            if self._remaining(start) > 0:
                continue
            self._on_stall(f'no {missing} for {self._patience:g} s; going on, something may be lost')
            self._in_flight.clear()
            self._awaited_states.clear()
            break
        return not self._stopped

    def _remaining(self, start: float) -> float:
        """Seconds until `patience` runs out."""
        return max(start, self._acked_at) + self._patience - time.monotonic()
