# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From the features of a corpus to what one network takes. All that is learnt of them comes of the training part."""
from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from smern_ros import models
from smern_ros.models.batch import Batch, Sample
from smern_ros.models.inputs import LIMIT, MAX_SKELETON_FRAMES, InputEncoder, Normalisation
from smern_ros.spec import LABELS, SPEC
from smern_ros.text.tokens import tokenise
from smern_ros.text.vocabulary import SPECIAL, UNKNOWN, Vocabulary
from smern_ros.training.iemocap.features.feature_store import FeatureError, FeatureSet, SampleArrays

SMALLEST_DEVIATION = {'mfcc': 1e-3, 'prosody': 1e-3, 'skeleton': 0.02, 'mocap': 1e-3, 'speech': 1e-3}
"""What hardly varies, such as the joint that all others are relative to, must not be magnified."""
_ROWS = 1024  # at a time


def fields(model: str) -> frozenset[str]:
    """Which fields of `Sample` a network takes.

    :raises ValueError: if it takes no features: 'smern_ga' is a part of 'smern_ga_whole'.
    """
    taken = getattr(models.network_class(model), 'INPUTS', None)
    if taken is None:
        raise ValueError(f'{model} takes no features of utterances; train smern_ga_whole, of which it is a part')
    return frozenset(field.name for field in dataclasses.fields(Sample)) & set(taken)


def require_numbers(features: FeatureSet) -> None:
    """:raises FeatureError: naming the first utterance that holds what is no number and should be one.

    NaN stands for what was never heard in prosody, and for a marker never seen in motion capture, and nowhere else.
    """
    for name in ('mfcc', 'prosody', 'skeleton', 'skeleton_unfiltered', 'mocap', 'speech', 'word_vectors'):
        values = getattr(features, name)
        for start in range(0, len(values), _ROWS):
            part = np.asarray(values[start : start + _ROWS])
            wrong = np.isinf(part) if name in ('prosody', 'mocap') else ~np.isfinite(part)
            if wrong.any():
                row = start + int(np.argwhere(wrong)[0, 0])
                raise FeatureError(
                    f'{_owner(features, name, row)}: its {name} holds what is no number; extract the features anew: '
                    'smern features'
                )


def require_extra(features: FeatureSet) -> None:
    """:raises FeatureError: if no pretrained encoder was asked."""
    if not features.has_extra:
        raise FeatureError(
            'the features have nothing of the pretrained encoders that the extra needs; add it: '
            'smern features --extra, with all else as before'
        )


def usable(features: FeatureSet, model: str) -> frozenset[str]:
    """Ids of the utterances that have all that the network takes. No utterance lacks rows of words."""
    needed = fields(model)
    there = np.ones(len(features), bool)
    if 'mfcc' in needed:
        there &= (np.diff(features.mfcc_offsets) > 0) & ~np.isnan(features.prosody).any(axis=1)
    if 'skeleton' in needed:
        # Of one too long, the end is what a network sees.
        there &= np.array([
            s.visible is not None and bool(s.visible[-MAX_SKELETON_FRAMES:].any()) for s in _all(features)
        ], bool)
    for name in ('mocap', 'speech', 'word_vectors'):
        if name in needed:
            there &= np.diff(getattr(features, f'{name}_offsets')) > 0
    return frozenset(row.id for row, kept in zip(features.utterances, there, strict=True) if kept)


@dataclass(frozen=True, eq=False)
class Preparation:
    """What was learnt of a training part beside weights; it belongs to the weights."""

    inputs: InputEncoder
    mocap_mean: np.ndarray  # (189,) float32
    mocap_std: np.ndarray   # (189,) float32
    filtered: bool          # whether movement went through the low-pass

    @classmethod
    def of(cls, features: FeatureSet, train: Collection[str], model: str, *, filtered: bool = True) -> Preparation:
        """:param train: ids of the training part; nothing else is looked at."""
        train = frozenset(train)
        rows = np.array([row.id in train for row in features.utterances], bool)
        needed = fields(model)
        scale = {
            name: (np.zeros(getattr(features, name).shape[-1], np.float32),
                   np.ones(getattr(features, name).shape[-1], np.float32))
            for name in SMALLEST_DEVIATION
        }
        if 'mfcc' in needed:
            scale['mfcc'] = _scale('mfcc', features.mfcc, _inside(rows, features.mfcc_offsets))
            scale['prosody'] = _scale('prosody', features.prosody, rows)
        if 'skeleton' in needed:
            moved = features.skeleton if filtered else features.skeleton_unfiltered
            inside = _inside(rows, features.skeleton_offsets)
            scale['skeleton'] = _scale('skeleton', moved, inside, features.visible)
        for name in ('mocap', 'speech'):
            if name in needed:
                inside = _inside(rows, getattr(features, f'{name}_offsets'))
                scale[name] = _scale(name, getattr(features, name), inside)
        texts = (row.text for row, kept in zip(features.utterances, rows, strict=True) if kept)
        vocabulary = _vocabulary(texts) if 'words' in needed else Vocabulary([])
        normalisation = dataclasses.replace(Normalisation.identity(), **{
            f'{name}_{part}': tuple(float(v) for v in values)
            for name in ('mfcc', 'prosody', 'speech', 'skeleton')
            for part, values in zip(('mean', 'std'), scale[name], strict=True)
        })
        return cls(InputEncoder(normalisation, vocabulary), *scale['mocap'], filtered)

    def sample(self, arrays: SampleArrays, text: str, needed: Collection[str]) -> Sample:
        """Normalised as a robot does it; an utterance too long is cut as there. Of `usable` utterances only."""
        encoder, tensors = self.inputs, {}
        if 'mfcc' in needed:
            tensors['mfcc'] = encoder.normalise('mfcc', arrays.mfcc[: SPEC.max_audio_frames])
            tensors['prosody'] = encoder.normalise('prosody', arrays.prosody)
        if 'speech' in needed:
            tensors['speech'] = encoder.normalise('speech', arrays.speech)
        if 'word_vectors' in needed:
            tensors['word_vectors'] = torch.from_numpy(arrays.word_vectors.astype(np.float32))
        if 'words' in needed:
            tokens = tokenise(text, SPEC.max_words) or [UNKNOWN]
            tensors['words'] = torch.tensor(encoder.vocabulary.rows(tokens))
        if 'skeleton' in needed:
            moved = arrays.skeleton if self.filtered else arrays.skeleton_unfiltered
            movement = encoder.movement(moved, arrays.visible)
            if movement is None:
                raise ValueError('an utterance in which no joint is visible; give `usable` ones')
            tensors['skeleton'], tensors['visible'] = movement
        if 'mocap' in needed:
            scaled = np.clip((arrays.mocap - self.mocap_mean) / self.mocap_std, -LIMIT, LIMIT)
            tensors['mocap'] = torch.from_numpy(np.nan_to_num(scaled, nan=0.0))
        return Sample(**tensors)

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps({
            'normalisation': dataclasses.asdict(self.inputs.normalisation),
            'words': self.inputs.vocabulary.words[len(SPECIAL) :],
            'mocap': [self.mocap_mean.tolist(), self.mocap_std.tolist()],
            'filtered': self.filtered,
        }, ensure_ascii=False), encoding='utf-8')

    @classmethod
    def read(cls, path: Path) -> Preparation:
        stored = json.loads(path.read_text(encoding='utf-8'))
        normalisation = Normalisation(**{name: tuple(values) for name, values in stored['normalisation'].items()})
        mean, std = (np.array(values, np.float32) for values in stored['mocap'])
        return cls(InputEncoder(normalisation, Vocabulary(stored['words'])), mean, std, stored['filtered'])


@dataclass(frozen=True, eq=False)
class NetworkSamples:
    """Utterances as one network takes them, in order."""

    ids: tuple[str, ...]
    labels: tuple[int, ...]  # of `spec.LABELS`
    tensors: tuple[Sample, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, rows: Sequence[int], device: str) -> tuple[Batch, torch.Tensor]:
        """Some of them, padded to the longest, and their labels."""
        labels = torch.tensor([self.labels[i] for i in rows], device=device)
        return Batch.of([self.tensors[i] for i in rows]).to(device), labels


def samples(features: FeatureSet, ids: Collection[str], preparation: Preparation, model: str) -> NetworkSamples:
    """:param ids: of a part of a fold; the order is that of the features."""
    needed, ids = fields(model), frozenset(ids)
    chosen = [(i, row) for i, row in enumerate(features.utterances) if row.id in ids]
    return NetworkSamples(
        ids=tuple(row.id for _, row in chosen),
        labels=tuple(LABELS.index(row.label) for _, row in chosen),
        tensors=tuple(preparation.sample(features.sample_arrays(i), row.text, needed) for i, row in chosen),
    )


def _owner(features: FeatureSet, name: str, row: int) -> str:
    """Id of the utterance that a row of a quantity is of."""
    if name != 'prosody':
        offsets = getattr(features, f'{name.removesuffix("_unfiltered")}_offsets')
        row = int(np.searchsorted(offsets, row, side='right')) - 1
    return features.utterances[row].id


def _all(features: FeatureSet) -> Iterable[SampleArrays]:
    return (features.sample_arrays(i) for i in range(len(features)))


def _inside(rows: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(sum,) bool: which of the frames belong to the rows chosen, (N,) bool."""
    return np.repeat(rows, np.diff(offsets))


def _scale(
    name: str, values: np.ndarray, chosen: np.ndarray, visible: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the last axis of some rows, a few at a time, for they may lie on disk.

    :param values: (n, ..., D); what is NaN is left out.
    :param chosen: (n,) bool.
    :param visible: (n, joints) bool; the coordinates of other joints are left out.
    :return: (D,), (D,) float32; of what is never there 0 and the smallest deviation.
    """
    count, total, squares = (np.zeros(values.shape[-1]) for _ in range(3))
    rows = np.flatnonzero(chosen)
    for some in np.array_split(rows, len(rows) // _ROWS + 1):
        part = values[some].astype(np.float64)
        if visible is not None:
            part[~visible[some].repeat(3, axis=1)] = np.nan
        part = part.reshape(-1, values.shape[-1])
        there = ~np.isnan(part)
        part = np.where(there, part, 0)
        count, total, squares = count + there.sum(axis=0), total + part.sum(axis=0), squares + (part**2).sum(axis=0)
    count = np.maximum(count, 1)
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return mean.astype(np.float32), np.maximum(std, SMALLEST_DEVIATION[name]).astype(np.float32)


def _vocabulary(texts: Iterable[str]) -> Vocabulary:
    """All words of the texts, the most frequent first, as [30] does."""
    uses = Counter(token for text in texts for token in tokenise(text, SPEC.max_words))
    return Vocabulary(sorted(uses.keys() - set(SPECIAL), key=lambda word: (-uses[word], word)))
