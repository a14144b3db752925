# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motion-captured clips as windows that look as a camera beside a robot would see them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from smern_ros.skeleton.window import smooth
from smern_ros.spec import SPEC, Joint
from smern_ros.training.corpora import Motion
from smern_ros.values import SECOND, SkeletonWindow

SHORTEST = 20
"""Frames; the shortest clip of the corpus."""

_MIRROR = [
    Joint.SPINE, Joint.THORAX, Joint.NOSE, Joint.HEAD,
    Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST,
    Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST,
]
_ARMS = [Joint.LEFT_ELBOW, Joint.RIGHT_ELBOW, Joint.LEFT_WRIST, Joint.RIGHT_WRIST]
_FRAMINGS: tuple[tuple[float, list[Joint]], ...] = (
    (0.5, []),                                                 # everything in the image
    (0.2, [Joint.LEFT_WRIST, Joint.RIGHT_WRIST]),
    (0.3, [Joint.LEFT_WRIST, Joint.RIGHT_WRIST, Joint.SPINE]),
)
"""How often the camera cuts off which joints. Without hips in the image the spine is not seen either.

Elbows are: of who is seen to the shoulders, as a laptop sees its user, a robot does not judge the movement.
"""


@dataclass(frozen=True)
class MotionWindow:
    """Where a window lies in a clip."""

    motion: Motion
    start: int  # frame
    frames: int


def pieces(motions: Sequence[Motion], frames: int) -> list[MotionWindow]:
    """Windows of `frames` overlapping by half that cover each clip; a shorter clip is one window."""
    found = []
    for motion in motions:
        length = len(motion.positions)
        last = max(length - frames, 0)
        starts = sorted({*range(0, last + 1, max(frames // 2, 1)), last})
        found += [MotionWindow(motion, start, min(frames, length)) for start in starts]
    return found


def window(positions: np.ndarray, visible: np.ndarray) -> SkeletonWindow:
    """What the skeleton filter would publish of raw positions (T, 10, 3) that are visible where (T, 10) says so."""
    return SkeletonWindow(
        person_id='',
        start_ns=0,
        end_ns=round((len(positions) - 1) / SPEC.skeleton_rate * SECOND),
        positions=smooth(positions, visible).astype(np.float32),
        visible=visible,
        extent=0.3,
    )


def mirrored(piece: MotionWindow) -> MotionWindow:
    """The same window of a person whose left is their right."""
    positions = (piece.motion.positions[:, _MIRROR] * np.array([-1.0, 1.0, 1.0])).astype(np.float32)
    return replace(piece, motion=replace(piece.motion, positions=positions))


def as_captured(piece: MotionWindow) -> SkeletonWindow:
    """The window as it is, every joint visible."""
    positions = piece.motion.positions[piece.start : piece.start + piece.frames]
    return window(positions, np.ones(positions.shape[:2], bool))


def as_seen(piece: MotionWindow, generator: np.random.Generator) -> SkeletonWindow:
    """The window at random: mirrored, faster or slower, another body, jitter, joints out of the image."""
    source = piece.motion.positions
    speed = generator.uniform(0.8, 1.25)
    frames = max(SHORTEST // 2, min(piece.frames, int((len(source) - 1) / speed)))
    start = np.clip(piece.start + generator.integers(-15, 16), 0, max(len(source) - 1 - frames * speed, 0))
    positions = _at(source, np.minimum(start + np.arange(frames) * speed, len(source) - 1))
    return _through_a_camera(positions, generator)


def standing_still(motion: Motion, frames: int, generator: np.random.Generator) -> SkeletonWindow:
    """One frame of the clip held, with the sway of somebody who stands or sits and listens."""
    pose = motion.positions[generator.integers(len(motion.positions))]
    times = np.arange(frames) / SPEC.skeleton_rate
    sway = np.zeros((frames, 1, 3))
    for frequency in generator.uniform(0.1, 0.8, 3):
        amplitude = generator.uniform(0, 0.008, 3)  # m
        sway[:, 0] += amplitude * np.sin(2 * np.pi * (frequency * times[:, None] + generator.random(3)))
    height = (pose[:, 1].max() - pose[:, 1]) / max(np.ptp(pose[:, 1]), 1e-6)  # 0 at the lowest joint, 1 at the head
    return _through_a_camera(pose + sway * height[:, None], generator)


def _at(source: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Positions between frames, linearly."""
    low = np.floor(times).astype(int)
    high = np.minimum(low + 1, len(source) - 1)
    part = (times - low)[:, None, None]
    return source[low] * (1 - part) + source[high] * part


def _through_a_camera(positions: np.ndarray, generator: np.random.Generator) -> SkeletonWindow:
    if generator.random() < 0.5:
        positions = positions[:, _MIRROR] * np.array([-1.0, 1.0, 1.0])
    body = 1 + generator.normal(0, 0.06, (1, positions.shape[1], 1))   # each joint nearer or farther: another body
    place = generator.normal(0, 0.012, (1, positions.shape[1], 3))     # m, where the estimator holds the joint to be
    jitter = generator.normal(0, generator.uniform(0, 0.012), positions.shape)  # m, from frame to frame
    tilt = generator.normal(0, np.radians(6))                          # the camera looks up or down
    cos, sin = np.cos(tilt), np.sin(tilt)
    positions = (positions * body + place + jitter) @ np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    return window(positions - positions[:, [Joint.THORAX]], _visible(len(positions), generator))


def _visible(frames: int, generator: np.random.Generator) -> np.ndarray:
    """(frames, 10) bool: one of the framings, and joints of the arms that are lost now and then."""
    visible = np.ones((frames, len(SPEC.joints)), bool)
    framing = generator.choice(len(_FRAMINGS), p=[often for often, _ in _FRAMINGS])
    visible[:, _FRAMINGS[framing][1]] = False
    for joint in _ARMS:
        if generator.random() < 0.15:
            start = generator.integers(frames)
            visible[start : start + generator.integers(8, 30), joint] = False
    return visible
