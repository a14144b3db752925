"""Motion capture files. The movements are SYNTHETIC: slow waves that tell nothing of any emotion."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from smern_ros.training.iemocap.corpus_reader.mocap import WIDTHS

RATE = 12
"""Frames a second, a tenth of the corpus's."""
_LOST = 0.01
"""Share of the values that are NaN, as where a marker was hidden."""


def write(folder: Path, name: str, seconds: float, generator: np.random.Generator) -> None:
    """The dialog's three files, in the folders MOCAP_rotated, MOCAP_head and MOCAP_hand of `folder`."""
    frames = np.arange(round(seconds * RATE))
    times = frames / RATE
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
