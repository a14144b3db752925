# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Labels, modalities, joints and features, shared by code, checkpoints and tests."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

LABELS = ('happy', 'sad', 'angry', 'neutral')
"""Emotion classes in the order of every probability vector (paper, section IV-A)."""

AUDIO, TEXT, SKELETON = MODALITIES = ('audio', 'text', 'skeleton')
"""Modalities in the order of the graph's nodes (paper, eq. 7: v = {v_a, v_t, v_s})."""


class Joint(IntEnum):
    """The ten upper-body joints, in the order of every skeleton array (H36M 7 to 16)."""

    SPINE = 0
    THORAX = 1
    NOSE = 2
    HEAD = 3
    LEFT_SHOULDER = 4
    LEFT_ELBOW = 5
    LEFT_WRIST = 6
    RIGHT_SHOULDER = 7
    RIGHT_ELBOW = 8
    RIGHT_WRIST = 9


JOINTS = tuple(joint.name.lower() for joint in Joint)
BONES = (
    (Joint.SPINE, Joint.THORAX),
    (Joint.THORAX, Joint.NOSE),
    (Joint.NOSE, Joint.HEAD),
    (Joint.THORAX, Joint.LEFT_SHOULDER),
    (Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW),
    (Joint.LEFT_ELBOW, Joint.LEFT_WRIST),
    (Joint.THORAX, Joint.RIGHT_SHOULDER),
    (Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW),
    (Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST),
)
"""Pairs of joints joined by a line when a skeleton is drawn."""

PROSODY_CONTOURS = ('f0', 'f0_envelope', 'voicing', 'hnr', 'loudness')
PROSODY_FUNCTIONALS = ('mean', 'std', 'slope', 'centroid', 'p10', 'p90', 'range')
PROSODY = tuple(f'{contour}_{functional}' for contour in PROSODY_CONTOURS for functional in PROSODY_FUNCTIONALS)
"""The 35 prosodic values: each contour through each functional, contour by contour."""


class SpecMismatch(ValueError):
    """A checkpoint or message has another feature spec than this code."""


@dataclass(frozen=True)
class FeatureSpec:
    """Definition of all features. Stored in each checkpoint; training and inference use the same one."""

    version: int = 2
    labels: tuple[str, ...] = LABELS
    sample_rate: int = 16000                 # Hz, mono
    mfcc: int = 39                           # 13 coefficients, their first and second differences
    mel_bands: int = 26
    frame_length: float = 0.025              # s, Hamming window (paper, section IV-B)
    frame_shift: float = 0.010               # s
    max_audio_frames: int = 750              # the paper's base model [30] cuts there
    prosody: tuple[str, ...] = PROSODY
    speech_encoder: str = 'whisper-tiny.en'  # pretrained; the name of its asset
    speech: int = 768                        # mean and deviation over time of its last layer
    max_words: int = 128
    sentence_encoder: str = 'minilm-l6-int8'  # pretrained; the name of its asset
    word_vector: int = 1152                  # of a word, from three of its layers
    skeleton_rate: float = 30.0              # Hz
    joints: tuple[str, ...] = JOINTS
    root: str = 'thorax'                     # the joint at the origin
    scale: str = 'median_shoulder_width'     # metres that become 1
    yaw: str = 'window_mean'                 # the torso's mean heading in the window is turned to face the camera
    max_gap: float = 0.2                     # s; shorter gaps are interpolated, longer ones masked
    filter_order: int = 8                    # low-pass of paper section III-A.2
    filter_cutoff: float = 0.1               # of the Nyquist frequency

    @property
    def name(self) -> str:
        """Short identifier carried in messages."""
        return f'smern-features/{self.version}'

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict) -> FeatureSpec:
        """:raises SpecMismatch: if a field is missing or unknown."""
        known = {f.name for f in dataclasses.fields(cls)}
        if set(fields) != known:
            raise SpecMismatch(
                f'a feature spec needs the fields {sorted(known)}; missing {sorted(known - set(fields))}, '
                f'unknown {sorted(set(fields) - known)}'
            )
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return cls(**values)

    def require(self, other: FeatureSpec, owner: str) -> None:
        """:raises SpecMismatch: naming every field in which `other`, the spec of `owner`, differs from this one."""
        mine, theirs = self.to_dict(), other.to_dict()
        different = [f'{k}: {theirs[k]!r} instead of {mine[k]!r}' for k in mine if mine[k] != theirs[k]]
        if different:
            raise SpecMismatch(
                f'{owner} was made for other features ({"; ".join(different)}). '
                'Use a checkpoint trained with this version of smern_ros, or train one: make checkpoint'
            )


SPEC = FeatureSpec()
"""The features this version of the package computes."""
