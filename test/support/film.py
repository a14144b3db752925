# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Films for tests: real pictures and real speech, in any container."""
from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile

from smern_ros.media.reader import MediaReader, ffmpeg_path


def pictures(shared_data: Path, count: int = 50) -> list[np.ndarray]:
    """Somebody who signs, (480, 640, 3) uint8 BGR."""
    reader = MediaReader(shared_data / 'video_upperbody/asl_gestures/again.mkv')
    return [frame.image for frame, _ in zip(reader.video(), range(count), strict=False)]


def speech(shared_data: Path, seconds: float = 2.0) -> np.ndarray:
    """Somebody who speaks, (N,) int16 at 16 kHz: several utterances with pauses between them, as long as wanted."""
    samples = [np.zeros(0, np.int16)]
    for path in sorted((shared_data / 'emodb4/wav').glob('*.wav')):
        if sum(map(len, samples)) >= seconds * 16000:
            break
        samples += [soundfile.read(path, dtype='int16')[0], np.zeros(12800, np.int16)]
    return np.concatenate(samples)[: round(seconds * 16000)]


def write(
    path: Path,
    images: Sequence[np.ndarray] = (),
    samples: np.ndarray | None = None,
    *,
    rate: float = 25,
    sample_rate: int = 16000,
    video: str = 'libx264',
    audio: str = 'aac',
    options: dict[str, str] | None = None,
    pixel_ratio: Fraction | None = None,
) -> Path:
    """:param samples: (N,) or (N, channels) int16. :param pixel_ratio: width of a pixel by its height."""
    with av.open(ffmpeg_path(path), 'w', options=options or {}) as container:
        if len(images):
            film = container.add_stream(video, rate=Fraction(rate).limit_denominator(1001))
            film.height, film.width = images[0].shape[:2]
            film.options = {'deadline': 'realtime', 'cpu-used': '8'} if video == 'libvpx' else {}
            if pixel_ratio is not None:
                film.codec_context.sample_aspect_ratio = pixel_ratio
            film.pix_fmt = 'yuvj420p' if video == 'mjpeg' else 'yuv420p'
        if samples is not None:
            samples = samples.reshape(len(samples), -1)
            layout = 'mono' if samples.shape[1] == 1 else 'stereo'
            sound = container.add_stream(audio, rate=sample_rate, layout=layout)
        for k, image in enumerate(images):
            picture = av.VideoFrame.from_ndarray(image, format='bgr24')
            picture.pts, picture.time_base = k, 1 / Fraction(rate).limit_denominator(1001)
            container.mux(film.encode(picture))
        if len(images):
            container.mux(film.encode(None))
        if samples is not None:
            size = 1024 if audio == 'aac' else 960
            for first in range(0, len(samples), size):
                piece = np.ascontiguousarray(samples[first:first + size].reshape(1, -1))
                frame = av.AudioFrame.from_ndarray(piece, 's16', layout)
                frame.sample_rate, frame.pts, frame.time_base = sample_rate, first, Fraction(1, sample_rate)
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path
