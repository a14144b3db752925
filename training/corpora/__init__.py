# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Readers of open corpora: what lies in a folder, as samples with a label. One corpus a file.

Each has a LICENCE, and COMMERCIAL_USE tells whether that allows it.
"""
from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smern_ros.spec import LABELS


@dataclass(frozen=True)
class Clip:
    """One recorded utterance."""

    corpus: str
    id: str       # unique in the corpus
    path: Path
    speaker: str  # unique over all corpora
    label: str


@dataclass(frozen=True)
class Comment:
    """One written utterance."""

    corpus: str
    id: str
    text: str
    label: str


@dataclass(frozen=True, eq=False)
class Motion:
    """One motion-captured clip of a person."""

    corpus: str
    id: str
    content: str           # what was done, such as "bow"
    label: str
    rate: float            # Hz
    positions: np.ndarray  # (T, 10, 3) float32 metres, optical axes, facing the camera where the clip starts


def require_folder(path: Path, corpus: str) -> Path:
    """:raises FileNotFoundError: if the corpus is not there, saying what is expected."""
    if not path.is_dir():
        raise FileNotFoundError(
            f'no {corpus} in {path}. The data folder (--data) holds emodb4, nemo4, ravdess16, text_goemotions and '
            'bandai_motion; docs/model.md says where each comes from'
        )
    return path


def labelled_clips(folder: Path, corpus: str, recordings: str, left_out: str = '') -> list[Clip]:
    """The utterances of `folder`/labels.csv (file, emotion, speaker, ...), whose files are in `folder`/`recordings`.

    :param left_out: an emotion that is none of ours and is not wanted.
    :raises FileNotFoundError: if the folder is not there.
    :raises ValueError: for a label that is none of ours.
    """
    table = require_folder(folder, corpus) / 'labels.csv'
    with table.open(encoding='utf-8', newline='') as file:
        return [
            Clip(
                corpus=corpus,
                id=Path(row['file']).stem,
                path=folder / recordings / row['file'],
                speaker=f'{corpus}-{row["speaker"]}',
                label=require_label(row['emotion'], table),
            )
            for row in csv.DictReader(file) if not left_out or row['emotion'] != left_out
        ]


def require_label(label: str, where: Path) -> str:
    """:raises ValueError: if it is none of ours."""
    if label not in LABELS:
        raise ValueError(f'{where} has the label {label!r}; wanted one of {", ".join(LABELS)}')
    return label
