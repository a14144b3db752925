# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""nEMO: Polish, 9 actors (Christop 2024). CC BY-NC-SA 4.0."""
from __future__ import annotations

from pathlib import Path

from smern_ros.training.corpora import Clip, labelled_clips

CORPUS = 'nemo'
LICENCE = 'CC BY-NC-SA 4.0'
COMMERCIAL_USE = False
TEST_SPEAKERS = frozenset({'nemo-IC0', 'nemo-TP0', 'nemo-WR0'})
"""A woman and two men. The corpus has no published split by speaker."""
DEV_SPEAKERS = frozenset({'nemo-KD0'})


def read(data: Path) -> list[Clip]:
    """The utterances in `data`/nemo4: labels.csv (file, emotion, speaker, ...) and flac/."""
    return labelled_clips(data / 'nemo4', CORPUS, 'flac')
