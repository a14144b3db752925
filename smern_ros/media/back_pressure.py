"""Back-pressure: a file is played no faster than those who listen can follow, so that nothing is lost."""
from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from smern_ros.values import SECOND

FRAMES_AHEAD = 4
"""Frames that may be under way; fewer than any queue on their way holds."""

SOUND_AHEAD = SECOND // 2
"""ns of sound that may be under way."""

SOUND_UNHEARD = SECOND // 5
"""ns at the end of all sound for which there is no answer: of silence only every third frame is told."""

FRAMES_BEFORE_SOUND = 2 * SECOND
"""ns that frames may be ahead of the sound: less than the skeletons of which windows are cut are kept."""


class BackPressure:
    """Holds up frames and sound until what was sent before has come out at the other end.

    - A frame waits until fewer than FRAMES_AHEAD are under way, and for the sound to come near.
    - Sound waits for the frames up to its end, so that the movement of an utterance is there when it ends; until less
      than SOUND_AHEAD is under way; and while an ended utterance has no final state.

    If nobody answers for `patience` seconds, one more piece is let through.

    :param sees: somebody acknowledges frames. :param hears: somebody acknowledges sound.
    :param judges: somebody gives final states of utterances.
    :param on_stall: called with what was waited for in vain.
    """

    def __init__(
        self, *, sees: bool, hears: bool, judges: bool, patience: float = 10.0, on_stall: Callable[[str], object]
    ):
        self._sees, self._hears, self._judges = sees, hears, judges
        self._patience = patience
        self._on_stall = on_stall
        self._changed = threading.Condition()
        self._under_way: deque[int] = deque()  # stamps of frames that were sent and not seen
        self._seen_ns: int | None = None
        self._heard_ns: int | None = None
        self._sent_ns = 0                      # end of the newest sound that was let through
        self._unjudged: set[str] = set()
        self._judged: deque[str] = deque(maxlen=100)
        self.begin()
        self._answered_at = -float('inf')      # steady time of the last answer of anybody
        self._stopped = False

    def begin(self) -> None:
        """A pass over the file begins: there is more of both."""
        with self._changed:
            self._more_frames, self._more_sound = self._sees, self._hears

    # --- what came out ----------------------------------------------------------------------------------------

    def seen(self, stamp_ns: int) -> None:
        """All frames up to this one have been seen."""
        with self._changed:
            self._seen_ns = max(stamp_ns, self._seen_ns or 0)
            while self._under_way and self._under_way[0] <= stamp_ns:
                self._under_way.popleft()
            self._answered()

    def heard(self, stamp_ns: int) -> None:
        """All sound up to here has been heard."""
        with self._changed:
            self._heard_ns = max(stamp_ns, self._heard_ns or 0)
            self._answered()

    def ended(self, utterance_id: str) -> None:
        """An utterance is over: its final state is awaited."""
        with self._changed:
            if self._judges and utterance_id not in self._judged:  # a message may overtake another
                self._unjudged.add(utterance_id)

    def judged(self, utterance_id: str) -> None:
        """The final state of an utterance is there."""
        with self._changed:
            self._judged.append(utterance_id)
            self._unjudged.discard(utterance_id)
            self._answered()

    def _answered(self) -> None:
        self._answered_at = time.monotonic()
        self._changed.notify_all()

    # --- what goes in -----------------------------------------------------------------------------------------

    def before_frame(self, stamp_ns: int) -> bool:
        """Wait until a frame may be sent. :return: False if it must not be, because all is to stop."""
        with self._changed:
            go = self._wait(lambda: self._frame_may_go(stamp_ns), 'skeletons')
            if self._sees:
                self._under_way.append(stamp_ns)
            return go

    def before_sound(self, start_ns: int, end_ns: int) -> bool:
        """Wait until a chunk of sound may be sent. :return: False if it must not be, because all is to stop."""
        with self._changed:
            # Where the file has no sound there is nothing to be heard.
            self._heard_ns = start_ns if self._heard_ns is None else self._heard_ns + max(0, start_ns - self._sent_ns)
            self._sent_ns = end_ns
            self._changed.notify_all()
            return self._wait(lambda: self._sound_may_go(end_ns), 'skeletons, voice activity or final states')

    def no_more_frames(self) -> None:
        with self._changed:
            self._more_frames = False
            self._changed.notify_all()

    def no_more_sound(self) -> None:
        with self._changed:
            self._more_sound = False
            self._changed.notify_all()

    def drain(self) -> bool:
        """Wait until all that was sent has come out. :return: False if all is to stop."""
        with self._changed:
            return self._wait(self._all_is_out, 'skeletons, voice activity or final states')

    def stop(self) -> None:
        """Let nothing more through, and nobody wait."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _all_is_out(self) -> bool:
        heard = not self._hears or self._heard_ns is None or self._sent_ns <= self._heard_ns + SOUND_UNHEARD
        return heard and not (self._under_way or self._unjudged)

    def _frame_may_go(self, stamp_ns: int) -> bool:
        near = not self._more_sound or self._heard_ns is None or stamp_ns <= self._heard_ns + FRAMES_BEFORE_SOUND
        return len(self._under_way) < FRAMES_AHEAD and near

    def _sound_may_go(self, end_ns: int) -> bool:
        if self._sees and (self._under_way or self._more_frames) and (self._seen_ns is None or end_ns > self._seen_ns):
            return False
        if self._unjudged:
            return False
        return not self._hears or self._heard_ns is None or end_ns <= self._heard_ns + SOUND_AHEAD

    def _wait(self, may_go: Callable[[], bool], answers: str) -> bool:
        """The lock is held."""
        began = time.monotonic()
        while not self._changed.wait_for(lambda: self._stopped or may_go(), self._left(began)):
            if self._left(began) > 0:
                continue
            self._on_stall(f'no {answers} for {self._patience:g} s; going on, something may be lost')
            self._under_way.clear()
            self._unjudged.clear()
            break
        return not self._stopped

    def _left(self, began: float) -> float:
        """Seconds of patience."""
        return max(began, self._answered_at) + self._patience - time.monotonic()
