"""Whether speech and skeletons are stamped by one clock: of another one, utterance after utterance lacks skeletons."""
from __future__ import annotations

from smern_ros.skeleton.history import SkeletonHistory
from smern_ros.values import SECOND

MISSES = 3
"""Utterances in a row that lack skeletons; one may be from before the camera's start."""
LAG = SECOND
"""ns by which the newest skeleton may be older than the end of an utterance that was waited for: more is no delay."""


class ClockMismatchDetector:
    """Counts utterances that skeletons, though they come, are too old or too new for."""

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
