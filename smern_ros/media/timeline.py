# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One growing time line for a file whose own stamps begin anywhere, go back or leap."""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from smern_ros.values import CLOCK_JUMP, SECOND

if TYPE_CHECKING:
    import av.container
    import av.frame
    import av.packet

BACK = CLOCK_JUMP
"""ns by which a track's stamps may step back; by more, another recording begins: stamps were reset or wrapped."""

LEAP, LEAP_OF_RESET_CLOCKS = 3600 * SECOND, 10 * SECOND
"""ns by which stamps may leap ahead and leave a pause; by more, another recording begins. The latter holds for formats
whose clock may be set anew at any time (MPEG-TS), as in FFmpeg's own programs."""

SKEW = 3 * SECOND
"""ns by which stamps of different tracks may differ at one place of a file."""


@dataclass
class _Track:
    part: int = 0       # of the file: how many recordings were before
    newest_ns: int = 0  # stamp of the newest packet, on the growing time line
    end_ns: int = 0     # of that packet


class Timeline:
    """Moves the stamps of packets, in the order of the file, so that each recording follows the one before.

    All tracks of a recording are moved by the same, so that picture and sound stay together. Give it every packet.
    """

    def __init__(self, container: av.container.InputContainer, used: Collection[int], begin_ns: int = 0) -> None:
        """
        :param used: the tracks that are to stay together.
        :param begin_ns: where the file begins, if it follows another.
        """
        from av.format import Flags

        self._leap_ns = LEAP_OF_RESET_CLOCKS if Flags.ts_discont in Flags(container.format.flags) else LEAP
        self._begin_ns = begin_ns
        self._starts: dict[int, Fraction | None] = {}  # s, of each used track, on the file's own time line
        for stream in (container.streams[index] for index in used):
            told, base = stream.start_time, stream.time_base
            self._starts[stream.index] = None if told is None or base is None else Fraction(told * base)
        self._tracks: dict[int, _Track] = {}
        self._shifts = [0]  # ns, of each part
        self.ends: dict[int, Fraction] = {}
        """s, the latest end of a packet of each track, used or not, on the file's own time line."""
        self.position = 0
        """Bytes up to which the file has been read."""

    @property
    def end_ns(self) -> int:
        """Where the last packet ends that was placed, in ns since the start of the first file."""
        ends = (track.end_ns - round(self._start(index) * SECOND) for index, track in self._tracks.items())
        return self._begin_ns + max(ends, default=0)

    def place(self, packet: av.packet.Packet) -> None:
        """Move a packet's stamps."""
        self.position = max(self.position, (packet.pos or 0) + packet.size)
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None:  # or the end
            return
        index, base = packet.stream_index, packet.time_base
        lasts = (packet.duration or 0) * base
        if not 0 <= lasts * SECOND <= LEAP:  # of Vorbis' last packet FFmpeg tells a negative one, as a large number
            lasts = Fraction(0)
        self.ends[index] = max(stamp * base + lasts, self.ends.get(index, stamp * base + lasts))
        if index not in self._starts:
            return
        if all(start is None for start in self._starts.values()):
            self._starts = dict.fromkeys(self._starts, stamp * base)
        track = self._tracks.get(index)
        # Pictures come in the order of decoding, in which only dts grow. Some lack them, or have one of before a leap,
        # where FFmpeg has made them up; their pts tell the leap.
        dts = stamp if packet.stream.type == 'audio' else packet.dts
        if dts is not None and abs(stamp - dts) * base * SECOND > LEAP_OF_RESET_CLOCKS:
            dts = None
        grows = dts is not None
        own_ns = round((stamp if dts is None else dts) * base * SECOND)
        if track is None:
            track = self._tracks[index] = _Track(newest_ns=own_ns, end_ns=own_ns)
        elif not self._follows(track, own_ns + self._shifts[track.part], BACK if grows else LEAP_OF_RESET_CLOCKS):
            track.part, grows = self._next_part(track, own_ns), True
        if grows:
            track.newest_ns = own_ns + self._shifts[track.part]
            track.end_ns = track.newest_ns + round(lasts * SECOND)
        if shift_ns := self._shifts[track.part]:
            shift = round(shift_ns / (base * SECOND))
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.dts = None if packet.dts is None else packet.dts + shift

    def stamp_ns(self, stamp: int | None, base: Fraction | None, index: int) -> int | None:
        """ns since the start of the first file, of what came out of a packet that was placed; None if it has no stamp.

        A file starts where the first of its used tracks does.
        """
        if stamp is None or base is None:
            return None
        return max(self._begin_ns + round((stamp * base - self._start(index)) * SECOND), 0)

    def _start(self, index: int) -> Fraction:
        """A track that starts long after the others counts on another clock, and from its own start."""
        start = min((start for start in self._starts.values() if start is not None), default=Fraction(0))
        own = self._starts[index]
        return start if own is None or (own - start) * SECOND <= LEAP else own

    def _follows(self, track: _Track, stamp_ns: int, back_ns: int = BACK) -> bool:
        return track.newest_ns - back_ns <= stamp_ns <= track.end_ns + self._leap_ns

    def _next_part(self, track: _Track, own_ns: int) -> int:
        """That in which another track is: the same after a pause of this track alone, or one that the other has begun
        already. Else a new one after all that was before."""
        for part in reversed(range(track.part, len(self._shifts))):
            stamp_ns = own_ns + self._shifts[part]
            others = (t.end_ns for t in self._tracks.values() if t is not track and t.part == part)
            is_later = stamp_ns > track.end_ns - (BACK if part > track.part else 0)
            if is_later and any(abs(stamp_ns - end_ns) < SKEW for end_ns in others):
                return part
        near = (t.end_ns for t in self._tracks.values() if abs(t.end_ns - track.end_ns) < LEAP)
        self._shifts.append(max(near) - own_ns)
        return len(self._shifts) - 1
