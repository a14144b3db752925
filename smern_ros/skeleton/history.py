# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A buffer of raw skeletons, from which windows are cut."""
from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from smern_ros.skeleton.window import cut
from smern_ros.spec import SPEC, FeatureSpec
from smern_ros.values import CLOCK_JUMP, SECOND, Skeleton, SkeletonWindow

LATE = 5 * SECOND
"""ns that are kept beyond the longest window, for utterances that are announced late."""


class SkeletonHistory:
    """Raw skeletons of the last `seconds`.

    Stamps must increase. One frame with an old stamp is rejected; a second one means that the clock jumped back (a
    recording restarts), and clears the buffer.
    """

    def __init__(self, seconds: float = 30.0, spec: FeatureSpec = SPEC):
        self.seconds = seconds  # may be changed at any time
        self._spec = spec
        self._frames: deque[tuple[int, tuple[Skeleton, ...]]] = deque()
        self._suspect_ns: int | None = None  # of the last frame, if it was refused as being from long ago

    @property
    def _span_ns(self) -> int:
        return round(self.seconds * SECOND)

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest frame, with or without people."""
        return self._frames[-1][0] if self._frames else None

    @property
    def oldest_ns(self) -> int | None:
        return self._frames[0][0] if self._frames else None

    def clear(self) -> None:
        self._frames.clear()
        self._suspect_ns = None

    def add(self, stamp_ns: int, skeletons: Sequence[Skeleton]) -> bool:
        """Add the skeletons of one camera frame.

        :return: True if the clock jumped back and the buffer was cleared.
        :raises ValueError: if the frame is not newer than the newest one; it is not added.
        """
        newest, suspect = self.newest_ns, self._suspect_ns
        self._suspect_ns = None
        jumped = False
        if newest is not None and stamp_ns <= newest:
            behind = newest - stamp_ns
            jumped = behind > CLOCK_JUMP and suspect is not None and stamp_ns > suspect
            if not jumped:
                self._suspect_ns = stamp_ns if behind > CLOCK_JUMP else None
                raise ValueError(
                    f'dropping a frame with stamp {stamp_ns / SECOND:.3f} s after {newest / SECOND:.3f} s; '
                    'stamps must increase'
                )
            self._frames.clear()
        self._frames.append((stamp_ns, tuple(skeletons)))
        while self._frames[0][0] < stamp_ns - self._span_ns - LATE:
            self._frames.popleft()
        return jumped

    def window(self, start_ns: int, end_ns: int) -> list[SkeletonWindow]:
        """The windows of all people from start to end; see `smern_ros.skeleton.window.cut`.

        :raises ValueError: if the window ends before it starts.
        """
        inside = (frame for stamp_ns, frame in self._frames if start_ns <= stamp_ns <= end_ns)
        return cut((skeleton for frame in inside for skeleton in frame), start_ns, end_ns, self._spec)


MISSES = 3
"""Utterances in a row that lack skeletons; one may be from before the camera's start."""
LAG = SECOND
"""ns by which the newest skeleton may be older than the end of an utterance that was waited for: more is no delay."""


class ClockMismatchDetector:
    """Detects that camera and microphone use different clocks: skeletons arrive, but never match utterances."""

    def __init__(self) -> None:
        self._missed = 0

    def look(self, end_ns: int, history: SkeletonHistory) -> str:
        """
        :param end_ns: of an utterance whose skeletons should be in the history by now.
        :return: what is wrong and what to do; empty: nothing, or it is not certain yet.
        """
        oldest_ns, newest_ns = history.oldest_ns, history.newest_ns
        if oldest_ns is None or newest_ns is None or oldest_ns <= end_ns <= newest_ns + LAG:
            self._missed = 0
            return ''
        self._missed += 1
        if self._missed < MISSES:
            return ''
        apart = (end_ns - newest_ns) / SECOND
        where = 'before' if apart > 0 else 'after'
        return (f'the last {self._missed} utterances lack skeletons, for those that come are stamped '
                f'{abs(apart):.1f} s {where} the end of the speech: let camera and microphone stamp by one clock')
