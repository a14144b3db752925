# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bandai-Namco-Research-Motiondataset 1 (Kobayashi et al. 2023). CC BY-NC 4.0.

44 acted clips in the four styles that are emotions of ours: walking, running, dashing, bowing, waving good-bye,
guiding; three actors, not told apart.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np

from smern_ros.spec import JOINTS, Joint
from smern_ros.training.corpora import Motion, bvh, require_folder

CORPUS = 'bandai'
LICENCE = 'CC BY-NC 4.0'
COMMERCIAL_USE = False
STYLES = {'happy': 'happy', 'sad': 'sad', 'angry': 'angry', 'normal': 'neutral'}
LOOK_ALIKES = (
    ('walk-left', 'walk-right'), ('walk', 'walk-back'), ('dash', 'run'), ('bow', 'bye', 'byebye', 'guide'),
)
"""All contents, those together that look alike: whoever learns from one and measures on another measures little.

The clips of walk-left are nearly those of walk-right in a mirror (the joints are 3 to 4 cm apart), to dash is to run,
and the upper body hardly knows walking back from walking. The rest is what somebody who stands does with their arms:
byebye is a longer bye, and bye is what looks most like guide, and guide most like bye; bow looks like none.
"""
AND = ' and '
TEST_CONTENTS = frozenset({'dash', 'run', 'walk-left', 'walk-right'})
DEV_CONTENTS = frozenset({'walk', 'walk-back'})

RATE = 30.0  # Hz
CENTIMETRE = 0.01
# The corpus's body as MediaPipe would measure it: medians over four clips of two people, in shoulder widths, were
# upper arm 0.72, forearm 0.64, ears 0.5 above and 0.15 before the thorax, nose 0.45 above and 0.5 before it, spine 0.7
# below. The body captured has its shoulder joints 0.20 m apart and its head ends at the base of the skull.
SHOULDERS = 0.07                     # m that each arm is set outwards
EARS = np.array([0.07, 0.07, 0.0])   # m in the axes of the head's joint: x up, y forward, z to the person's left
NOSE = np.array([0.05, 0.18, 0.0])
SPINE = 0.6                          # of the way from the thorax to the hips
TO_OPTICAL = np.diag([1.0, -1.0, -1.0])
"""From the corpus's axes (y up; a person turned to +z has the left at +x) to those of a camera that the person faces
(x to the image's right, where the person's left is; y down; z away)."""


def read(data: Path) -> list[Motion]:
    """The clips in `data`/bandai_motion/bvh_4emotions, named dataset-1_CONTENT_STYLE_TAKE.bvh."""
    folder = require_folder(data / 'bandai_motion' / 'bvh_4emotions', CORPUS)
    clips = []
    for path in sorted(folder.glob('*.bvh')):
        _, content, style, _ = path.stem.split('_')
        animation = bvh.read(path)
        clips.append(
            Motion(
                corpus=CORPUS,
                id=path.stem.removeprefix('dataset-1_'),
                content=content,
                label=STYLES[style],
                rate=animation.rate,
                positions=ten_joints(animation),
            )
        )
    return clips


def alike(content: str) -> str:
    """The name of all contents that look like this one, itself included: what must be on one side of every split.

    :raises ValueError: for a content that is in no group of LOOK_ALIKES.
    """
    for group in LOOK_ALIKES:
        if content in group:
            return AND.join(group)
    raise ValueError(f'{content!r} is not in LOOK_ALIKES; compare its clips with those of the others and add it')


def ten_joints(animation: bvh.Animation) -> np.ndarray:
    """(T, 10, 3) float32 metres from the thorax, optical axes: the joints that a pose estimator gives us.

    As `smern_ros.skeleton.joints` has them from MediaPipe: thorax between the shoulders, spine between thorax and
    hips, head between the ears.
    """
    at = {name: animation.positions[:, i] * CENTIMETRE for i, name in enumerate(animation.names)}
    head = animation.rotations[:, animation.names.index('Head')]  # (T, 3, 3) from the head's axes to the world's
    left, right = at['UpperArm_L'], at['UpperArm_R']
    outwards = SHOULDERS * _unit(left - right)
    hips = (at['UpperLeg_L'] + at['UpperLeg_R']) / 2
    thorax = (left + right) / 2
    joints = {
        Joint.SPINE: thorax + SPINE * (hips - thorax),
        Joint.THORAX: thorax,
        Joint.NOSE: at['Head'] + head @ NOSE,
        Joint.HEAD: at['Head'] + head @ EARS,
        Joint.LEFT_SHOULDER: left + outwards,
        Joint.LEFT_ELBOW: at['LowerArm_L'] + outwards,
        Joint.LEFT_WRIST: at['Hand_L'] + outwards,
        Joint.RIGHT_SHOULDER: right - outwards,
        Joint.RIGHT_ELBOW: at['LowerArm_R'] - outwards,
        Joint.RIGHT_WRIST: at['Hand_R'] - outwards,
    }
    positions = np.stack([joints[Joint(i)] for i in range(len(JOINTS))], axis=1) - thorax[:, None]  # (T, 10, 3)
    return (positions @ TO_OPTICAL).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
