# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frame skipping while nobody is in view. Depends on stamps only, so a replay skips the same frames."""
from __future__ import annotations

from smern_ros.values import SECOND

IDLE_RATE = 4.0
"""Hz at which frames are processed while nobody is in view: a person who enters is found within 0.25 s, or within two
frames of a slower camera."""
HOLD_TIME = 2 * SECOND
"""ns after a person was last found during which every frame is processed: a short occlusion is not an absence."""


class IdleFrameSkipper:
    """Call `should_process` before each frame, and `record_processed` after each processed frame."""

    def __init__(self, idle_rate: float = IDLE_RATE) -> None:
        """:param idle_rate: Hz at which frames are processed while nobody is in view; 0: all frames."""
        if not idle_rate >= 0:
            raise ValueError(f'idle_rate is {idle_rate}; expected Hz, or 0 for all frames')
        self._period_ns = round(SECOND / idle_rate) if idle_rate else 0
        self._processed_ns: int | None = None
        self._seen_ns: int | None = None

    def should_process(self, stamp_ns: int) -> bool:
        """Whether to process the frame of this stamp. A jump of the stamps starts a new stream."""
        last_ns = self._processed_ns
        if last_ns is None or stamp_ns < last_ns or stamp_ns - last_ns >= self._period_ns:
            return True
        return self._seen_ns is not None and stamp_ns - self._seen_ns <= HOLD_TIME

    def record_processed(self, stamp_ns: int, *, anybody: bool) -> None:
        """Report a processed frame. :param anybody: whether a person was found."""
        if self._processed_ns is not None and stamp_ns < self._processed_ns:
            self._seen_ns = None
        self._processed_ns = stamp_ns
        if anybody:
            self._seen_ns = stamp_ns
