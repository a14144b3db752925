"""Of which frames others are told: while nobody speaks there is little to say, and a message costs all who listen."""
from __future__ import annotations

from smern_ros.audio.stream import Activity

QUIET_PERIOD = 3
"""Of this many frames in which nobody speaks, one is told: some ten a second still say how far the sound was heard."""


class Quiet:
    """Asked in the order of frames."""

    def __init__(self) -> None:
        self._last: Activity | None = None  # that was told
        self._untold = 0                    # frames since

    def is_worth_telling(self, frame: Activity) -> bool:
        """All of speech and whatever differs from what was told before; of the rest some."""
        last = self._last
        changed = last is None or (frame.is_speaking, frame.muted) != (last.is_speaking, last.muted)
        if changed or frame.is_speaking or self._untold + 1 >= QUIET_PERIOD:
            self._last, self._untold = frame, 0
            return True
        self._untold += 1
        return False
