# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Real speech with its words, from the fetched assets."""
from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import soundfile

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.values import SECOND, Utterance

SENTENCES = ('0870', '0880', '0890', '0920', '0930')
START = 1_000 * SECOND


@dataclass(frozen=True)
class Sentence:
    """A sentence of the LibriVox recording."""

    samples: np.ndarray                           # (N,) float32 at 16 kHz
    text: str
    words: tuple[tuple[str, float, float], ...]   # text, start s, end s, as CMU Sphinx aligned them


def sentence(name: str) -> Sentence:
    """:param name: one of SENTENCES. :raises smern_ros.assets.MissingAsset: if they were not fetched."""
    folder = assets.path('demo-speech')
    samples, rate = soundfile.read(folder / f'{name}.wav', dtype='float32')
    assert rate == SPEC.sample_rate
    aligned = json.loads((folder / f'{name}.json').read_text())['w']
    words = tuple((w['t'].partition('(')[0], w['b'], w['b'] + w['d']) for w in aligned if not w['t'].startswith('<'))
    return Sentence(samples, (folder / f'{name}.txt').read_text().strip(), words)


def utterance(samples: np.ndarray, name: str = 'u1', start_ns: int = START) -> Utterance:
    return Utterance(name, start_ns, start_ns + len(samples) * SECOND // SPEC.sample_rate, samples)
