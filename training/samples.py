"""All that the first checkpoint learns from, read, split and turned into tensors."""
from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from smern_ros.models.inputs import InputEncoder, Normalisation
from smern_ros.skeleton.features import model_input
from smern_ros.spec import LABELS
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.text.words import tokenise
from smern_ros.training import movement, speech, text
from smern_ros.training.corpora import Clip, Comment, Motion, bandai, emodb, goemotions, nemo
from smern_ros.training.loop import Batch
from smern_ros.training.scaling import PERSON, of_audio, of_skeleton
from smern_ros.training.splits import Split, by_group, require_disjoint
from smern_ros.values import AudioFeatures


@dataclass(frozen=True)
class Size:
    """How much is learnt from, and how long; smaller for a trial."""

    clips: int | None = None      # of speech, of each part of the split; None: all
    comments: int | None = None
    motions: int | None = None
    variants: int = 4             # altered copies of each utterance
    words: int = 18_000           # of the vocabulary
    audio_epochs: int | None = None  # None: the recipe's
    text_epochs: int = 10
    skeleton_steps: int | None = None  # None: the recipe's
    fusion_windows: int = 1280    # of movement, for the fusion to learn from
    fusion_steps: int = 1500


FULL = Size()
TRIAL = Size(
    clips=24, comments=400, motions=4, variants=1, words=2000,
    audio_epochs=1, text_epochs=2, skeleton_steps=1, fusion_windows=32, fusion_steps=3,
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


def speech_split(data: Path) -> Split[Clip]:
    """Speakers held out, of both corpora."""
    return by_group(
        [*emodb.read(data), *nemo.read(data)],
        lambda clip: clip.speaker,
        dev=emodb.DEV_SPEAKERS | nemo.DEV_SPEAKERS,
        test=emodb.TEST_SPEAKERS | nemo.TEST_SPEAKERS,
    )


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


@dataclass(frozen=True, eq=False)
class Samples:
    """The three sources with their features. Each has its own people; nothing was recorded together."""

    speech: Split[Clip]
    text: Split[Comment]
    movement: Split[Motion]
    features: dict[str, list[list[AudioFeatures]]]  # of speech, by part: as recorded, then altered copies
    vocabulary: Vocabulary
    embedding: torch.Tensor
    pretraining: Sequence[goemotions.Annotated]     # comments, of the training part
    inputs: InputEncoder


def prepare(data: Path, cache: Path, size: Size, seed: int) -> Samples:
    """Read everything. Normalisation and vocabulary come of the training parts alone."""
    torch.manual_seed(seed)
    spoken = smaller(speech_split(data), size.clips)
    written = smaller(text_split(data), size.comments)
    moved = smaller(movement_split(data), size.motions)
    features = {
        part: speech.features(getattr(spoken, part), size.variants if part == 'train' else 0, cache)
        for part in ('train', 'dev', 'test')
    }
    words, vectors = text.read_vectors(data)
    vocabulary = text.vocabulary(words, (comment.text for comment in written.train), size.words)
    normalisation = _normalisation(features['train'], moved.train, np.random.default_rng(seed))
    return Samples(
        speech=spoken,
        text=written,
        movement=moved,
        features=features,
        vocabulary=vocabulary,
        embedding=text.embedding(vocabulary, words, vectors),
        pretraining=pretraining_comments(data)[: size.comments],
        inputs=InputEncoder(normalisation, vocabulary, person_prior=PERSON),
    )


def label_of(sample: Clip | Comment | Motion) -> int:
    return LABELS.index(sample.label)


def _normalisation(
    utterances: list[list[AudioFeatures]], motions: Sequence[Motion], generator: np.random.Generator
) -> Normalisation:
    seen = (movement.as_seen(piece, generator) for piece in movement.pieces(motions, 64))
    return Normalisation(**of_audio(utterances), **of_skeleton(map(model_input, seen)))


def audio_batch(items: Sequence[tuple[torch.Tensor, torch.Tensor]], labels: Sequence[int]) -> Batch:
    """Of what `InputEncoder.audio` gave of each."""
    mfcc = pad_sequence([m for m, _ in items], batch_first=True)              # (B, T, 39)
    lengths = torch.tensor([len(m) for m, _ in items])
    return (mfcc, lengths, torch.stack([p for _, p in items])), torch.tensor(labels)


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
