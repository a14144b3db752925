"""One track of a file, decoded by FFmpeg through PyAV: stamps that grow, upright pictures, sound in 16 bit."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from smern_ros.values import SECOND

if TYPE_CHECKING:
    import av.container
    import av.stream

MAX_SIDE = 8192
"""Pixels of a picture; what claims to be larger is an attack or a mistake."""

AUDIO_JITTER = 20_000_000
"""ns by which a block's stamp may differ from the end of the one before; containers round stamps to milliseconds."""

@dataclass(frozen=True, eq=False)
class VideoFrame:
    stamp_ns: int
    image: np.ndarray    # (H, W, 3) uint8, BGR, upright


@dataclass(frozen=True, eq=False)
class AudioBlock:
    """A stretch of sound of any length."""

    stamp_ns: int        # of the first sample
    samples: np.ndarray  # (N, channels) int16
    sample_rate: int     # Hz

    @property
    def end_ns(self) -> int:
        return self.stamp_ns + len(self.samples) * SECOND // self.sample_rate


class _Track(ABC):
    """Decodes one track; afterwards knows its end and what was damaged."""

    def __init__(self) -> None:
        self.end_ns = 0
        self.errors: list[str] = []

    @abstractmethod
    def decode(self, container: av.container.InputContainer) -> Iterator:
        """The track's pieces in the order of their stamps."""

    def _frames(self, container: av.container.InputContainer, stream: av.stream.Stream) -> Iterator:
        import av

        try:
            for packet in container.demux(stream):
                try:
                    yield from packet.decode()
                except av.error.FFmpegError as error:
                    self.errors.append(error.strerror or str(error))
        except (av.error.FFmpegError, OSError) as error:  # what follows cannot be found
            self.errors.append(error.strerror or str(error))


class VideoTrack(_Track):
    def decode(self, container: av.container.InputContainer) -> Iterator[VideoFrame]:
        stream = video_of(container)
        assert stream is not None
        stream.codec_context.options = {'max_pixels': str(MAX_SIDE * MAX_SIDE)}  # pictures may grow on the way
        period_ns = round(SECOND / (stream.average_rate or stream.guessed_rate or 25))
        newest_ns = None
        for frame in self._frames(container, stream):
            stamp_ns = None if frame.pts is None else _stamp(frame, container)
            # Old AVI files have frames without a stamp; damaged ones, stamps that do not grow.
            if stamp_ns is None or (newest_ns is not None and stamp_ns <= newest_ns):
                stamp_ns = 0 if newest_ns is None else newest_ns + period_ns
            newest_ns, self.end_ns = stamp_ns, stamp_ns + period_ns
            image = frame.to_ndarray(format='bgr24')
            if frame.rotation:  # degrees counterclockwise, as held by a telephone
                image = np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
            yield VideoFrame(stamp_ns, image)


class AudioTrack(_Track):
    def decode(self, container: av.container.InputContainer) -> Iterator[AudioBlock]:
        import av

        stream = audio_of(container)
        assert stream is not None
        to_int16 = av.AudioResampler(format='s16')  # rate and channels stay
        started = False
        for frame in self._frames(container, stream):
            stamp_ns = self.end_ns if frame.pts is None else _stamp(frame, container)
            # Counted from the first sample, so that a container's rounding neither tears nor overlaps the sound.
            if started and abs(stamp_ns - self.end_ns) < AUDIO_JITTER:
                stamp_ns = self.end_ns
            started = True
            for converted in to_int16.resample(frame):
                channels = len(converted.layout.channels)
                block = AudioBlock(stamp_ns, converted.to_ndarray().reshape(-1, channels), converted.sample_rate)
                self.end_ns = stamp_ns = block.end_ns
                yield block


def _stamp(frame: av.VideoFrame | av.AudioFrame, container: av.container.InputContainer) -> int:
    """ns since the start of the file, which its own time line may count from anything."""
    assert frame.pts is not None and frame.time_base is not None
    return round(frame.pts * frame.time_base * SECOND) - round((container.start_time or 0) * 1000)


def video_of(container: av.container.InputContainer) -> av.VideoStream | None:
    """The first that is not a cover picture."""
    from av.stream import Disposition

    films = (s for s in container.streams.video if not s.disposition & Disposition.attached_pic)
    return next(films, None)


def audio_of(container: av.container.InputContainer) -> av.AudioStream | None:
    return next(iter(container.streams.audio), None)
