# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A seeded corpus in which it is known how much each modality tells, and so which network must do better.

In each utterance each modality either shows the label without doubt or, the rest of the time, shows nothing: an erasure
channel. Whether one shows it is independent of the others. So the best that any network can do with some modalities
follows exactly: it is right where one of them shows the label, and guesses where none does.
"""
from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from smern_ros.spec import AUDIO, LABELS, MODALITIES, PROSODY, SKELETON, SPEC, TEXT
from smern_ros.training.iemocap.features.feature_store import MOCAP_SHAPE, FeatureRow, FeatureSet, SampleArrays

UNFILTERED, MOCAP = 'skeleton_unfiltered', 'mocap'
SESSIONS = 5
_FILLERS = ['well', 'you', 'know', 'the', 'thing', 'and', 'then', 'she', 'said', 'that', 'it', 'was', 'there']
_TELLING = {'happy': ('wonderful', 'laugh'), 'sad': ('lost', 'cry'), 'angry': ('enough', 'stop'),
            'neutral': ('table', 'window')}
_AMPLITUDE = 3.0  # of what shows the label, in deviations of the noise


@dataclass(frozen=True)
class SyntheticCorpusSpec:
    """How large the corpus is, and how much information each modality carries."""

    utterances: int = 600
    audio: float = 0.5                # how often sound shows the label, MFCC and prosody alike; 0..1
    text: float = 0.55
    skeleton: float = 0.6
    skeleton_unfiltered: float = 0.3  # at most `skeleton`: what is lost to noise was there without it
    mocap: float = 0.4
    mocap_fraction: float = 0.5       # of the utterances that have motion capture; it is large
    frames: int = 16                  # of sound and of skeleton, on average
    words: int = 6
    proportions: tuple[float, ...] = (0.29, 0.20, 0.20, 0.31)  # of the labels, as in IEMOCAP (paper, section IV-A)
    personal: bool = False            # each speaker moves in a way of their own: skeletons tell nothing of others
    permuted: bool = False            # labels are drawn anew in the end: nothing tells anything
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (*MODALITIES, UNFILTERED, MOCAP, 'mocap_fraction'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} is {getattr(self, name)}; a probability lies from 0 to 1')
        if self.skeleton_unfiltered > self.skeleton:
            raise ValueError('skeleton_unfiltered is above skeleton; the filter adds nothing')
        if len(self.proportions) != len(LABELS) or not math.isclose(sum(self.proportions), 1):
            raise ValueError(f'proportions are {self.proportions}; wanted {len(LABELS)} numbers of sum 1')
        if self.utterances < 2 * SESSIONS * len(LABELS) or self.frames < 2 or self.words < 2:
            raise ValueError(f'at least {2 * SESSIONS * len(LABELS)} utterances, 2 frames and 2 words are wanted')

    @property
    def counts(self) -> tuple[int, ...]:
        """Utterances of each label."""
        edges = np.round(np.cumsum([0, *self.proportions]) * self.utterances).astype(int)
        return tuple(int(n) for n in np.diff(edges))


@dataclass(frozen=True)
class Ceiling:
    """The highest figures that can be expected, 0..1. WAP has none as simple: who never guesses has a high one."""

    uar: float
    war: float


def ceiling(plan: SyntheticCorpusSpec, sources: Collection[str]) -> Ceiling:
    """Of the best of all networks that see these sources: modalities, 'skeleton_unfiltered' or 'mocap'.

    Exact for known speakers. On a corpus with `permuted` labels nothing can be known, whatever is seen.
    """
    unknown = 1.0 if plan.permuted else math.prod(1 - getattr(plan, source) for source in sources)
    known = 1 - unknown
    return Ceiling(uar=known + unknown / len(LABELS), war=known + unknown * max(plan.counts) / plan.utterances)


def margin(expected: float, count: int, deviations: float = 3.0) -> float:
    """How far a fraction measured on `count` utterances may lie from what is expected, by chance alone."""
    return deviations * math.sqrt(max(expected * (1 - expected), 1 / count) / count)


def corpus(plan: SyntheticCorpusSpec = SyntheticCorpusSpec()) -> FeatureSet:
    """The same for the same plan. Labels are spread evenly over five sessions of two speakers each."""
    generator = np.random.default_rng(plan.seed)
    patterns = _Patterns(plan)
    labels = generator.permutation(np.repeat(np.arange(len(LABELS)), plan.counts))
    rows, samples = [], []
    for number, label in enumerate(labels):
        speaker = number % (2 * SESSIONS)
        sample, text = _utterance(plan, patterns, int(label), speaker, generator)
        samples.append(sample)
        session = speaker // 2 + 1
        rows.append(FeatureRow(
            f'synthetic{number:05d}', f'Ses0{session}{"FM"[speaker % 2]}', session, LABELS[label], text
        ))
    if plan.permuted:
        order = generator.permutation(len(rows))
        rows = [FeatureRow(r.id, r.speaker, r.session, rows[o].label, r.text) for r, o in zip(rows, order, strict=True)]
    return FeatureSet.of('synthetic', rows, samples)


class _Patterns:
    """What shows each label: a direction in the values of a frame."""

    def __init__(self, plan: SyntheticCorpusSpec):
        generator = np.random.default_rng((plan.seed, 1))

        def directions(*shape: int) -> np.ndarray:
            return generator.choice([-_AMPLITUDE, _AMPLITUDE], shape).astype(np.float32)

        labels = len(LABELS)
        self.mfcc = directions(labels, SPEC.mfcc)
        self.prosody = directions(labels, len(PROSODY))
        common = directions(1, labels, 3 * len(SPEC.joints))
        of_each = directions(2 * SESSIONS, labels, 3 * len(SPEC.joints))
        self.skeleton = of_each if plan.personal else np.repeat(common, 2 * SESSIONS, axis=0)
        self.mocap = np.repeat(directions(labels, MOCAP_SHAPE[1] // 9), 9, axis=1)  # as wide as a filter sees


def _utterance(
    plan: SyntheticCorpusSpec, patterns: _Patterns, label: int, speaker: int, generator: np.random.Generator
) -> tuple[SampleArrays, str]:
    def frames() -> int:
        return int(generator.integers(max(plan.frames // 2, 1), plan.frames * 3 // 2 + 1))

    def noise(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape, np.float32)

    heard, read, captured = (generator.random() < p for p in (plan.audio, plan.text, plan.mocap))
    luck = generator.random()  # one draw: what is seen without the filter is seen with it
    filtered, unfiltered = (
        patterns.skeleton[speaker, label] * (luck < p) for p in (plan.skeleton, plan.skeleton_unfiltered)
    )
    sound, movement = noise(frames(), SPEC.mfcc), noise(frames(), 3 * len(SPEC.joints))
    sample = SampleArrays(
        mfcc=sound + heard * patterns.mfcc[label],
        prosody=noise(len(PROSODY)) + heard * patterns.prosody[label],
        skeleton=movement + filtered,
        skeleton_unfiltered=movement + unfiltered,
        visible=np.ones((len(movement), len(SPEC.joints)), bool),
        mocap=noise(*MOCAP_SHAPE) + captured * patterns.mocap[label]
        if generator.random() < plan.mocap_fraction else None,
    )
    return sample, ' '.join(_words(plan, LABELS[label] if read else None, generator))


def _words(plan: SyntheticCorpusSpec, label: str | None, generator: np.random.Generator) -> Sequence[str]:
    words = [_FILLERS[i] for i in generator.integers(len(_FILLERS), size=int(generator.integers(2, 2 * plan.words)))]
    if label is not None:
        words[int(generator.integers(len(words)))] = _TELLING[label][int(generator.integers(2))]
    return words


SOURCES = {
    'are': (AUDIO,), 'tre': (TEXT,), 'mdre': (AUDIO, TEXT), 'mocap': (MOCAP,),
    **dict.fromkeys(('smacn', 'lstm', 'lstm_att', 'cnn', 'cnn3d'), (SKELETON,)),
    **dict.fromkeys(('smern', 'smern_ga_whole', 'cma', 'xu'), MODALITIES),
}
"""What each network sees."""
