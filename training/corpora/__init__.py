"""Readers of open corpora: what lies in a folder, as samples with a label. One corpus a file."""
from __future__ import annotations

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
            f'no {corpus} in {path}. The data folder (--data) holds emodb4, nemo4, ravdess16, text_goemotions, '
            'bandai_motion and glove100; docs/model.md says where each comes from'
        )
    return path


def require_label(label: str, where: Path) -> str:
    """:raises ValueError: if it is none of ours."""
    if label not in LABELS:
        raise ValueError(f'{where} has the label {label!r}; wanted one of {", ".join(LABELS)}')
    return label
