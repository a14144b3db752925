"""Of which frames others are told: while nobody speaks there is little to say, and a message costs all who listen."""
from __future__ import annotations

from smern_ros.audio.stream import FRAME_NS, Activity

QUIET_PERIOD = 3
"""Of this many frames in which nobody speaks, one is told: some ten a second still say how far the sound was heard."""


class ActivityDecimator:
    """Asked in the order of frames."""

    def __init__(self) -> None:
        self._told: Activity | None = None  # the last

    def should_publish(self, frame: Activity) -> bool:
        """All of speech, whatever differs from what was told before, and where the time jumped; of the rest some."""
        told = self._told
        if told is not None and not frame.is_speaking:
            same = (frame.is_speaking, frame.muted) == (told.is_speaking, told.muted)
            if same and 0 < frame.stamp_ns - told.stamp_ns < QUIET_PERIOD * FRAME_NS:
                return False
        self._told = frame
        return True
