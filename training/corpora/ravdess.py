# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""RAVDESS, the speech of 16 of its 24 actors: North American English (Livingstone, Russo 2018). CC BY-NC-SA 4.0.

Two sentences that tell nothing of the emotion, each said twice in each emotion, normally and (neutral apart) strongly.
Clips of the label `calm` are left out: it is a label of its own there, neutral with a positive tinge, and none of ours;
taken for neutral, it would be two thirds of what is learnt to be neutral.
"""
from __future__ import annotations

from pathlib import Path

from smern_ros.training.corpora import Clip, labelled_clips

CORPUS = 'ravdess'
LICENCE = 'CC BY-NC-SA 4.0'
COMMERCIAL_USE = False
TEST_SPEAKERS = frozenset({'ravdess-13', 'ravdess-14', 'ravdess-15', 'ravdess-16'})
"""Two women and two men. The corpus has no published split by speaker; its odd actors are men, the even ones women."""
DEV_SPEAKERS = frozenset({'ravdess-11', 'ravdess-12'})
LEFT_OUT = 'calm'


def without_take(name: str) -> str:
    """All of a clip's id but the repetition, which counts the takes: 03-01-05-01-02-12 of 03-01-05-01-02-02-12."""
    parts = name.split('-')
    return '-'.join(parts[:5] + parts[6:])


def read(data: Path) -> list[Clip]:
    """The utterances in `data`/ravdess16: labels.csv (file, emotion, speaker, ...) and flac/."""
    return labelled_clips(data / 'ravdess16', CORPUS, 'flac', LEFT_OUT)
