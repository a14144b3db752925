# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decodes a track of a file with PyAV: monotonic stamps, upright images, 16 bit audio."""
from __future__ import annotations

import heapq
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from smern_ros.audio.pcm import MAX_RATE, MIN_RATE
from smern_ros.media.timeline import Timeline
from smern_ros.values import SECOND

if TYPE_CHECKING:
    import av.container

MAX_SIDE = 8192
"""Most pixels per side of an image; a larger declared size is an error or an attack."""

WIDEST_PIXEL = 8
"""Largest aspect ratio of a pixel; a larger declared one is an error, and ignored."""

UNDECODED = 0.5
"""s of consecutive packets that cannot be decoded and may be padding."""
_TAGS = (b'ID3', b'TAG', b'APETAGEX')

MOST_REORDERED = 8
"""Most images that a decoder of an AVI file reorders."""

AUDIO_JITTER = 20_000_000
"""ns by which a block's stamp may differ from the end of the one before; containers round stamps to milliseconds."""

MISCOUNTED = SECOND
"""ns; the same for blocks whose duration is wrong in FFmpeg."""


@dataclass(frozen=True, eq=False)
class VideoFrame:
    stamp_ns: int
    image: np.ndarray    # (H, W, 3) uint8, BGR, upright, with square pixels


@dataclass(frozen=True, eq=False)
class AudioBlock:
    """A block of audio of any length."""

    stamp_ns: int        # of the first sample
    samples: np.ndarray  # (N, channels) int16
    sample_rate: int     # Hz

    @property
    def end_ns(self) -> int:
        return self.stamp_ns + len(self.samples) * SECOND // self.sample_rate


class _Track(ABC):
    """Decodes one track; then `end_ns` is its end, and `errors` lists its damage.

    Packets that cannot be decoded are no damage if they are tags between the frames of MP3 or AAC; nor before the
    first that can, in a stream that may be joined in its middle (MPEG-TS, raw frames); nor, for less than UNDECODED,
    behind the last, and between those of MP3, where files were put one behind the other.
    """

    def __init__(self) -> None:
        self.end_ns = 0
        self.errors: list[str] = []

    @abstractmethod
    def decode(self, container: av.container.InputContainer, stream: Any, timeline: Timeline) -> Iterator:
        """The pieces of a file, or of the next part of one, in the order of their stamps.

        :param stream: of PyAV: the track.
        """

    def _frames(
        self, container: av.container.InputContainer, stream: Any, timeline: Timeline
    ) -> Iterator[tuple[Any, int | None]]:
        """Yield frames with their stamps in ns, or None.

        Any exception of PyAV counts as damage of the file: it raises more kinds than its own.
        """
        from av.format import Flags

        failed: list[str] = []  # since the last frame
        failed_s, lost_s, begun = 0.0, 0.0, False
        is_mp3 = container.format.name == 'mp3'
        may_be_joined = bool(Flags(container.format.flags) & (Flags.ts_discont | Flags.generic_index))
        # AVI has stamps in the order of decoding; the image shown next has the earliest unused one.
        decoded: list[int] | None = [] if stream.type == 'video' and container.format.name == 'avi' else None
        packets: Iterator[Any] = container.demux()  # of all tracks, as stamps are relative to those of the others
        while True:
            try:
                packet = next(packets, None)
            except Exception as error:  # the rest cannot be found
                self.errors.append(describe(error))
                break
            if packet is None:
                break
            timeline.place(packet)
            if packet.stream.index != stream.index:  # the packet that ends a stream has another stream_index
                continue
            try:
                frames = packet.decode()
            except Exception as error:
                if container.format.name in ('mp3', 'aac') and bytes(packet).startswith(_TAGS):
                    continue
                failed.append(describe(error))
                lasts_s = float((packet.duration or 0) * packet.time_base)
                failed_s += lasts_s
                # Of several broken frames on end FFmpeg makes one packet.
                lost_s += packet.size * 8 / stream.bit_rate if is_mp3 and stream.bit_rate else lasts_s
                continue
            if decoded is not None and packet.dts is not None:
                heapq.heappush(decoded, packet.dts)
            for frame in frames:
                if lost_s >= UNDECODED or not is_mp3 if begun else not may_be_joined:
                    self.errors += failed
                failed, failed_s, lost_s, begun = [], 0.0, 0.0, True
                stamp = frame.pts
                if decoded:
                    stamp = heapq.heappop(decoded)
                    while len(decoded) > MOST_REORDERED:  # of frames that were never shown
                        heapq.heappop(decoded)
                yield frame, timeline.stamp_ns(stamp, frame.time_base, stream.index)
        if failed_s >= UNDECODED or not begun:
            self.errors += failed


class VideoTrack(_Track):
    def __init__(self) -> None:
        super().__init__()
        self._newest_ns: int | None = None

    def decode(self, container: av.container.InputContainer, stream: Any, timeline: Timeline) -> Iterator[VideoFrame]:
        codec = stream.codec_context
        codec.options = {'max_pixels': str(MAX_SIDE * MAX_SIDE)}  # pictures may grow on the way
        period_ns = mean_ns = max(round(SECOND / (stream.average_rate or stream.guessed_rate or 25)), 1)
        shape_told, shape_coded = stream.sample_aspect_ratio, codec.sample_aspect_ratio
        shapes: dict[tuple[int, int], Fraction | None] = {}  # of pixels, by the size of pictures; both may change
        for frame, stamp_ns in self._frames(container, stream, timeline):
            shapes[codec.width, codec.height] = codec.sample_aspect_ratio  # may be ahead of the frame
            shape = shapes.get((frame.width, frame.height), shape_coded)
            if shape == shape_coded:  # the container's word holds until the pictures say something new
                shape = shape_told
            try:
                image = _as_shown(frame, shape)
            except Exception as error:  # a format that cannot be converted, or no memory
                self.errors.append(describe(error))
                continue
            # Some formats have frames without a stamp; damaged files, stamps that do not grow.
            if stamp_ns is None or (self._newest_ns is not None and stamp_ns <= self._newest_ns):
                stamp_ns = 0 if self._newest_ns is None else self._newest_ns + period_ns
            elif self._newest_ns is not None and stamp_ns - self._newest_ns < mean_ns:  # the mean counts pauses, too
                period_ns = stamp_ns - self._newest_ns
            self._newest_ns, self.end_ns = stamp_ns, stamp_ns + period_ns
            yield VideoFrame(stamp_ns, image)


def _as_shown(frame: av.VideoFrame, pixel_shape: Fraction | None) -> np.ndarray:
    """(H, W, 3) BGR as a player shows it: with square pixels, upright, not mirrored.

    :param pixel_shape: width of a pixel by its height; None: not told.
    :raises ValueError: if it is too large.
    """
    width, height = frame.width, frame.height
    if max(width, height) > MAX_SIDE:
        raise ValueError(f'a picture has {width} x {height} pixels; a side may have {MAX_SIDE} at most')
    if pixel_shape is not None and 1 / WIDEST_PIXEL <= pixel_shape <= WIDEST_PIXEL:
        # The longer side of a pixel stays, so that nothing is lost.
        wide, high = (max(round(width * pixel_shape), width), max(round(height / pixel_shape), height))
        if max(wide, high) <= MAX_SIDE:
            width, height = wide, high
    image = frame.to_ndarray(format='bgr24', width=width, height=height)
    try:
        matrix: Any = frame.side_data.get('DISPLAYMATRIX')
    except ValueError:  # PyAV does not know all kinds of FFmpeg's side data
        matrix = None
    if matrix is None:
        return image
    # What is right (first) and below (second) in the picture, by what is right and below in the film.
    right_right, below_right, _, right_below, below_below = struct.unpack('=5i', bytes(matrix)[:20])
    if abs(below_right) + abs(right_below) > abs(right_right) + abs(below_below):
        image, across, down = image.transpose(1, 0, 2), right_below, below_right
    else:
        across, down = right_right, below_below
    return np.ascontiguousarray(image[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])


class AudioTrack(_Track):
    def decode(self, container: av.container.InputContainer, stream: Any, timeline: Timeline) -> Iterator[AudioBlock]:
        import av
        from av.format import Flags

        # Raw frames, as in MP3 and ADTS, have no stamps: FFmpeg counts, by the rate that the first one has.
        flags = Flags(container.format.flags)
        counted = Flags.generic_index in flags and Flags.ts_discont not in flags
        to_int16, kind = None, None
        for frame, stamp_ns in self._frames(container, stream, timeline):
            try:
                if kind != (kind := (frame.format.name, frame.layout.name, frame.sample_rate)):  # also on the way
                    rate = min(max(frame.sample_rate, MIN_RATE), MAX_RATE)
                    to_int16 = av.AudioResampler(format='s16', rate=rate)
                assert to_int16 is not None
                pieces = [p.to_ndarray().reshape(-1, len(p.layout.channels)) for p in to_int16.resample(frame)]
            except Exception as error:
                self.errors.append(describe(error))
                continue
            if not any(map(len, pieces)):
                continue
            samples = np.concatenate(pieces)
            if stamp_ns is None or (counted and self.end_ns):
                stamp_ns = self.end_ns
            # Counted from the first sample, so that a container's rounding neither tears nor overlaps the sound.
            elif self.end_ns and stamp_ns < self.end_ns + _jitter(frame):
                samples = samples[_overlap(self.end_ns - stamp_ns, len(samples), rate):]
                stamp_ns = self.end_ns
            block = AudioBlock(stamp_ns, samples, rate)
            self.end_ns = block.end_ns
            yield block


def _jitter(frame: av.AudioFrame) -> int:
    """ns by which a frame's stamp may be later than the end of the sound before.

    Where the rate has changed on the way FFmpeg still spaces the frames between two stamps of the file by the old one.
    """
    told, lasts = frame.duration * (frame.time_base or 0) * SECOND, frame.samples * SECOND / frame.sample_rate
    return MISCOUNTED if abs(told - lasts) > lasts / 10 and told else AUDIO_JITTER


def _overlap(late_ns: int, count: int, rate: int) -> int:
    """Samples to leave out at the beginning of a block, so that sound whose samples are more than its stamps tell stays
    with the pictures; none of stamps that mean nothing.

    :param late_ns: from the block's stamp to the end of the sound before.
    """
    samples = late_ns * rate // SECOND
    return samples if late_ns >= AUDIO_JITTER and samples <= count // 2 else 0


def describe(error: Exception) -> str:
    """What went wrong, in words."""
    import av

    told = error.strerror if isinstance(error, av.error.FFmpegError) else ''
    return told or str(error) or type(error).__name__


def video_of(container: av.container.InputContainer) -> av.VideoStream | None:
    """Of those that are no cover picture, see `_best`."""
    from av.stream import Disposition

    return _best([s for s in container.streams.video if not s.disposition & Disposition.attached_pic])


def audio_of(container: av.container.InputContainer) -> av.AudioStream | None:
    """See `_best`."""
    return _best(container.streams.audio)


def _best(streams: Sequence) -> Any:
    """What a player plays: of the tracks that can be decoded, those meant for everybody; of these, those marked as the
    default; of these, the first. None if there is none."""
    from av.stream import Disposition

    special = Disposition.hearing_impaired | Disposition.visual_impaired | Disposition.comment | Disposition.dub
    able = [stream for stream in streams if stream.codec_context is not None]
    return min(
        able, key=lambda s: (bool(s.disposition & special), not s.disposition & Disposition.default), default=None
    )
