"""nEMO: Polish, 9 actors (Christop 2024). CC BY-NC-SA 4.0."""
from __future__ import annotations

import csv
from pathlib import Path

from smern_ros.training.corpora import Clip, require_folder, require_label

CORPUS = 'nemo'
LICENCE = 'CC BY-NC-SA 4.0'
TEST_SPEAKERS = frozenset({'nemo-IC0', 'nemo-TP0', 'nemo-WR0'})
"""A woman and two men. The corpus has no published split by speaker."""
DEV_SPEAKERS = frozenset({'nemo-KD0'})


def read(data: Path) -> list[Clip]:
    """The utterances in `data`/nemo4: labels.csv (file, emotion, speaker, ...) and flac/."""
    folder = require_folder(data / 'nemo4', CORPUS)
    with (folder / 'labels.csv').open(encoding='utf-8', newline='') as file:
        return [
            Clip(
                corpus=CORPUS,
                id=Path(row['file']).stem,
                path=folder / 'flac' / row['file'],
                speaker=f'{CORPUS}-{row["speaker"]}',
                label=require_label(row['emotion'], folder / 'labels.csv'),
            )
            for row in csv.DictReader(file)
        ]
