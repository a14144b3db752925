# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Windows of motion-captured clips in every manner that is learnt from, kept once they were made."""
from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smern_ros.skeleton.features import model_input
from smern_ros.training.corpora import Motion
from smern_ros.training.skeleton import skeleton_augment

CAPTURED, MIRRORED, SEEN, STILL = MANNERS = ('captured', 'mirrored', 'seen by a camera', 'standing still')
NEUTRAL = 'neutral'
"""Also whoever stands still, in whatever posture: nobody in the corpus does, and to be still is no sign of sadness."""


@dataclass(frozen=True, eq=False)
class LabelledWindow:
    """A window of a clip as `model_input` gives it."""

    id: str              # unique: the clip, the frames and a number
    clip: str
    content: str
    label: str           # an emotion
    frames: int          # asked for; a shorter clip is one window
    manner: str          # one of MANNERS
    x: np.ndarray        # (T, 30) float32, not normalised
    visible: np.ndarray  # (T, 10) bool


def windows(motions: Sequence[Motion], lengths: Sequence[int], variants: int) -> list[LabelledWindow]:
    """All that may be learnt of these clips. What comes of a clip does not depend on the others.

    :param lengths: of the windows, frames.
    :param variants: of each window, as a camera may see it.
    """
    return [window for motion in motions for frames in lengths for window in _windows(motion, frames, variants)]


def _windows(motion: Motion, frames: int, variants: int) -> Iterator[LabelledWindow]:
    generator = np.random.default_rng([zlib.crc32(motion.id.encode()), frames])
    for number, piece in enumerate(skeleton_augment.pieces([motion], frames)):
        made = [
            (CAPTURED, skeleton_augment.as_captured(piece)),
            (MIRRORED, skeleton_augment.as_captured(skeleton_augment.mirrored(piece))),
        ]
        made += [(SEEN, skeleton_augment.as_seen(piece, generator)) for _ in range(variants)]
        made += [(STILL, skeleton_augment.standing_still(motion, frames, generator)) for _ in range(variants)]
        for k, (manner, window) in enumerate(made):
            x, visible = model_input(window)
            if visible.any():
                id = f'{motion.id}, {frames} frames, {number}, {k}'
                label = NEUTRAL if manner == STILL else motion.label
                yield LabelledWindow(id, motion.id, motion.content, label, frames, manner, x, visible)


def digest(motions: Sequence[Motion]) -> str:
    """Of all that is known of these clips."""
    found = hashlib.sha256()
    for motion in motions:
        found.update(f'{motion.id} {motion.content} {motion.label} {motion.positions.shape}'.encode())
        found.update(motion.positions.tobytes())
    return found.hexdigest()


def save(windows: Sequence[LabelledWindow], path: Path) -> None:
    """Write all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix('.part.npz')
    names = ('id', 'clip', 'content', 'label', 'frames', 'manner')
    columns: dict[str, Any] = {name: [getattr(s, name) for s in windows] for name in names}
    np.savez(
        unfinished,
        **columns,
        lengths=[len(s.x) for s in windows],
        x=np.concatenate([s.x for s in windows]),
        visible=np.concatenate([s.visible for s in windows]),
    )
    unfinished.replace(path)


def load(path: Path) -> list[LabelledWindow]:
    """What `save` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        ends = np.cumsum(stored['lengths'])[:-1]
        fields = [stored[name].tolist() for name in ('id', 'clip', 'content', 'label', 'frames', 'manner')]
        return [LabelledWindow(*values) for values in zip(
            *fields, np.split(stored['x'], ends), np.split(stored['visible'], ends), strict=True
        )]
