# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several people in one picture, who come, go, hide and cross: signers cut from real footage and moved about."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT, RATE = 960, 480, 30
COLUMNS = {'again': (150, 490), 'walk': (190, 450), 'hungry': (180, 450), 'milk': (160, 460), 'no': (150, 480)}
"""Where the signer stands in the clip of that name, pixels from the left."""


@dataclass(frozen=True)
class Actor:
    """A signer in the picture.

    :param clip: one of COLUMNS.
    :param at: from seconds to the pixel column of the signer's middle; None: not in the picture.
    """

    clip: str
    at: Callable[[float], float | None]

    @property
    def width(self) -> int:
        left, right = COLUMNS[self.clip]
        return right - left


def standing(x: float) -> Callable[[float], float]:
    return lambda seconds: x


def walking(x: float, speed: float, *, since: float = 0.0) -> Callable[[float], float]:
    """From x at so many pixels a second; shoulders are some 160 pixels wide."""
    return lambda seconds: x + speed * max(seconds - since, 0.0)


def film(shared_data: Path, seconds: float, *actors: Actor) -> list[np.ndarray]:
    """(HEIGHT, WIDTH, 3) uint8 BGR, RATE a second; whoever comes later in the list stands in front."""
    clips = [_clip(shared_data, actor.clip) for actor in actors]
    images = []
    for k in range(round(seconds * RATE)):
        image = np.full((HEIGHT, WIDTH, 3), (215, 210, 205), np.uint8)
        for actor, clip in zip(actors, clips, strict=True):
            middle = actor.at(k / RATE)
            if middle is not None:
                _paste(image, clip[_there_and_back(k, len(clip))], round(middle - actor.width / 2))
        images.append(image)
    return images


def who(actors: tuple[Actor, ...], seconds: float, u: float) -> str:
    """The clip of the actor whose middle is nearest to that column."""
    present = {actor.clip: middle for actor in actors if (middle := actor.at(seconds)) is not None}
    return min(present, key=lambda clip: abs(present[clip] - u))


def _clip(shared_data: Path, name: str) -> list[np.ndarray]:
    left, right = COLUMNS[name]
    video = cv2.VideoCapture(str(shared_data / f'video_upperbody/asl_gestures/{name}.mkv'))
    images = []
    while (read := video.read())[0]:
        images.append(read[1][:, left:right])
    return images


def _paste(image: np.ndarray, piece: np.ndarray, left: int) -> None:
    first, last = max(left, 0), min(left + piece.shape[1], WIDTH)
    if first < last:
        image[:, first:last] = piece[:, first - left:last - left]


def _there_and_back(k: int, length: int) -> int:
    """A clip that runs on: forwards, backwards, forwards."""
    k %= 2 * length
    return k if k < length else 2 * length - 1 - k
