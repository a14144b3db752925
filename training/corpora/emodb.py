# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""EMO-DB, Berlin Database of Emotional Speech: German, 10 actors (Burkhardt et al. 2005). CC0."""
from __future__ import annotations

from pathlib import Path

from smern_ros.training.corpora import Clip, labelled_clips

CORPUS = 'emodb'
LICENCE = 'CC0-1.0'
COMMERCIAL_USE = True
TEST_SPEAKERS = frozenset({'emodb-12', 'emodb-14', 'emodb-15', 'emodb-16'})
"""As audEERING publishes the corpus; the six others are for training."""
DEV_SPEAKERS = frozenset({'emodb-11'})


def without_take(name: str) -> str:
    """Speaker, sentence and emotion of a clip's id, such as 03a02W of 03a02Wb: its last letter counts the takes."""
    return name[:-1]


def read(data: Path) -> list[Clip]:
    """The utterances in `data`/emodb4: labels.csv (file, emotion, speaker, ...) and wav/."""
    return labelled_clips(data / 'emodb4', CORPUS, 'wav')
