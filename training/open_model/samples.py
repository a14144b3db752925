# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is learnt from, split by people, contents and comments; and samples as batches."""
from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from smern_ros.spec import LABELS
from smern_ros.text.tokens import tokenise
from smern_ros.training.common.splits import Split, by_group, require_disjoint
from smern_ros.training.common.trainer import Batch
from smern_ros.training.corpora import Clip, Comment, Motion, bandai, emodb, goemotions, nemo, ravdess

SPOKEN = (emodb, nemo, ravdess)
"""The corpora of speech."""


@dataclass(frozen=True)
class Size:
    """How much is learnt from, and how long; smaller for a trial."""

    clips: int | None = None      # of each corpus of speech, of each part of the split; None: all
    comments: int | None = None
    motions: int | None = None
    variants: int = 4             # altered copies of each utterance
    text_epochs: int = 10
    skeleton_steps: int | None = None  # None: the recipe's
    fusion_windows: int = 1280    # of movement, for the fusion to learn from
    fusion_steps: int = 4000


FULL = Size()
TRIAL = Size(
    clips=8, comments=400, motions=4, variants=1,
    text_epochs=2, skeleton_steps=1, fusion_windows=32, fusion_steps=3,
)
"""A minute: shows that everything works, learns next to nothing."""


def some_of_each_label(samples: Sequence, count: int | None) -> list:
    """At most `count`, evenly over the labels, in the order given."""
    if count is None:
        return list(samples)
    kept = []
    for label in LABELS:
        kept += [s for s in samples if s.label == label][: count // len(LABELS)]
    return kept


def smaller(split: Split, count: int | None) -> Split:
    return Split(*(some_of_each_label(getattr(split, part), count) for part in ('train', 'dev', 'test')))


def speech_split(data: Path, count: int | None = None, corpora: Sequence[ModuleType] = SPOKEN) -> Split[Clip]:
    """Speakers held out, of each corpus.

    :param count: of clips, of each corpus in each part, at most.
    :param corpora: some of SPOKEN.
    """
    split = by_group(
        [clip for corpus in corpora for clip in corpus.read(data)],
        lambda clip: clip.speaker,
        dev=set().union(*(corpus.DEV_SPEAKERS for corpus in corpora)),
        test=set().union(*(corpus.TEST_SPEAKERS for corpus in corpora)),
    )
    return Split(*(
        [
            clip for corpus in corpora
            for clip in some_of_each_label([clip for clip in part if clip.corpus == corpus.CORPUS], count)
        ]
        for part in (split.train, split.dev, split.test)
    ))


def text_split(data: Path) -> Split[Comment]:
    """As published; of comments that are the same to the network, those of the first part are kept."""
    parts: list[list[Comment]] = []
    seen: set[str] = set()
    for name in ('train', 'dev', 'test'):
        comments = [c for c in goemotions.read(data, name) if words_of(c) not in seen]
        seen.update(map(words_of, comments))
        parts.append(comments)
    split = Split(*parts)
    require_disjoint(split, words_of)
    return split


def words_of(comment: Comment | goemotions.Annotated) -> str:
    """A comment as the network reads it; its text where that is nothing, such as a face."""
    return _as_read(comment.text)


@cache
def _as_read(text: str) -> str:
    return ' '.join(tokenise(text)) or text


def pretraining_comments(data: Path) -> list[goemotions.Annotated]:
    """All comments of the published training part, whatever they show, but those that stand in another part, too."""
    others = {words_of(comment) for part in ('dev', 'test') for comment in goemotions.read_all(data, part)}
    return [comment for comment in goemotions.read_all(data, 'train') if words_of(comment) not in others]


def movement_split(data: Path) -> Split[Motion]:
    """Contents held out, with all that look like them: what is measured was never seen done, nor in a mirror.

    The actors are the same, for nobody tells them apart.
    """
    return movements_apart(bandai.read(data))


def movements_apart(motions: Collection[Motion]) -> Split[Motion]:
    """See `movement_split`."""
    dev, test = (set(map(bandai.alike, contents)) for contents in (bandai.DEV_CONTENTS, bandai.TEST_CONTENTS))
    return by_group(motions, looks_of, dev, test)


def looks_of(motion: Motion) -> str:
    """What must not be on both sides of a split: the contents that look like this one's."""
    return bandai.alike(motion.content)


def label_of(sample: Clip | Comment | Motion) -> int:
    return LABELS.index(sample.label)


def audio_batch(
    items: Sequence[tuple[torch.Tensor, torch.Tensor, torch.Tensor]], labels: Sequence[int]
) -> Batch:
    """Of what `InputEncoder.audio` gave of each."""
    mfcc = pad_sequence([m for m, _, _ in items], batch_first=True)           # (B, T, 39)
    lengths = torch.tensor([len(m) for m, _, _ in items])
    prosody, speech = (torch.stack([item[i] for item in items]) for i in (1, 2))
    return (mfcc, lengths, prosody, speech), torch.tensor(labels)


def text_batch(items: Sequence[torch.Tensor], labels: Sequence[int]) -> Batch:
    """Of what `InputEncoder.text` gave of each."""
    lengths = torch.tensor([len(words) for words in items])
    return (pad_sequence(list(items), batch_first=True), lengths), torch.tensor(labels)


def skeleton_batch(items: Sequence[tuple[torch.Tensor, torch.Tensor]], labels: Sequence[int]) -> Batch:
    """Of what `InputEncoder.skeleton` gave of each."""
    x, visible = (pad_sequence(list(part), batch_first=True) for part in zip(*items, strict=True))
    return (x, visible), torch.tensor(labels)


def in_length_buckets(
    items: Sequence, labels: Sequence[int], length: Callable, batch: Callable, size: int, generator: np.random.Generator
) -> Iterator[Batch]:
    """Batches of samples of like length (little padding) in random order, each sample once."""
    noise = generator.uniform(0.85, 1.15, len(items))
    order = np.argsort([length(item) * n for item, n in zip(items, noise, strict=True)], kind='stable')
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    for k in generator.permutation(len(groups)):
        yield batch([items[i] for i in groups[k]], [labels[i] for i in groups[k]])
