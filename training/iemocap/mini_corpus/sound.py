"""Sound files: each utterance by itself, and the dialog with the woman on the left channel and the man on the right.

Nobody may rely on the channels: sources disagree about IEMOCAP's.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from smern_ros.training.iemocap.mini_corpus.dialogs import RATE, PlannedDialog


def write(folder: Path, planned: PlannedDialog) -> None:
    """:param folder: of the session.
    :raises ValueError: if a clip is not 16 kHz mono.
    """
    name = planned.dialog.name
    sentences = folder / 'sentences/wav' / name
    sentences.mkdir(parents=True, exist_ok=True)
    both = np.zeros((round(planned.seconds * RATE), 2), np.int16)
    for utterance in planned.utterances:
        samples, rate = soundfile.read(utterance.clip.path, dtype='int16')
        if rate != RATE or samples.ndim != 1:
            raise ValueError(f'{utterance.clip.path} has {rate} Hz and shape {samples.shape}; wanted 16 kHz mono')
        samples = samples[: utterance.length]
        soundfile.write(sentences / f'{utterance.id.text}.wav', samples, RATE)
        both[utterance.first : utterance.first + utterance.length, 'FM'.index(utterance.id.actor)] = samples
    (folder / 'dialog/wav').mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / 'dialog/wav' / f'{name}.wav', both, RATE)
