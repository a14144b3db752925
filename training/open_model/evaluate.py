# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a saved checkpoint is worth on people, comments and contents that it was not made from, as a robot runs it."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.models.person_statistics import PersonStatistics
from smern_ros.spec import AUDIO, SKELETON, TEXT
from smern_ros.training.audio import audio_augment
from smern_ros.training.audio.speaker_context import known_in_all
from smern_ros.training.common.metrics import Figures, measure
from smern_ros.training.corpora import Clip, Comment, Motion, bandai, goemotions
from smern_ros.training.open_model.dataset import Samples
from smern_ros.training.open_model.samples import Size, label_of, smaller, some_of_each_label, speech_split, text_split
from smern_ros.training.open_model.train_encoders import DEV_WINDOW
from smern_ros.training.skeleton import skeleton_augment
from smern_ros.values import AudioFeatures, SkeletonWindow, Transcript

AS_SEEN = 'as a camera sees it'
PERSON_KNOWN = 'speaker known'
"""All other utterances of the speaker were heard before; without it, none."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The test parts: of speech with its features, of comments, and of movement."""

    clips: Sequence[Clip]
    features: Sequence[AudioFeatures]
    comments: Sequence[Comment]
    motions: Sequence[Motion]

    @classmethod
    def of(cls, samples: Samples) -> HeldOut:
        return cls(
            samples.speech.test, [versions[0] for versions in samples.features['test']], samples.reading.comments.test,
            samples.movement.test,
        )

    @classmethod
    def read(cls, data: Path, cache: Path, size: Size, contents: Collection[str]) -> HeldOut:
        """The same without reading what is learnt from.

        :param contents: of movement, which the checkpoint that is measured did not learn from.
        """
        clips = speech_split(data, size.clips).test
        return cls(
            clips, [versions[0] for versions in audio_augment.features(clips, 0, cache)],
            smaller(text_split(data), size.comments).test,
            some_of_each_label([m for m in bandai.read(data) if m.content in contents], size.motions),
        )

    def persons(self, predictor: EmotionPredictor) -> list[PersonStatistics]:
        """Of each clip, what all others of its speaker tell."""
        by_speaker: dict[str, list[int]] = defaultdict(list)
        for i, clip in enumerate(self.clips):
            by_speaker[clip.speaker].append(i)
        statistics = [predictor.person_statistics(features) for features in self.features]
        places = {i: (of, k) for of in by_speaker.values() for k, i in enumerate(of)}
        return [
            known_in_all([statistics[i] for i in of], k) for of, k in (places[i] for i in range(len(self.clips)))
        ]

    def windows(self) -> tuple[list[Motion], list[SkeletonWindow], list[SkeletonWindow]]:
        """Of each window of each clip the clip, the window as captured, and as a camera sees it."""
        found = skeleton_augment.pieces(self.motions, DEV_WINDOW)
        generator = np.random.default_rng(0)
        return (
            [piece.motion for piece in found], [skeleton_augment.as_captured(piece) for piece in found],
            [skeleton_augment.as_seen(piece, generator) for piece in found],
        )


@dataclass(frozen=True, eq=False)
class Alone:
    """Test samples of one modality and one source, encoded: what `figures` and the joining by label need."""

    modality: str
    source: str
    labels: np.ndarray                     # (N,)
    vectors: Sequence[torch.Tensor | None]  # None: nothing in it can be used

    @property
    def name(self) -> str:
        return f'{self.modality}: {self.source}'

    def figures(self, predictor: EmotionPredictor) -> Figures:
        return measure(self.labels, self.probabilities(predictor))

    def probabilities(self, predictor: EmotionPredictor) -> np.ndarray:
        """(N, 4) of the whole network with this modality alone; what cannot be used counts as an even guess."""
        return np.stack([_alone(predictor, self.modality, vector) for vector in self.vectors])


def encode(predictor: EmotionPredictor, test: HeldOut) -> list[Alone]:
    """All test parts; speech a second time as of known speakers if the checkpoint makes use of that."""
    found = []
    unknown: Sequence[PersonStatistics | None] = [None] * len(test.clips)
    ways = [('', unknown)]
    if predictor.checkpoint.person_prior.names:
        ways.append((f', {PERSON_KNOWN}', test.persons(predictor)))
    for way, persons in ways:
        for corpus in sorted({clip.corpus for clip in test.clips}):
            rows = [i for i, clip in enumerate(test.clips) if clip.corpus == corpus]
            found.append(Alone(
                AUDIO, corpus + way, np.array([label_of(test.clips[i]) for i in rows]),
                [predictor.encode_audio(test.features[i], persons[i]) for i in rows],
            ))
    found.append(Alone(
        TEXT, goemotions.CORPUS, np.array([label_of(comment) for comment in test.comments]),
        [predictor.encode_text(Transcript('', 0, 0, comment.text)) for comment in test.comments],
    ))
    if SKELETON not in predictor.checkpoint.modalities:
        return found
    motions, captured, seen = test.windows()
    labels = np.array([label_of(motion) for motion in motions])
    for source, windows in ((bandai.CORPUS, captured), (f'{bandai.CORPUS}, {AS_SEEN}', seen)):
        found.append(Alone(SKELETON, source, labels, [predictor.encode_skeleton(window) for window in windows]))
    return found


def alone(
    predictor: EmotionPredictor, modality: str, encode: Callable, evidence: Sequence, labelled: Sequence
) -> Figures:
    """One modality's figures; evidence of which nothing can be used counts as an even guess."""
    labels = np.array([label_of(sample) for sample in labelled])
    return Alone(modality, '', labels, [encode(item) for item in evidence]).figures(predictor)


def _alone(predictor: EmotionPredictor, modality: str, vector: torch.Tensor | None) -> np.ndarray:
    if vector is None:
        return np.full(len(predictor.labels), 1 / len(predictor.labels))
    return predictor.fuse({modality: vector}).probabilities
