"""What is done when one speaker is left out: learning from all others, and what is then said of the speaker."""
from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from smern_ros.models.inputs import InputEncoder
from smern_ros.spec import LABELS
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.training import speech
from smern_ros.training.corpora import Clip, emodb, nemo
from smern_ros.training.experiments.integrate import Predictions
from smern_ros.training.openset import functionals
from smern_ros.training.openset.experiment import Need
from smern_ros.training.openset.held_out import leave_out
from smern_ros.training.persons import known_after, known_in_all
from smern_ros.training.samples import some_of_each_label
from smern_ros.training.voice import RECIPE, Item, Recipe, Spoken, audio_only, probabilities, teach

READERS = {emodb.CORPUS: emodb.read, nemo.CORPUS: nemo.read}
CHOSEN_ON = {
    emodb.CORPUS: frozenset({'emodb-03', 'emodb-08', 'emodb-11', 'emodb-13'}),
    nemo.CORPUS: frozenset({'nemo-EB0', 'nemo-KD0', 'nemo-KS0'}),
}
"""The development speakers: the recipe was chosen by what leaving each of these out gave."""
Whose = Literal['everybody', 'development', 'others']
"""Speakers of whom something is measured; the others are those on whom nothing was chosen."""
LITTLE = {'speakers': 3, 'clips': 8}
"""Of a trial: speakers of each corpus, and clips of each speaker."""


@dataclass(frozen=True)
class Source:
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

    def spoken(self, clips: Sequence[Clip]) -> list[Spoken]:
        """With their features, speaker by speaker, each speaker's from the cache."""
        return [
            Spoken(clip, versions)
            for speaker in sorted({clip.speaker for clip in clips})
            for own in ([clip for clip in clips if clip.speaker == speaker],)
            for clip, versions in zip(own, speech.features(own, self.variants, self.cache), strict=True)
        ]

    def needs(self, corpora: Iterable[str]) -> tuple[Need, ...]:
        """The features of each speaker."""
        return tuple(
            Need(f'speech of {speaker}', partial(self.spoken, [c for c in self.clips(corpus) if c.speaker == speaker]))
            for corpus in corpora for speaker in self.speakers(corpus)
        )


def run_functionals(source: Source, corpus: str, known: bool, speaker: str, seed: int) -> list[Predictions]:
    """:param known: whether each speaker has a scale of their own."""
    learn, test = (source.spoken(part) for part in leave_out(source.clips(corpus), speaker))
    values = functionals.functionals([*learn, *test])
    if known:
        values = functionals.by_speaker(values, [s.clip.speaker for s in [*learn, *test]])
    said = functionals.probabilities(values[: len(learn)], [s.label for s in learn], values[len(learn):])
    predictions = _predictions(test, said)
    return [predictions, _of(predictions, speaker, 'others')]


def run_are(
    source: Source, corpora: tuple[str, ...], recipe: Recipe, plan: tuple[tuple[float, Whose], ...], speaker: str,
    seed: int,
) -> list[Predictions]:
    """
    :param plan: what is measured: seconds of the speaker heard before, and whose.
    """
    clips = [clip for corpus in corpora for clip in source.clips(corpus)]
    learn, test = (source.spoken(part) for part in leave_out(clips, speaker))
    learn = [replace(s, versions=s.versions[: recipe.variants + 1]) for s in learn]
    inputs = InputEncoder(audio_only(learn), Vocabulary([]), person_prior=recipe.person)
    network = teach(learn, inputs, seed, recipe=recipe)
    said: dict[float, Predictions] = {}
    for seconds, _ in plan:
        if seconds not in said:
            items = heard_after(test, inputs, seconds, seed)
            heard = [item for item in items if item is not None]
            found = np.full((len(test), len(LABELS)), 1 / len(LABELS), np.float32)  # of what cannot be used, a guess
            found[[item is not None for item in items]] = probabilities(network, heard)
            said[seconds] = _predictions(test, found)
    return [_of(said[seconds], speaker, whose) for seconds, whose in plan]


def heard_after(spoken: Sequence[Spoken], inputs: InputEncoder, seconds: float, seed: int) -> list[Item | None]:
    """Each of one speaker's utterances, normalised by as many seconds of others of theirs, in an order by chance."""
    recorded = [s.versions[0] for s in spoken]
    told, lengths = [inputs.told_by(features) for features in recorded], [len(f.mfcc) / 100 for f in recorded]
    generator = np.random.default_rng(seed)
    items = []
    for i, features in enumerate(recorded):
        if math.isinf(seconds):
            known = known_in_all(told, i)
        else:
            order = [*(int(k) for k in generator.permutation(len(told)) if k != i), i]
            known = known_after([told[k] for k in order], [lengths[k] for k in order], len(order) - 1, seconds)
        items.append(inputs.audio(features, known))
    return items


def _predictions(test: Sequence[Spoken], said: np.ndarray) -> Predictions:
    ids = np.array([f'{s.clip.corpus}/{s.clip.id}' for s in test])
    return Predictions(ids, np.array([s.label for s in test]), said)


def _of(predictions: Predictions, speaker: str, whose: Whose) -> Predictions:
    """The predictions, all of this speaker, if it is one of these; else none of them."""
    developed = any(speaker in speakers for speakers in CHOSEN_ON.values())
    if whose == 'everybody' or developed == (whose == 'development'):
        return predictions
    return Predictions(predictions.ids[:0], predictions.labels[:0], predictions.probabilities[:0])
