# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files of a dialog in the corpus's own formats and syntax, with the oddities that it has."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from smern_ros.training.iemocap.corpus_reader.motion_capture import WIDTHS
from smern_ros.training.iemocap.mini_corpus.dialogs import RATE, PlannedDialog, PlannedUtterance

MOCAP_RATE = 12
"""Frames a second, a tenth of the corpus's."""
_LOST = 0.01
"""Share of the values that are NaN, as where a marker was hidden."""
_TITLE = '% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]'
_SPOKEN = {  # what three annotators and the actor said; valence, activation, dominance
    'neu': (('Neutral', 'Neutral', 'Neutral', 'Neutral'), (3, 2, 2)),
    'exc': (('Excited', 'Happiness; Excited', 'Excited', 'Excited'), (4, 4, 3)),
    'hap': (('Happiness', 'Happiness', 'Neutral', 'Happiness'), (4, 3, 3)),
    'ang': (('Anger', 'Anger; Frustration', 'Anger', 'Anger'), (1, 4, 4)),
    'sad': (('Sadness', 'Sadness', 'Sadness', 'Neutral'), (2, 2, 2)),
    'fru': (('Frustration', 'Anger', 'Frustration', 'Frustration'), (2, 3, 3)),
    'xxx': (('Neutral', 'Frustration', 'Sadness', 'Anger'), (3, 3, 3)),
    'sur': (('Surprise', 'Surprise', 'Surprise', 'Excited'), (3, 4, 3)),
}


def write_sound(folder: Path, planned: PlannedDialog) -> None:
    """Each utterance by itself, and the dialog with the woman on the left channel and the man on the right.

    Nobody may rely on the channels: sources disagree about IEMOCAP's.

    :param folder: of the session.
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


def write_mocap(folder: Path, name: str, seconds: float, generator: np.random.Generator) -> None:
    """The dialog's three files, in the folders MOCAP_rotated, MOCAP_head and MOCAP_hand of `folder`.

    The movements are SYNTHETIC: slow waves that tell nothing of any emotion.
    """
    frames = np.arange(round(seconds * MOCAP_RATE))
    times = frames / MOCAP_RATE
    for kind, width in WIDTHS.items():
        place, size = generator.uniform(-200, 200, width), generator.uniform(1, 20, width)
        frequency, phase = generator.uniform(0.1, 1, width), generator.uniform(0, 2 * np.pi, width)
        values = place + size * np.sin(2 * np.pi * frequency * times[:, None] + phase)  # (T, width)
        values[generator.random(values.shape) < _LOST] = np.nan
        target = folder / kind / f'{name}.txt'
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open('w', encoding='ascii') as file:
            file.write('Frame# Time ' + ' '.join(f'CH{i + 1}' for i in range(width)) + '\n')
            file.write('- - ' + ' '.join('XYZ'[i % 3] for i in range(width)) + '\n')
            for frame, time, row in zip(frames, times, values, strict=True):
                file.write(f'{frame + 1} {time:.5f} ' + ' '.join(f'{value:.5f}' for value in row) + '\n')


def evaluation(planned: PlannedDialog) -> str:
    blocks = ['\n'.join(_block(utterance)) for utterance in planned.utterances]
    return '\n\n'.join([_TITLE, *blocks]) + '\n\n'


def _block(utterance: PlannedUtterance) -> Iterator[str]:
    spoken, attributes = _SPOKEN[utterance.annotation]
    mean = ', '.join(f'{value:.4f}' for value in attributes)
    yield f'[{utterance.start:.4f} - {utterance.end:.4f}]\t{utterance.id.text}\t{utterance.annotation}\t[{mean}]'
    annotators = ('E2', 'E3', 'E4', f'{utterance.id.actor}1')
    for name, emotions in zip(annotators, spoken, strict=True):
        yield f'C-{name}:\t{emotions};\t()'
    valence, activation, dominance = attributes
    for name in annotators[1:]:
        yield f'A-{name}:\tval {valence}; act {activation}; dom  {dominance};\t()'


def transcription(planned: PlannedDialog, *, malformed: bool) -> str:
    """:param malformed: add a line that no reader can make sense of."""
    name = planned.dialog.name
    lines = [
        f'{u.id.text} [{u.start:08.4f}-{u.end:08.4f}]: {u.text}' for u in planned.utterances
    ]
    lines.insert(1, 'F: [BREATHING]')
    lines += [f'{name}_MXX0 [{planned.seconds:08.4f}-{planned.seconds:08.4f}]: Yeah.', 'M: Mmhmm.']
    if malformed:
        lines.insert(2, f'{name}_F00 006.2901-008.2357 Excuse me.')
    return '\n'.join(lines) + '\n'
