"""Any film or sound file, as frames and sound in the order of time (decoded by FFmpeg through PyAV)."""
from __future__ import annotations

import heapq
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from smern_ros.media.tracks import MAX_SIDE, AudioBlock, AudioTrack, VideoFrame, VideoTrack, audio_of, video_of
from smern_ros.values import SECOND

if TYPE_CHECKING:
    import av.container

MISSING_END = SECOND // 2
"""ns that a file may end before the end that its header tells."""

_TELLS_DURATION = ('matroska', 'mp4', 'flac')
"""Containers whose header has the exact duration; FFmpeg estimates others' from what is there."""

_NOT_MEDIA = ('tty',)
"""FFmpeg "plays" any text file as a terminal's output."""

_LISTS = ('concat', 'dash', 'hls', 'imf', 'sdp')
"""Files that name others: whoever wrote one would choose what of this computer is played."""

_ACCESS = {'protocol_whitelist': 'file'}
"""A file that asks for the network does not get it."""


class MediaError(Exception):
    """A file or device that cannot be read: which one, what is wrong and what to do."""


class MediaReader:
    """A file's first video and first audio track; either may be absent. Stamps count from the file's start.

    Each iteration reads the file anew from its start. A file that turns out to be damaged or cut off gives what is
    there; then a MediaError is raised.

    :param on_problem: called with that error instead.
    :raises MediaError: if there is no such file, it is no media file, or it holds neither video nor audio.
    """

    def __init__(self, path: str | Path, *, on_problem: Callable[[MediaError], object] | None = None):
        self.path = Path(path)
        self._on_problem = on_problem
        self._closed = False
        with self._open() as container:
            if container.format.name in _NOT_MEDIA:
                raise MediaError(f'{self.path} is a text file, no film or sound')
            if not set(_LISTS).isdisjoint(container.format.name.split(',')):
                raise MediaError(f'{self.path} is a list of other files ({container.format.name}); give one of those')
            video = video_of(container)
            self.has_video, self.has_audio = video is not None, audio_of(container) is not None
            if not (self.has_video or self.has_audio):
                raise MediaError(f'{self.path} holds neither video nor audio')
            if video is not None and max(video.width, video.height) > MAX_SIDE:
                raise MediaError(f'{self.path} has pictures of {video.width} x {video.height} pixels; a side may have '
                                 f'{MAX_SIDE} at most')
            self._told_ns = 0
            if container.duration and any(name in container.format.name for name in _TELLS_DURATION):
                self._told_ns = round(container.duration * 1000)
        self._read: dict[type, VideoTrack | AudioTrack] = {}

    def __iter__(self) -> Iterator[VideoFrame | AudioBlock]:
        """Frames and sound in the order of their stamps.

        The two tracks are read by themselves, so that memory stays bounded however the file interleaves them.
        """
        tracks: tuple[Iterator[VideoFrame | AudioBlock], ...] = (self.video(), self.audio())
        yield from heapq.merge(*tracks, key=lambda piece: piece.stamp_ns)
        problem = self.problem()
        if problem is None:
            return
        if self._on_problem is None:
            raise problem
        self._on_problem(problem)

    def video(self) -> Iterator[VideoFrame]:
        """Only the frames; none if the file has no video. Damage is not raised: ask `problem` when all is read."""
        return self._decode(VideoTrack()) if self.has_video else iter(())

    def audio(self) -> Iterator[AudioBlock]:
        """Only the sound; likewise."""
        return self._decode(AudioTrack()) if self.has_audio else iter(())

    def problem(self) -> MediaError | None:
        """What was wrong with the file, known once its tracks have been read to their ends."""
        if self._closed or len(self._read) < self.has_video + self.has_audio:
            return None
        end_ns = max(track.end_ns for track in self._read.values())
        errors = [error for track in self._read.values() for error in track.errors]
        if end_ns < self._told_ns - MISSING_END:
            return MediaError(
                f'{self.path} is cut off: it ends after {end_ns / SECOND:.1f} of {self._told_ns / SECOND:.1f} s'
            )
        if _riff_is_cut_off(self.path):
            return MediaError(f'{self.path} is cut off: it ends after {end_ns / SECOND:.1f} s, earlier than it tells')
        if errors:
            return MediaError(f'{self.path} is damaged: {len(errors)} packets could not be decoded ({errors[0]})')
        return None

    def close(self) -> None:
        """End all iterations at their next piece; from any thread."""
        self._closed = True

    def _decode(self, track: VideoTrack | AudioTrack) -> Iterator:
        self._read.pop(type(track), None)
        with self._open() as container:
            for piece in track.decode(container):
                if self._closed:
                    return
                yield piece
        self._read[type(track)] = track

    def _open(self) -> av.container.InputContainer:
        import av

        try:
            return av.open(str(self.path), 'r', metadata_errors='replace', options=_ACCESS)
        except FileNotFoundError:
            raise MediaError(f'there is no file {self.path}') from None
        except IsADirectoryError:
            raise MediaError(f'{self.path} is a folder, no film or sound') from None
        except av.error.InvalidDataError:
            raise MediaError(
                f'{self.path} is no film or sound that FFmpeg knows, or the part that describes it is cut off'
            ) from None
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f'{self.path} cannot be opened: {error}') from error


def _riff_is_cut_off(path: Path) -> bool:
    """Whether a WAV or AVI file is shorter than its header tells; those written as a stream tell nothing."""
    with path.open('rb') as file:
        kind, size = struct.unpack('<4sI', file.read(8).ljust(8, b'\0'))
    return kind == b'RIFF' and size != 0xFFFFFFFF and size + 8 > path.stat().st_size
