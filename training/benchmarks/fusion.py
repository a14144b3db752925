# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint as a robot runs it: one modality alone, any subset of them joined by label, and how sure it may be."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from smern_ros.emotion import checkpoint as checkpoints
from smern_ros.emotion.checkpoint import Checkpoint
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import DEFAULT, checkpoint_folder, names
from smern_ros.spec import AUDIO, LABELS, SKELETON, TEXT
from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable, Experiment, Need
from smern_ros.training.common.cache import AUDIO_FEATURES, SKELETON_FEATURES, SPEECH_ENCODER, Stages
from smern_ros.training.corpora import bandai, goemotions
from smern_ros.training.fusion import modality_subsets
from smern_ros.training.fusion.modality_subsets import JOINED, JOININGS, PER_LABEL
from smern_ros.training.iemocap.experiments.integrate import Predictions
from smern_ros.training.open_model.evaluate import AS_SEEN, PERSON_KNOWN, Alone, HeldOut, encode
from smern_ros.training.open_model.samples import FULL, TRIAL, Size, speech_split

HELD_OUT = 'held out'
PERSON_UNKNOWN = 'speaker unknown'
BEST_ALONE, BEFORE = 'the best of its modalities alone', 'temperature 1'
_MODULES = (
    *AUDIO_FEATURES,
    *SPEECH_ENCODER,
    *SKELETON_FEATURES,
    'smern_ros.emotion.checkpoint',
    'smern_ros.models',
    'smern_ros.models.person_statistics',
    'smern_ros.emotion.predictor',
    'smern_ros.spec',
    'smern_ros.text',
    'smern_ros.training.corpora',
    'smern_ros.training.open_model.evaluate',
    'smern_ros.training.fusion.distill',
    'smern_ros.training.fusion.modality_subsets',
    'smern_ros.training.skeleton.skeleton_augment',
    'smern_ros.training.benchmarks.fusion',
    'smern_ros.training.open_model.samples',
    'smern_ros.training.audio.audio_augment',
    'smern_ros.training.common.cache',
)


@dataclass(frozen=True)
class CheckpointSource:
    """A checkpoint, and the test parts of the corpora that it was made from."""

    data: Path
    cache: Path
    checkpoint: Path
    trial: bool

    @property
    def per_label(self) -> int:
        return 3 if self.trial else PER_LABEL

    @property
    def size(self) -> Size:
        return TRIAL if self.trial else FULL

    def parts(self, made: Checkpoint) -> tuple[str, ...]:
        """Names of the encoded test parts."""
        corpora = sorted({clip.corpus for clip in speech_split(self.data, self.size.clips).test})
        ways = ('', f', {PERSON_KNOWN}') if made.person_prior.names else ('',)
        moved = (f'{SKELETON}: {bandai.CORPUS}', f'{SKELETON}: {bandai.CORPUS}, {AS_SEEN}')
        return (
            *(f'{AUDIO}: {corpus}{way}' for way in ways for corpus in corpora), f'{TEXT}: {goemotions.CORPUS}',
            *(moved if SKELETON in made.modalities else ()),
        )

    def predictor(self) -> EmotionPredictor:
        return EmotionPredictor.load(self.checkpoint)

    def encoded(self) -> list[Alone]:
        """The test parts; the vectors come from the cache if they can."""

        def make() -> dict[str, torch.Tensor]:
            contents = checkpoints.load(self.checkpoint).training['held_out']['contents']
            test = HeldOut.read(self.data, self.cache, self.size, contents)
            tensors: dict[str, torch.Tensor] = {}
            for part in encode(self.predictor(), test):
                usable = torch.tensor([vector is not None for vector in part.vectors])
                tensors[f'{part.name}|vectors'] = torch.stack([v for v in part.vectors if v is not None])
                tensors[f'{part.name}|usable'] = usable
                tensors[f'{part.name}|labels'] = torch.from_numpy(part.labels)
            return tensors

        kept = self._stages().tensors('encoded', _MODULES, make)
        found = []
        for name in sorted({key.partition('|')[0] for key in kept}):
            modality, _, source = name.partition(': ')
            vectors = iter(kept[f'{name}|vectors'])
            usable = kept[f'{name}|usable'].tolist()
            found.append(Alone(
                modality, source, kept[f'{name}|labels'].numpy(), [next(vectors) if u else None for u in usable]
            ))
        return found

    def joined(self, person_known: bool, seed: int) -> modality_subsets.SubsetPredictions:
        """One joining; from the cache if it can."""
        made = checkpoints.load(self.checkpoint)

        def make() -> dict[str, torch.Tensor]:
            predictor = self.predictor()
            test = modality_subsets.sources(self.encoded(), predictor, person_known=person_known)
            predicted = modality_subsets.predict(predictor, test, seed, self.per_label)
            tables = {'fused': predicted.fused, 'untempered': predicted.untempered, 'own': predicted.own}
            return {'labels': torch.from_numpy(predicted.labels)} | {
                f'{table}|{name}': torch.from_numpy(np.ascontiguousarray(values))
                for table, by_name in tables.items() for name, values in by_name.items()
            }

        kept = self._stages().tensors(f'joined-{"known" if person_known else "unknown"}-{seed}', _MODULES, make)
        return modality_subsets.SubsetPredictions(kept['labels'].numpy(), *(
            {name: kept[f'{table}|{name}'].numpy() for name in of}
            for table, of in (('fused', made.temperatures), ('untempered', made.temperatures), ('own', made.modalities))
        ))

    def _stages(self) -> Stages:
        return Stages(self.cache, [checkpoints.digest(self.checkpoint), self.trial])


def experiments(data: Path, cache: Path, trial: bool, checkpoint: Path | None = None) -> Iterable[Experiment]:
    """See `experiment`.

    :param checkpoint: its directory; None: all that are shipped, any subset of the modalities of the default one alone.
    """
    for folder in map(checkpoint_folder, names()) if checkpoint is None else [checkpoint]:
        source = CheckpointSource(data, cache, folder, trial)
        made = checkpoints.load(folder)
        config = {'checkpoint': checkpoints.digest(folder), 'trial': trial}
        need = Need(f'the test parts, encoded by {made.id}', partial(_encode, source))
        yield _each_alone(source, made, config, need)
        if checkpoint is not None or made.id == DEFAULT:
            yield from _subsets(source, made, config, need)


def _subsets(source: CheckpointSource, made: Checkpoint, config: dict, need: Need) -> Iterable[Experiment]:
    seeds = JOININGS[:2] if source.trial else JOININGS
    for person_known in (False, True) if made.person_prior.names else (False,):
        table, calibration = _tables(source, made.id, person_known, seeds)
        rows = [
            row for subset in made.temperatures for row in (
                BenchmarkRow(table, _spoken_of(subset), confusion=subset == tuple(made.temperatures)[-1]),
                BenchmarkRow(table, _spoken_of(subset), BEST_ALONE),
                BenchmarkRow(calibration, _spoken_of(subset), BEFORE, reliability=True),
                BenchmarkRow(calibration, _spoken_of(subset), reliability=True),
            )
        ]
        yield Experiment(
            f'{made.id}, {JOINED}, {PERSON_KNOWN if person_known else PERSON_UNKNOWN}', tuple(rows), (HELD_OUT,),
            seeds, config, _MODULES, partial(run_joined, source, person_known), (need,),
        )


def run_joined(source: CheckpointSource, person_known: bool, fold: str, seed: int) -> list[Predictions]:
    """In the order of the rows: each subset, the best of its modalities alone, before and after its temperature."""
    predicted = source.joined(person_known, seed)
    return [
        _predictions(predicted.labels, probabilities)
        for subset in predicted.fused
        for probabilities in (
            predicted.fused[subset], predicted.best_alone(subset), predicted.untempered[subset], predicted.fused[subset]
        )
    ]


def run_alone(source: CheckpointSource, names: Sequence[str], fold: str, seed: int) -> list[Predictions]:
    """Of the test part of each source, the whole network with its modality alone."""
    predictor = source.predictor()
    parts = {part.name: part for part in source.encoded()}
    return [_predictions(parts[name].labels, parts[name].probabilities(predictor)) for name in names]


def _each_alone(source: CheckpointSource, made: Checkpoint, config: dict, need: Need) -> Experiment:
    learnt = ', '.join(corpus for corpora in made.training['data'].values() for corpus in corpora)
    table = BenchmarkTable(
        f'The checkpoint {made.id}, one modality alone',
        data=f'the test parts of all corpora of what it reads; it learnt from {learnt}, and from nothing of others',
        protocol='the checkpoint through the predictor that a robot runs; speakers, comments and contents held out',
        development='the card of the checkpoint names it',
        note='ECE: the expected calibration error, in 15 bins of confidence, with labels as frequent as they are there',
    )
    parts = source.parts(made)
    rows = tuple(BenchmarkRow(table, name, confusion=True, reliability=True) for name in parts)
    return Experiment(
        f'{made.id}, one modality alone', rows, (HELD_OUT,), (0,), config, _MODULES, partial(run_alone, source, parts),
        (need,),
    )


def _tables(
    source: CheckpointSource, identity: str, person_known: bool, seeds: Sequence[int]
) -> tuple[BenchmarkTable, BenchmarkTable]:
    way = PERSON_KNOWN if person_known else PERSON_UNKNOWN
    data = (
        f'held-out voices (each corpus equally often; {way}), comments and movements, {JOINED}: '
        f'{source.per_label * len(LABELS)} samples a joining, every label equally often, {len(seeds)} joinings'
    )
    protocol = (
        'the checkpoint through the predictor that a robot runs. No one was recorded with all three, so what several '
        'modalities gain here is no claim about people. The best of the modalities alone is found anew in each '
        "joining, by the fusion and by the encoder's own output layer"
    )
    development = 'the card of the checkpoint names it; seeds are joinings of the same test samples'
    return (
        BenchmarkTable(
            f'The checkpoint {identity}, any subset of the modalities, {JOINED}, {way}',
            data,
            protocol,
            development,
            note=partial(_verdict, source, person_known, tuple(seeds)),
        ),
        BenchmarkTable(
            f'How sure the checkpoint {identity} may be, {JOINED}, {way}',
            data,
            protocol,
            development,
            note='ECE: the expected calibration error, in 15 bins of confidence. Temperatures are of corpora left '
            'out, and of samples in half of which one modality alone tells anything; here all tell, of corpora '
            'that were learnt from, so that the checkpoint is less sure than it is right',
        ),
    )


def _verdict(source: CheckpointSource, person_known: bool, seeds: Sequence[int]) -> str:
    return modality_subsets.verdict(modality_subsets.figures([source.joined(person_known, seed) for seed in seeds]))


def _spoken_of(subset: str) -> str:
    return subset.replace('+', ' + ')


def _encode(source: CheckpointSource) -> None:
    source.encoded()


def _predictions(labels: np.ndarray, probabilities: np.ndarray) -> Predictions:
    ids = np.array([str(i) for i in range(len(labels))])
    return Predictions(ids, labels.astype(np.int64), probabilities.astype(np.float32))
