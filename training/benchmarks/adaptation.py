# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a few labels are worth: the checkpoint adapted to speakers it never heard, beside learning them from scratch."""
from __future__ import annotations

import copy
import dataclasses
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from smern_ros.emotion.adaptation import AdaptationSettings, AdaptedFusion, Example, fit
from smern_ros.emotion.checkpoint import Checkpoint, digest
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.models.inputs import InputEncoder
from smern_ros.models.smern_ga import SmernGA
from smern_ros.spec import AUDIO, LABELS, MODALITIES
from smern_ros.training.audio import audio_augment
from smern_ros.training.audio.audio_trainer import (
    RECIPE,
    AudioRecipe,
    LabelledSpeech,
    audio_only,
    probabilities,
    train_voice,
)
from smern_ros.training.audio.speaker_context import known_in_all
from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable, Experiment, Need
from smern_ros.training.benchmarks.speakers import READERS, heard_after
from smern_ros.training.common.cache import AUDIO_FEATURES, SPEECH_ENCODER, Stages
from smern_ros.training.corpora import emodb, nemo, ravdess
from smern_ros.training.iemocap.experiments.integrate import Predictions
from smern_ros.training.open_model.samples import SPOKEN, some_of_each_label

TEST_SPEAKERS = {corpus.CORPUS: corpus.TEST_SPEAKERS for corpus in SPOKEN}
NAMES = {emodb.CORPUS: 'EMO-DB', nemo.CORPUS: 'nEMO', ravdess.CORPUS: 'RAVDESS'}
COUNTS = {emodb.CORPUS: (0, 5, 10, 20), nemo.CORPUS: (0, 5, 10, 20, 40), ravdess.CORPUS: (0, 5, 10)}
"""Labelled utterances; a speaker of EMO-DB has 22 to 41 in all, one of RAVDESS 28."""
DRAWS = 10
"""Random choices of the labelled utterances."""
ENCODER_DRAWS = 3
ADAPTED, LAYER, ENCODER, OTHERS = (
    'adapted', 'a layer on its vectors from scratch', 'the audio encoder from scratch', 'other people, judged by it'
)
_MODULES = (
    *AUDIO_FEATURES,
    *SPEECH_ENCODER,
    'smern_ros.emotion.adaptation',
    'smern_ros.emotion.checkpoint',
    'smern_ros.models',
    'smern_ros.models.person_statistics',
    'smern_ros.emotion.predictor',
    'smern_ros.spec',
    'smern_ros.training.corpora',
    'smern_ros.training.benchmarks.adaptation',
    'smern_ros.training.benchmarks.speakers',
    'smern_ros.training.audio.speaker_context',
    'smern_ros.training.audio.audio_augment',
    'smern_ros.training.audio.audio_trainer',
)


@dataclass(frozen=True)
class AdaptationSource:
    """A checkpoint, and the speakers that it was not made from."""

    data: Path
    cache: Path
    checkpoint: Path
    trial: bool

    def speakers(self, corpus: str) -> tuple[str, ...]:
        return tuple(sorted(TEST_SPEAKERS[corpus]))[-1 if self.trial else 0 :]

    @property
    def everybody(self) -> tuple[str, ...]:
        return tuple(speaker for corpus in TEST_SPEAKERS for speaker in self.speakers(corpus))

    def counts(self, corpus: str) -> tuple[int, ...]:
        return COUNTS[corpus][: 2 if self.trial else None]

    def spoken(self, speaker: str) -> list[LabelledSpeech]:
        """All utterances of one speaker, with altered copies."""
        clips = [c for c in READERS[speaker.partition('-')[0]](self.data) if c.speaker == speaker]
        clips = some_of_each_label(clips, 20 if self.trial else None)
        versions = audio_augment.features(clips, 0 if self.trial else RECIPE.variants, self.cache)
        return [LabelledSpeech(clip, of_clip) for clip, of_clip in zip(clips, versions, strict=True)]

    def predictor(self) -> EmotionPredictor:
        """:raises ValueError: if the checkpoint learnt from one of the speakers, or does not say from whom."""
        predictor = EmotionPredictor.load(self.checkpoint)
        held_out = predictor.checkpoint.training.get('held_out', {}).get('speakers', ())
        if strange := sorted(set(self.everybody) - set(held_out)):
            raise ValueError(
                f'{self.checkpoint} does not say that it never learnt from {", ".join(strange)}; what it is worth for '
                'strangers cannot be measured on them'
            )
        return predictor

    def encoded(self, speaker: str) -> tuple[Example, ...]:
        """Utterances in which something is voiced, as of a speaker who was heard for long."""
        return _voices(self)[speaker]


@cache
def _voices(source: AdaptationSource) -> Mapping[str, tuple[Example, ...]]:
    """Of each speaker what the encoder makes of the utterances; from the cache if it can."""
    spoken = {speaker: source.spoken(speaker) for speaker in source.everybody}

    def make() -> dict[str, torch.Tensor]:
        predictor, found = source.predictor(), {}
        for speaker, own in spoken.items():
            recorded = [s.versions[0] for s in own]
            statistics = [predictor.person_statistics(features) for features in recorded]
            for i, features in enumerate(recorded):
                vector = predictor.encode_audio(features, known_in_all(statistics, i))
                if vector is not None:
                    found[f'{speaker}|{i}'] = vector
        return found

    kept = Stages(source.cache, [digest(source.checkpoint), source.trial]).tensors('voices', _MODULES, make)
    return {
        speaker: tuple(
            Example(f'{s.clip.corpus}/{s.clip.id}', {AUDIO: kept[f'{speaker}|{i}']}, s.clip.label)
            for i, s in enumerate(own) if f'{speaker}|{i}' in kept
        ) for speaker, own in spoken.items()
    }


def _encode(source: AdaptationSource) -> None:
    _voices(source)


def experiments(data: Path, cache: Path, trial: bool, checkpoint: Path | None = None) -> Iterable[Experiment]:
    """See `experiment`.

    :param checkpoint: its directory; None: the one that is shipped.
    """
    source = AdaptationSource(data, cache, checkpoint_folder() if checkpoint is None else checkpoint, trial)
    identity = source.predictor().id
    draws, encoder_draws = (tuple(range(1 if trial else n)) for n in (DRAWS, ENCODER_DRAWS))
    recipe = RECIPE
    needs = (Need('the test speakers, encoded', partial(_encode, source)),)
    for corpus in TEST_SPEAKERS:
        table, counts = _table(source, corpus, identity), source.counts(corpus)
        config = {'checkpoint': digest(source.checkpoint), 'trial': trial, 'counts': counts}
        yield Experiment(
            f'adaptation, {corpus}, labels',
            tuple(
                BenchmarkRow(
                    table, name, f'{n} labelled', at=n, reliability=name == ADAPTED and n in (counts[0], counts[-1])
                )
                for name, some in _of_layer(counts)
                for n in some
            ),
            source.speakers(corpus),
            draws,
            {**config, 'settings': vars(AdaptationSettings())},
            _MODULES,
            partial(run_layer, source),
            needs,
        )
        yield Experiment(
            f'adaptation, {corpus}, {ENCODER}',
            tuple(BenchmarkRow(table, ENCODER, f'{n} labelled', at=n) for n in counts[1:]),
            source.speakers(corpus),
            encoder_draws,
            {**config, 'recipe': dataclasses.asdict(recipe)},
            _MODULES,
            partial(run_encoder, source, recipe),
            needs,
        )


def run_layer(source: AdaptationSource, speaker: str, draw: int) -> list[Predictions]:
    """In the order of the rows: by kind, then by how many utterances are labelled."""
    checkpoint = source.predictor().checkpoint
    silent = copy.deepcopy(checkpoint.fusion)
    for parameter in (silent.output.weight, silent.output.bias):
        nn.init.zeros_(parameter)
    counts = source.counts(speaker.partition('-')[0])
    labelled, tested = _drawn(source.encoded(speaker), counts[-1], draw)
    others = [
        replace(e, utterance_id=f'{e.utterance_id} after {speaker}')
        for other in source.everybody if other != speaker for e in source.encoded(other)
    ]
    adapted = [checkpoint.fusion if n == 0 else fit(checkpoint, labelled[:n]) for n in counts]
    scratch = [fit(replace(checkpoint, fusion=silent), labelled[:n]) for n in counts[1:]]
    return [
        *(predict(checkpoint, network, tested) for network in adapted),
        *(predict(checkpoint, network, tested) for network in scratch),
        *(predict(checkpoint, network, others) for network in adapted),
    ]


def run_encoder(source: AdaptationSource, recipe: AudioRecipe, speaker: str, draw: int) -> list[Predictions]:
    """The same speaker, draw and test by an audio encoder that learnt from nothing but the labelled utterances."""
    spoken = {f'{s.clip.corpus}/{s.clip.id}': s for s in source.spoken(speaker)}
    counts = source.counts(speaker.partition('-')[0])
    labelled, tested = (
        [spoken[e.utterance_id] for e in part] for part in _drawn(source.encoded(speaker), counts[-1], draw)
    )
    found = []
    for n in counts[1:]:
        inputs = InputEncoder(audio_only(labelled[:n]), person_prior=recipe.person)
        network = train_voice(labelled[:n], inputs, draw, recipe=recipe)
        items = heard_after([*tested, *labelled], inputs, math.inf, draw)[: len(tested)]
        found.append(_predictions(
            [f'{s.clip.corpus}/{s.clip.id}' for s in tested], [s.clip.label for s in tested],
            probabilities(network, [item for item in items if item is not None]),
        ))
    return found


@torch.inference_mode()
def predict(checkpoint: Checkpoint, network: SmernGA | AdaptedFusion, examples: Sequence[Example]) -> Predictions:
    """What `EmotionPredictor.fuse` says of each voice alone, for many at once."""
    sizes = checkpoint.fusion.config
    audio = torch.stack([e.vectors[AUDIO] for e in examples])
    text, skeleton = (torch.zeros(len(examples), size) for size in (sizes.text, sizes.skeleton))
    present = torch.tensor([[m == AUDIO for m in MODALITIES]]).expand(len(examples), -1)
    logits = network(audio, text, skeleton, present).logits / checkpoint.temperatures[AUDIO]
    return _predictions(
        [e.utterance_id for e in examples], [e.label for e in examples], logits.softmax(dim=1).numpy()
    )


def _drawn(examples: Sequence[Example], most: int, draw: int) -> tuple[list[Example], list[Example]]:
    """Those that may be labelled, in the order in which they are, and those tested: the same however many are.

    All takes of a sentence, said in the same way, are on one side; of the last one labelled some may be on neither.
    """
    # Of speakers who say the same in the same order each has another choice.
    generator = np.random.default_rng([draw, zlib.crc32(examples[0].utterance_id.encode())])
    order = [examples[i] for i in generator.permutation(len(examples))]
    known: set[str] = set()
    for what in dict.fromkeys(map(_what, order)):
        if sum(_what(example) in known for example in order) >= most:
            break
        known.add(what)
    labelled = [example for example in order if _what(example) in known]
    return labelled[:most], [example for example in order if _what(example) not in known]


def _what(example: Example) -> str:
    """Sentence, speaker and emotion: the same for all that are takes of one."""
    corpus, _, name = example.utterance_id.partition('/')
    if corpus == ravdess.CORPUS:
        return ravdess.without_take(name)
    return emodb.without_take(name) if corpus == emodb.CORPUS else name


def _of_layer(counts: tuple[int, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return (ADAPTED, counts), (LAYER, counts[1:]), (OTHERS, counts)


def _predictions(ids: Sequence[str], labels: Sequence[str], found: np.ndarray) -> Predictions:
    return Predictions(np.array(ids), np.array([LABELS.index(label) for label in labels]), found.astype(np.float32))


def _table(source: AdaptationSource, corpus: str, identity: str) -> BenchmarkTable:
    names = ', '.join(name.partition('-')[2] for name in source.speakers(corpus))
    return BenchmarkTable(
        f'Adaptation: {NAMES[corpus]}',
        data=f'the speakers {names} of {NAMES[corpus]}, whom the checkpoint {identity} never heard (checked by what it '
             'says of its training)',
        protocol=f'of each speaker {source.counts(corpus)[-1]} utterances by chance, whatever they show, of which the '
                 'first so many are labelled; all others are tested, the same for each point of a draw. All '
                 'takes of a sentence in an emotion are labelled or tested together. Seeds are draws. Every utterance '
                 'is normalised by all others of its speaker, without labels, so that the curve shows what labels add. '
                 'Voice alone: the words are the same in every emotion, nobody was filmed',
        development='how much few labels are trusted was chosen on the other speakers of all corpora, in three '
                    'trainings that left a third of them out each',
        axis='labelled utterances of the person',
        note=f'"{ADAPTED}": what the fusion node and smern adapt do. "{LAYER}": the same labels and vectors without '
             f'what the checkpoint says of them. "{ENCODER}": trained on the labelled utterances alone. "{OTHERS}": '
             'the other test speakers of both corpora, judged as this one is. That is what smern adapt --everybody '
             'does; else it is used for the person alone who was labelled, and others lose nothing',
    )
