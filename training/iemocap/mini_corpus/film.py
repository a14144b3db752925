# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Videos of two real people side by side, 720x480 at 29.97 frames a second, as DivX encodes.

Each pair is encoded once, as a few segments that begin with a whole picture. A dialog's video is put together from
these without encoding anew.
"""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from smern_ros.media.reader import MediaReader, ffmpeg_path

RATE = Fraction(30000, 1001)
HEIGHT, HALF = 480, 360
FOURCC = 'DX50'
_WOMAN = ('book', 'learn', 'school', 'walk')
_MEN = (('bird', 'milk', 'please'), ('again', 'help', 'yes'), ('eat', 'night', 'sister'))
"""Clips of the same person."""
_FRAMES = 45
"""Of a segment: what the shortest clip has."""


@dataclass(frozen=True)
class Pair:
    """Who stands where."""

    man: int             # which of the three
    woman_is_left: bool
    right_is_empty: bool = False


class Films:
    """:param data: the folder that holds video_upperbody."""

    def __init__(self, data: Path, scratch: Path):
        self._clips = data / 'video_upperbody' / 'asl_gestures'
        if not self._clips.is_dir():
            raise FileNotFoundError(f'no film of people in {self._clips}')
        self._scratch = scratch
        self._halves: dict[str, list[np.ndarray]] = {}
        self._encoded: dict[Pair, Path] = {}

    def write(self, path: Path, pair: Pair, seconds: float, generator: np.random.Generator) -> None:
        """A video at least this long, of the pair's segments in any order."""
        film = av.open(ffmpeg_path(self._film_of(pair)))
        with film as source, av.open(ffmpeg_path(path), 'w', format='avi') as target:
            template = source.streams.video[0]
            stream = target.add_stream_from_template(template)
            stream.codec_context.codec_tag = FOURCC
            segments = _segments(source, template)
            frames = 0
            while frames < seconds * RATE:
                for packet in segments[generator.integers(len(segments))]:
                    copy = av.Packet(bytes(packet))
                    copy.is_keyframe, copy.stream = packet.is_keyframe, stream
                    copy.pts = copy.dts = frames
                    copy.time_base = 1 / RATE
                    target.mux(copy)
                    frames += 1

    def _film_of(self, pair: Pair) -> Path:
        if pair not in self._encoded:
            self._encoded[pair] = self._scratch / f'{len(self._encoded)}.avi'
            self._encode(pair, self._encoded[pair])
        return self._encoded[pair]

    def _encode(self, pair: Pair, path: Path) -> None:
        with av.open(ffmpeg_path(path), 'w', format='avi') as film:
            stream = film.add_stream('mpeg4', rate=RATE, options={'flags': '+bitexact'})
            stream.width, stream.height, stream.pix_fmt = 2 * HALF, HEIGHT, 'yuv420p'
            stream.codec_context.codec_tag = FOURCC
            stream.codec_context.gop_size = _FRAMES
            stream.codec_context.bit_rate = 800_000
            for k, (woman, man) in enumerate(zip(_WOMAN, _MEN[pair.man], strict=False)):
                left, right = self._half(woman), self._half(man)
                if not pair.woman_is_left:
                    left, right = right, left
                if pair.right_is_empty:
                    right = [_wall(image) for image in right]
                for i, halves in enumerate(zip(left, right, strict=True)):
                    frame = av.VideoFrame.from_ndarray(np.hstack(halves), format='bgr24')
                    frame.pts, frame.time_base = k * _FRAMES + i, 1 / RATE
                    if i == 0:
                        frame.pict_type = av.video.frame.PictureType.I
                    film.mux(stream.encode(frame))
            film.mux(stream.encode(None))

    def _half(self, name: str) -> list[np.ndarray]:
        """The middle of the clip, cut to the person: (480, 360, 3) uint8 BGR each."""
        if name not in self._halves:
            images = [frame.image for frame in MediaReader(self._clips / f'{name}.mkv').video()]
            first = (len(images) - _FRAMES) // 2
            side = (images[0].shape[1] - HALF) // 2
            self._halves[name] = [image[:, side:side + HALF] for image in images[first:first + _FRAMES]]
        return self._halves[name]


def _wall(image: np.ndarray) -> np.ndarray:
    """The wall of the picture's upper edge, all over."""
    return np.broadcast_to(image[:1], image.shape)


def _segments(source: av.container.InputContainer, stream: av.VideoStream) -> list[list[av.Packet]]:
    segments: list[list[av.Packet]] = []
    for packet in source.demux(stream):
        if not packet.size:
            continue
        if packet.is_keyframe:
            segments.append([])
        segments[-1].append(packet)
    return segments
