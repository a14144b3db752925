# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is done when one speaker or one corpus is left out: learning from all others, and what is then said of it."""
from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from smern_ros.models.inputs import InputEncoder
from smern_ros.spec import LABELS
from smern_ros.training.audio import audio_augment
from smern_ros.training.audio.audio_trainer import (
    RECIPE,
    AudioRecipe,
    Item,
    LabelledSpeech,
    audio_only,
    probabilities,
    train_voice,
)
from smern_ros.training.audio.speaker_context import known_after, known_in_all
from smern_ros.training.benchmarks import references
from smern_ros.training.benchmarks.experiment import Need
from smern_ros.training.common.splits import Split, require_disjoint
from smern_ros.training.corpora import Clip, emodb, nemo, ravdess
from smern_ros.training.iemocap.experiments.integrate import Predictions
from smern_ros.training.open_model.samples import some_of_each_label

READERS = {emodb.CORPUS: emodb.read, nemo.CORPUS: nemo.read, ravdess.CORPUS: ravdess.read}
LITTLE = {'speakers': 3, 'clips': 8}
"""Of a trial: speakers of each corpus, and clips of each speaker."""


@dataclass(frozen=True)
class SpeechSource:
    """Where the clips are, and how many of them are used."""

    data: Path
    cache: Path
    trial: bool

    def clips(self, corpus: str) -> list[Clip]:
        clips = READERS[corpus](self.data)
        if not self.trial:
            return clips
        speakers = sorted({clip.speaker for clip in clips})[: LITTLE['speakers']]
        return [
            clip for speaker in speakers
            for clip in some_of_each_label([c for c in clips if c.speaker == speaker], LITTLE['clips'])
        ]

    def speakers(self, corpus: str) -> tuple[str, ...]:
        return tuple(sorted({clip.speaker for clip in self.clips(corpus)}))

    @property
    def variants(self) -> int:
        return 1 if self.trial else RECIPE.variants

    def spoken(self, clips: Sequence[Clip]) -> list[LabelledSpeech]:
        """With their features, speaker by speaker, each speaker's from the cache."""
        return [
            LabelledSpeech(clip, versions)
            for speaker in sorted({clip.speaker for clip in clips})
            for own in ([clip for clip in clips if clip.speaker == speaker],)
            for clip, versions in zip(own, audio_augment.features(own, self.variants, self.cache), strict=True)
        ]

    def needs(self, corpora: Iterable[str]) -> tuple[Need, ...]:
        """The features of each speaker."""
        return tuple(
            Need(f'speech of {speaker}', partial(self.spoken, [c for c in self.clips(corpus) if c.speaker == speaker]))
            for corpus in corpora for speaker in self.speakers(corpus)
        )


@dataclass(frozen=True)
class Condition:
    """Under which a trained encoder is measured."""

    seconds: float          # of the speaker's other utterances heard before
    speech: bool = True     # False: without the speech encoder, as where its weights are missing


def leave_out(clips: Sequence[Clip], who: str) -> tuple[list[Clip], list[Clip]]:
    """The clips of all others, to learn from, and those left out.

    :param who: a speaker, or a corpus: all of its speakers.
    :raises ValueError: if either would be empty, or a recording, byte by byte, is among both, whatever its name.
    """
    learn, test = ([clip for clip in clips if (who in (clip.speaker, clip.corpus)) == out] for out in (False, True))
    if not learn or not test:
        names = sorted({clip.speaker for clip in clips} | {clip.corpus for clip in clips})
        raise ValueError(f'{who} cannot be left out; there are {", ".join(names)}')
    parts = Split(train=learn, dev=(), test=test)
    require_disjoint(parts, lambda clip: clip.speaker)
    require_disjoint(parts, lambda clip: _recording(clip.path))
    return learn, test


@cache
def _recording(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run_functionals(
    source: SpeechSource, corpora: tuple[str, ...], known: bool, who: str, seed: int
) -> list[Predictions]:
    """
    :param known: whether each speaker has a scale of their own.
    :param who: the speaker or corpus left out.
    """
    clips = [clip for corpus in corpora for clip in source.clips(corpus)]
    learn, test = (source.spoken(part) for part in leave_out(clips, who))
    values = references.speech_functionals([*learn, *test])
    if known:
        values = references.normalised_by_speaker(values, [s.clip.speaker for s in [*learn, *test]])
    labels = [s.label for s in learn]
    predicted = references.linear_svm(values[: len(learn)], labels, values[len(learn):], max_iter=5000)
    return [_predictions(test, predicted)]


def run_voice(
    source: SpeechSource, recipe: AudioRecipe, plan: tuple[Condition, ...], who: str, seed: int
) -> list[Predictions]:
    """
    :param plan: what is measured.
    :param who: the speaker or corpus left out.
    """
    clips = [clip for corpus in READERS for clip in source.clips(corpus)]
    learn, test = (source.spoken(part) for part in leave_out(clips, who))
    learn = [replace(s, versions=s.versions[: recipe.variants + 1]) for s in learn]
    inputs = InputEncoder(audio_only(learn), person_prior=recipe.person)
    network = train_voice(learn, inputs, seed, recipe=recipe)
    predicted = []
    for condition in plan:
        heard_of = test if condition.speech else _without_speech_encoder(test)
        items = heard_after(heard_of, inputs, condition.seconds, seed)
        heard = [item for item in items if item is not None]
        found = np.full((len(test), len(LABELS)), 1 / len(LABELS), np.float32)  # of what cannot be used, a guess
        found[[item is not None for item in items]] = probabilities(network, heard)
        predicted.append(_predictions(test, found))
    return predicted


def _without_speech_encoder(spoken: Sequence[LabelledSpeech]) -> list[LabelledSpeech]:
    """Without what the speech encoder heard."""
    return [replace(s, versions=[replace(features, speech=None) for features in s.versions]) for s in spoken]


def heard_after(spoken: Sequence[LabelledSpeech], inputs: InputEncoder, seconds: float, seed: int) -> list[Item | None]:
    """Each utterance, normalised by as many seconds of others of its speaker, in an order by chance."""
    items: list[Item | None] = [None] * len(spoken)
    generator = np.random.default_rng(seed)
    for speaker in dict.fromkeys(s.clip.speaker for s in spoken):
        rows = [i for i, s in enumerate(spoken) if s.clip.speaker == speaker]
        recorded = [spoken[i].versions[0] for i in rows]
        statistics = [inputs.person_statistics(features) for features in recorded]
        lengths = [len(f.mfcc) / 100 for f in recorded]
        for i, features in enumerate(recorded):
            if math.isinf(seconds):
                known = known_in_all(statistics, i)
            else:
                order = [*(int(k) for k in generator.permutation(len(statistics)) if k != i), i]
                known = known_after(
                    [statistics[k] for k in order], [lengths[k] for k in order], len(order) - 1, seconds
                )
            items[rows[i]] = inputs.audio(features, known)
    return items


def _predictions(test: Sequence[LabelledSpeech], predicted: np.ndarray) -> Predictions:
    ids = np.array([f'{s.clip.corpus}/{s.clip.id}' for s in test])
    return Predictions(ids, np.array([s.label for s in test]), predicted)
