"""Stamps for sound that comes without any: from when it arrives, steadied by the count of its samples."""
from __future__ import annotations

from smern_ros.values import SECOND

GAP = SECOND // 2
"""ns by which sound may come late; what comes later still follows a gap."""
CREEP = 0.001
"""Of its duration a stream that seems late is moved: a sound card may run slow, up to 1,000 ppm."""


class ArrivalClock:
    """When the first sample of each chunk was heard, as well as can be known.

    A chunk cannot arrive before its last sample was heard: its time of arrival less its duration is never too early,
    but late by what transport and scheduling took, which changes from chunk to chunk. The chunk that came fastest tells
    most; the others follow it by the count of samples, until one is so late that something must be missing.
    """

    def __init__(self) -> None:
        self._next_ns: int | None = None

    def stamp(self, samples: int, sample_rate: int, arrival_ns: int) -> int:
        """
        :param samples: of one channel in the chunk.
        :param arrival_ns: by the clock that stamps everything else.
        :return: ns, time of the first sample.
        """
        duration_ns = samples * SECOND // sample_rate
        latest_ns = arrival_ns - duration_ns
        stamp_ns = latest_ns if self._next_ns is None else self._next_ns
        late_ns = latest_ns - stamp_ns
        if late_ns < 0 or late_ns > GAP:
            stamp_ns = latest_ns
        else:
            stamp_ns += min(late_ns, round(CREEP * duration_ns))
        self._next_ns = stamp_ns + duration_ns
        return stamp_ns
