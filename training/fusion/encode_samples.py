# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the encoders make of the samples: what the fusion learns from, and what its temperatures are found on."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from smern_ros.models.inputs import InputEncoder
from smern_ros.training.audio.audio_trainer import Item, LabelledSpeech, groups_of, known_items
from smern_ros.training.audio.speaker_context import known_in_all
from smern_ros.training.common.splits import Split, folds
from smern_ros.training.common.trainer import say
from smern_ros.training.fusion.distill import EncodedSource
from smern_ros.training.open_model.dataset import Samples
from smern_ros.training.open_model.samples import audio_batch, looks_of, skeleton_batch
from smern_ros.training.open_model.train_encoders import skeleton_dev_items, text_items
from smern_ros.training.skeleton import skeleton_trainer
from smern_ros.training.text import text_trainer

BATCH = 32


@dataclass(frozen=True, eq=False)
class EncodedSamples:
    """Samples that went through an encoder."""

    vectors: torch.Tensor   # (N, D)
    opinions: torch.Tensor  # (N, 4) logits of its output layer
    labels: torch.Tensor    # (N,)
    groups: torch.Tensor    # (N,) number of the corpus

    def source(self) -> EncodedSource:
        return EncodedSource(self.vectors, self.opinions, self.labels.tolist(), [str(int(g)) for g in self.groups])

    @classmethod
    def joined(cls, parts: Sequence[EncodedSamples]) -> EncodedSamples:
        return cls(*(torch.cat([getattr(part, f.name) for part in parts]) for f in fields(cls)))


def encode_audio(
    spoken: Sequence[LabelledSpeech], inputs: InputEncoder, encoder: nn.Module, seed: int
) -> EncodedSamples:
    """The utterances learnt from, each version with a chance part of its speaker's others known."""
    found = []
    for number, corpus in enumerate(_corpora(spoken)):
        own = [s for s in spoken if s.clip.corpus == corpus]
        versions, usable = known_items(own, inputs, np.random.default_rng(seed))
        items = [item for of_clip in versions for item in of_clip]
        labels = [s.label for of_clip, s in zip(versions, usable, strict=True) for _ in of_clip]
        items, labels = in_like_lengths(items, labels)
        found.append(_encode(encoder, items, labels, audio_batch, dropout=True, group=number))
    return EncodedSamples.joined(found)


def encode_text(samples: Samples, part: str, encoder: nn.Module, *, dropout: bool) -> EncodedSamples:
    """Comments with a word."""
    items, labels = text_items(samples, part)
    return _encode(encoder, items, labels, text_trainer.batch, dropout=dropout)


def encode_skeleton(samples: Samples, count: int, smacn: nn.Module, seed: int) -> EncodedSamples:
    """`count` windows of the contents learnt from, as the encoder learnt from them."""
    pool = skeleton_trainer.Pool(skeleton_trainer.to_learn(samples.movement.train), samples.inputs)
    items, labels = pool.draw(count, skeleton_trainer.RECIPE, np.random.default_rng(seed))
    return _encode(smacn, *in_like_lengths(items, labels), skeleton_batch, dropout=True)


def encode_held_out_audio(
    spoken: Sequence[LabelledSpeech], inputs: InputEncoder, train: Callable[[Sequence[LabelledSpeech]], nn.Module]
) -> EncodedSamples:
    """Outputs for each corpus's utterances as recorded, by an encoder that learnt from other corpora alone.

    A robot meets people of another language before another microphone; how sure it may be of them shows here. Of a
    single corpus its speakers are left out, and their altered copies are there, too: rooms and noise are all that it
    has of other microphones.
    Each is there twice: nothing is known of the speaker but the utterance, and all other utterances are known.

    :param train: makes an encoder of utterances.
    """
    corpora = _corpora(spoken)
    single = len(corpora) == 1
    parts = []
    for kept, held_out in folds(groups_of(spoken)):
        say(f'audio: an encoder to which {len(held_out)} of {len(spoken)} utterances are held out')
        encoder = train([spoken[i] for i in kept])
        for speaker in sorted({spoken[i].clip.speaker for i in held_out}):
            own = [s for s in spoken if s.clip.speaker == speaker]
            items, labels = _of_speaker(own, inputs, versions=None if single else 1)
            group = corpora.index(own[0].clip.corpus)
            parts.append(_encode(encoder, *in_like_lengths(items, labels), audio_batch, group=group))
    return EncodedSamples.joined(parts)


def encode_held_out_skeleton(samples: Samples, train: Callable[[Samples], nn.Module]) -> EncodedSamples:
    """Outputs for windows of each content, captured and altered, by an encoder that learnt from none that looks
    like it."""
    motions = samples.movement.train
    parts = []
    for kept, held_out in folds([looks_of(motion) for motion in motions]):
        say(f'skeleton: an encoder to which {len(held_out)} of {len(motions)} clips are of held-out contents')
        others = replace(
            samples,
            movement=Split([motions[i] for i in kept], [motions[i] for i in held_out], samples.movement.test),
        )
        parts.append(_encode(train(others), *in_like_lengths(*skeleton_dev_items(others)), skeleton_batch))
    return EncodedSamples.joined(parts)


def in_like_lengths(items: Sequence, labels: Sequence[int]) -> tuple[list, list[int]]:
    """The same, the shortest first: little padding."""
    order = sorted(range(len(items)), key=lambda i: len(items[i][0]))
    return [items[i] for i in order], [labels[i] for i in order]


def _of_speaker(
    own: Sequence[LabelledSpeech], inputs: InputEncoder, versions: int | None
) -> tuple[list[Item], list[int]]:
    """Of the first so many versions of each utterance of one speaker; others that are known are altered as it is."""
    items, labels = [], []
    for version in zip(*(s.versions[:versions] for s in own), strict=True):
        statistics = [inputs.person_statistics(features) for features in version]
        for k, (s, features) in enumerate(zip(own, version, strict=True)):
            for known in (None, known_in_all(statistics, k)):
                item = inputs.audio(features, known)
                if item is not None:
                    items.append(item)
                    labels.append(s.label)
    return items, labels


def _corpora(spoken: Sequence[LabelledSpeech]) -> list[str]:
    return sorted({s.clip.corpus for s in spoken})


@torch.no_grad()
def _encode(
    encoder: Any, items: Sequence, labels: Sequence[int], batch: Callable, *, dropout: bool = False, group: int = 0,
) -> EncodedSamples:
    encoder.train(dropout)
    vectors = torch.cat([
        encoder.features(*batch(items[i : i + BATCH], labels[i : i + BATCH])[0]) for i in range(0, len(items), BATCH)
    ])
    encoder.eval()
    return EncodedSamples(vectors, encoder.output(vectors), torch.tensor(labels), torch.full((len(labels),), group))
