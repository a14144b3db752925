# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads a media file as frames and audio in the order of time, decoded with PyAV."""
from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from smern_ros.audio.pcm import MAX_CHANNELS
from smern_ros.media.cut_off import missing_bytes, missing_sound
from smern_ros.media.ogg import Link, links
from smern_ros.media.timeline import Timeline
from smern_ros.media.tracks import (
    MAX_SIDE,
    AudioBlock,
    AudioTrack,
    VideoFrame,
    VideoTrack,
    audio_of,
    describe,
    video_of,
)
from smern_ros.values import SECOND

if TYPE_CHECKING:
    import av.container

MISSING_END = Fraction(1, 2)
"""s by which a file may end before its declared end."""

FORMATS = (
    'aac', 'ac3', 'aiff', 'amr', 'amrnb', 'amrwb', 'ape', 'apng', 'asf', 'au', 'av1', 'avi', 'bmp_pipe', 'caf', 'dsf',
    'dts', 'dtshd', 'dv', 'eac3', 'flac', 'flv', 'gif', 'gxf', 'h261', 'h263', 'h264', 'hevc', 'image2', 'ivf',
    'jpeg_pipe', 'loas', 'm4v', 'matroska', 'mjpeg', 'mlp', 'mov', 'mp3', 'mpc', 'mpc8', 'mpeg', 'mpegts', 'mpegvideo',
    'mpjpeg', 'mxf', 'nut', 'obu', 'ogg', 'oma', 'png_pipe', 'rm', 'shn', 'sox', 'swf', 'tak', 'truehd', 'tta', 'vc1',
    'voc', 'vvc', 'w64', 'wav', 'webp_pipe', 'wtv', 'wv', 'yuv4mpegpipe',
)
"""FFmpeg's names of those that are read. Not among them: text, which FFmpeg decodes as the output of a terminal, and
playlists (concat, dash, hls, imf, sdp), by which their author would choose files of this computer."""

_ACCESS = {'format_whitelist': ','.join(FORMATS), 'protocol_whitelist': 'file', 'pattern_type': 'none'}
"""No access to the network; no file name patterns such as shot%03d.png."""


class MediaError(Exception):
    """A file or device cannot be read; the message names it, what is wrong and what to do."""


def ffmpeg_path(path: str | Path) -> str:
    """Absolute path for PyAV: in a relative one, FFmpeg takes a prefix with a colon for a protocol."""
    return os.path.abspath(path)


class MediaReader:
    """The default video and audio tracks of a file; either may be absent.

    Stamps start at 0 and increase: if those of the file jump, as in concatenated recordings, later data follows the
    earlier. Each iteration reads the file from its start.

    Of a damaged or cut off file the readable part is yielded; then a MediaError is raised. Signs of damage are:

    - packets that could not be decoded, but for what may be tags or the middle of a broadcast (see `tracks`);
    - a file shorter than its own structure tells, if sound or pictures of MISSING_END or more are missing with what is
      not there: the data of a WAV file; boxes, chunks and segments of MP4, AVI, AIFF and Matroska; frames of an MP3
      whose first one counts them;
    - FLAC with fewer samples than it tells.

    A duration alone proves nothing: it may count subtitles, another track or what was removed. Other formats tell
    nothing. What a header says of a size that its writer could not know proves nothing, either.

    :param on_problem: called with that error instead of raising it.
    :raises MediaError: if the file does not exist, is no media file, or has neither video nor audio.
    """

    def __init__(self, path: str | Path, *, on_problem: Callable[[MediaError], object] | None = None):
        self.path = Path(path)
        self._on_problem = on_problem
        self._closed = False
        self._links, self._lacks_length = self._look()
        with self._open() as container:
            self._format = container.format.name
            video, audio = video_of(container), audio_of(container)
            self.has_video, self.has_audio = video is not None, audio is not None
            if not (self.has_video or self.has_audio):
                raise MediaError(f'{self.path} has no audio or video that can be decoded')
            if video is not None and max(video.width, video.height) > MAX_SIDE:
                raise MediaError(f'{self.path} has pictures of {video.width} x {video.height} pixels; a side may have '
                                 f'{MAX_SIDE} at most')
            if audio is not None and audio.channels > MAX_CHANNELS:
                raise MediaError(f'{self.path} has sound of {audio.channels} channels; there may be {MAX_CHANNELS}')
            self._told = _told(container)
        self._read: dict[type, VideoTrack | AudioTrack] = {}
        self._last: Timeline | None = None  # that has seen the whole file

    def __iter__(self) -> Iterator[VideoFrame | AudioBlock]:
        """Yield frames and audio in the order of their stamps.

        The tracks are read separately, so that memory is bounded for any interleaving.
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
        """Yield the frames; none without video. Damage is not raised: call `problem` at the end."""
        return self._decode(VideoTrack(), video_of) if self.has_video else iter(())

    def audio(self) -> Iterator[AudioBlock]:
        """Yield the audio; see `video`."""
        return self._decode(AudioTrack(), audio_of) if self.has_audio else iter(())

    def problem(self) -> MediaError | None:
        """Damage of the file, known after its tracks are read to their ends; else None."""
        if self._closed or len(self._read) < self.has_video + self.has_audio:
            return None
        end = max(track.end_ns for track in self._read.values()) / SECOND
        missing = self._missing()
        if missing >= MISSING_END:
            return MediaError(f'{self.path} is cut off: it ends after {end:.1f} of {end + float(missing):.1f} s')
        errors = [error for track in self._read.values() for error in track.errors]
        if errors:
            return MediaError(f'{self.path} is damaged: {len(errors)} packets could not be decoded ({errors[0]})')
        return None

    def close(self) -> None:
        """End all iterations at their next piece; from any thread."""
        self._closed = True

    def _missing(self) -> Fraction:
        """Seconds that were written and are not there."""
        try:
            if self._format == 'wav':
                return Fraction(missing_sound(self.path) or 0)
            lost, size = missing_bytes(self.path, self._format), max(self.path.stat().st_size, 1)
        except OSError:  # it was there, and is gone now
            return Fraction(0)
        if self._last is None or not self._last.ends:
            return Fraction(0)
        ends = self._last.ends
        end = max(ends.values())
        if self._format == 'flac':  # what was lost in the middle is a leap of its stamps
            ends = dict.fromkeys(ends, Fraction(self._read[AudioTrack].end_ns, SECOND))
        told = max((told - (end if i is None else ends.get(i, 0)) for i, told in self._told.items()), default=None)
        by_size = end * lost / size
        if told is None or self._format == 'avi':  # an index tells what is there as much as the size does
            return by_size if told is None else max(told, by_size)
        # Where Matroska is damaged FFmpeg may stop to read.
        unread = end * (size - self._last.position) / size if 'matroska' in self._format else 0
        return told if lost or unread >= MISSING_END / 2 or self._format == 'flac' else Fraction(0)

    def _decode(self, track: VideoTrack | AudioTrack, choose: Callable) -> Iterator:
        self._read.pop(type(track), None)
        begin_ns = 0
        for link in (*self._links,) or (None,):
            try:
                container = self._open(link)
            except MediaError as error:
                if begin_ns == 0:
                    raise
                track.errors.append(str(error))
                continue
            with container:
                timeline = Timeline(container, _used(container), begin_ns)
                stream = choose(container)
                try:
                    for piece in track.decode(container, stream, timeline) if stream is not None else ():
                        if self._closed:
                            return
                        yield piece
                except Exception as error:  # whatever a damaged file leads to, what was read before is good
                    track.errors.append(describe(error))
            begin_ns, self._last = timeline.end_ns, timeline
        self._read[type(track)] = track

    def _look(self) -> tuple[list[tuple[int, int]], bool]:
        """Links of a chain, see `ogg`; and whether it is an RF64 without its length, of which FFmpeg reads nothing."""
        try:
            if not self.path.is_file():
                return [], False
            with self.path.open('rb') as file:
                is_rf64 = file.read(4) in (b'RF64', b'BW64')
            return links(self.path), is_rf64 and missing_sound(self.path) is None
        except (OSError, ValueError):  # told when it is opened
            return [], False

    def _open(self, link: tuple[int, int] | None = None) -> av.container.InputContainer:
        """:param link: of a chain, see `ogg`; None: the whole file."""
        import av

        path = ffmpeg_path(self.path)
        try:
            if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
                raise MediaError(f'{self.path} is a pipe or device, no file; save what it gives to a file first')
            source = path if link is None else Link(Path(path), *link)
            options = {**_ACCESS, 'ignore_length': '1'} if self._lacks_length else _ACCESS
            return av.open(source, 'r', metadata_errors='replace', options=options)
        except FileNotFoundError:
            raise MediaError(f'there is no file {self.path}') from None
        except IsADirectoryError:
            raise MediaError(f'{self.path} is a folder, not audio or video') from None
        except av.error.ArgumentError:
            raise MediaError(
                f'{self.path} is a text, a list of other files, or in a format that is not read; give audio or video, '
                'such as MP4, Matroska, WAV or FLAC'
            ) from None
        except (av.error.InvalidDataError, av.error.EOFError):
            raise MediaError(
                f'{self.path} is not audio or video that FFmpeg can read, or its header is truncated'
            ) from None
        except (av.error.FFmpegError, OSError, ValueError, MemoryError) as error:
            raise MediaError(f'{self.path} cannot be opened: {error}') from error


def _used(container: av.container.InputContainer) -> set[int]:
    return {stream.index for stream in (video_of(container), audio_of(container)) if stream is not None}


def _told(container: av.container.InputContainer) -> dict[int | None, Fraction]:
    """Where the header or the index tells that the used tracks end, in s on the file's time line; None: all together.

    Only of formats that tell it; FFmpeg estimates others' from what is there.
    """
    name = container.format.name
    if 'matroska' in name:
        return {None: Fraction(container.duration) / 1_000_000} if container.duration else {}
    told: dict[int | None, Fraction] = {}
    for stream in (container.streams[index] for index in _used(container)):
        base = stream.time_base or Fraction(0)
        if (name == 'flac' or 'mp4' in name) and stream.duration:
            told[stream.index] = ((stream.start_time or 0) + stream.duration) * base
        elif name == 'avi' and stream.type == 'video' and len(stream.index_entries):  # of sound it counts bytes
            told[stream.index] = stream.index_entries[-1].timestamp * base
    return told
