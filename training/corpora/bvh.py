# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motion capture in the BVH format: a tree of joints and, for each frame, where each is and how it is turned."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation


@dataclass(frozen=True, eq=False)
class Animation:
    names: tuple[str, ...]
    rate: float             # Hz
    positions: np.ndarray   # (T, joints, 3) in the file's unit, world axes
    rotations: np.ndarray   # (T, joints, 3, 3) from the joint's axes to the world's


@dataclass(frozen=True)
class _Joint:
    name: str
    parent: int                # -1: none
    offset: tuple[float, ...]
    channels: tuple[str, ...]  # such as Xposition, Zrotation; rotations are applied in this order


def read(path: Path) -> Animation:
    """:raises ValueError: if the file is no BVH or its frames have another size than its joints ask for."""
    tokens = path.read_text(encoding='utf-8').split()
    if tokens[:1] != ['HIERARCHY'] or 'MOTION' not in tokens:
        raise ValueError(f'{path} is no BVH file: it lacks HIERARCHY or MOTION')
    motion = tokens.index('MOTION')
    joints = _joints(tokens[1:motion])
    _, _, count, _, _, seconds, *numbers = tokens[motion:]  # MOTION Frames: n Frame Time: s ...
    width = sum(len(joint.channels) for joint in joints)
    if len(numbers) != int(count) * width:
        raise ValueError(f'{path} has {len(numbers)} numbers; {count} frames of {width} channels were wanted')
    frames = np.array(numbers, np.float64).reshape(int(count), width)
    return Animation(tuple(joint.name for joint in joints), 1 / float(seconds), *_forward(joints, frames))


def _joints(tokens: list[str]) -> list[_Joint]:
    joints: list[_Joint] = []
    open_joints: list[int] = []  # indices; an end site is -1
    words = iter(tokens)
    name = ''
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    for word in words:
        if word in ('ROOT', 'JOINT', 'End'):
            name = next(words) if word != 'End' else ''
        elif word == 'OFFSET':
            offset = tuple(float(next(words)) for _ in range(3))
            if not name:
                open_joints.append(-1)
        elif word == 'CHANNELS':
            channels = tuple(next(words) for _ in range(int(next(words))))
            joints.append(_Joint(name, open_joints[-1] if open_joints else -1, offset, channels))
            open_joints.append(len(joints) - 1)
        elif word == '}':
            open_joints.pop()
    return joints


def _forward(joints: list[_Joint], frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World positions and rotations. A joint's position channels stand for its offset, not beside it."""
    positions = np.zeros((len(frames), len(joints), 3))
    rotations = np.zeros((len(frames), len(joints), 3, 3))
    column = 0
    for i, joint in enumerate(joints):
        local = np.tile(np.array(joint.offset), (len(frames), 1))
        turn = Rotation.identity(len(frames))
        for channel in joint.channels:
            values, axis = frames[:, column], channel[0]
            column += 1
            if channel.endswith('position'):
                local[:, 'XYZ'.index(axis)] = values
            else:
                turn = turn * Rotation.from_euler(axis, values[:, None], degrees=True)
        if joint.parent < 0:
            positions[:, i], rotations[:, i] = local, turn.as_matrix()
        else:
            parent = rotations[:, joint.parent]
            positions[:, i] = positions[:, joint.parent] + np.einsum('tij,tj->ti', parent, local)
            rotations[:, i] = parent @ turn.as_matrix()
    return positions, rotations
