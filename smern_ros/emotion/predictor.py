# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Emotion prediction from the evidence of one utterance."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from smern_ros.emotion import checkpoint as checkpoints
from smern_ros.emotion import shipped_checkpoints
from smern_ros.emotion.adaptation import AdaptedFusion
from smern_ros.emotion.checkpoint import Checkpoint
from smern_ros.models.inputs import NO_WORDS, InputEncoder
from smern_ros.models.person_statistics import PersonStatistics
from smern_ros.models.voice import Voice
from smern_ros.skeleton.features import model_input
from smern_ros.spec import AUDIO, MODALITIES, SKELETON, TEXT
from smern_ros.text.sentence_encoder import SentenceEncoder
from smern_ros.values import AudioFeatures, Prediction, SkeletonWindow, Transcript, UtteranceInputs

ADAPTED = '+adapted'
"""After the checkpoint's id, where a person's labels had a part in the prediction."""


_UNFAMILIAR = 'out-of-distribution skeleton'
_EMPTY = {AUDIO: 'no voiced audio', TEXT: 'no known word', SKELETON: 'no visible joint'}


class NoEvidence(ValueError):
    """No modality has usable evidence."""


class EmotionPredictor:
    """SMERN-GA with a trained checkpoint. Thread-safe. Sets torch to one thread for the process.

    Encoding takes up to tens of milliseconds, fusion one or two: encode evidence when it arrives, then fuse.

    >>> predictor = EmotionPredictor.load()
    >>> prediction = predictor.predict(UtteranceInputs('u1', start_ns, end_ns, audio=features))
    >>> prediction.label, prediction.confidence
    """

    def __init__(self, checkpoint: Checkpoint):
        torch.set_num_threads(1)
        self.checkpoint = checkpoint
        self.id = checkpoint.id
        self.labels = checkpoint.spec.labels
        self._inputs = InputEncoder(
            checkpoint.normalisation, checkpoint.vocabulary or NO_WORDS, checkpoint.spec, checkpoint.person_prior
        )
        self._words = SentenceEncoder() if checkpoint.vocabulary is None else None
        fusion = checkpoint.fusion.config
        self._sizes = {AUDIO: fusion.audio, TEXT: fusion.text, SKELETON: fusion.skeleton}

    @classmethod
    def load(cls, wanted: Path | str | None = None) -> EmotionPredictor:
        """
        :param wanted: name of a shipped checkpoint, or a directory; None: `shipped_checkpoints.DEFAULT`.
        :raises SpecMismatch: if it has another feature spec than this code.
        :raises smern_ros.emotion.checkpoint.CheckpointError: if it is missing or damaged.
        :raises smern_ros.assets.AssetError: if the weights of the sentence encoder are missing.
        """
        return cls(checkpoints.load(shipped_checkpoints.checkpoint_folder(wanted)))

    @torch.inference_mode()
    def encode_audio(self, features: AudioFeatures, person: PersonStatistics | None = None) -> torch.Tensor | None:
        """Encode audio to the vector A; None if no frame is voiced.

        :param person: statistics of the speaker without this utterance; None: unknown.
        """
        inputs = self._inputs.audio(features, person)
        if inputs is None:
            return None
        mfcc, prosody, speech = inputs
        encoder, frames = self.checkpoint.audio, torch.tensor([len(mfcc)])
        if isinstance(encoder, Voice):
            return encoder.features(mfcc[None], frames, prosody[None], speech[None])[0]
        return encoder.features(mfcc[None], frames, prosody[None])[0]

    @torch.inference_mode()
    def encode_text(self, transcript: Transcript) -> torch.Tensor | None:
        """Encode a transcript to the vector T (200,); None if it is doubtful, not English, or has no known word."""
        if transcript.doubtful or transcript.foreign:
            return None
        words = (
            self._inputs.text(transcript.text) if self._words is None
            else torch.from_numpy(self._words.encode(transcript.text))
        )
        if words is None or not len(words):
            return None
        return self.checkpoint.text.features(words[None], torch.tensor([len(words)]))[0]

    @torch.inference_mode()
    def encode_skeleton(self, window: SkeletonWindow, person: PersonStatistics | None = None) -> torch.Tensor | None:
        """Encode a skeleton window to SMACN's vector (256,).

        :param person: statistics of the person without this window; None: unknown.
        :return: None if no joint is visible, the window is `unfamiliar`, or the checkpoint has no skeleton encoder.
        """
        network, inputs = self.checkpoint.skeleton, self._inputs.skeleton(window, person)
        if network is None or inputs is None or self.unfamiliar(window):
            return None
        x, visible = inputs
        return network.features(x[None], visible[None])[0]

    def unfamiliar(self, window: SkeletonWindow) -> bool:
        """Whether the posture is out of the distribution of the training data."""
        posture = self.checkpoint.posture
        if posture is None or not window.visible.any():
            return False
        return posture.unlikeness(*model_input(window)) > 0

    @torch.inference_mode()
    def fuse(
        self, vectors: Mapping[str, torch.Tensor | None], adapted: AdaptedFusion | None = None,
        unfamiliar: Sequence[str] = (),
    ) -> Prediction:
        """Predict from the encoded modalities, together and each alone.

        :param vectors: results of `encode_*` by modality; None or absent: missing.
        :param adapted: the fusion adapted to the person (`smern_ros.emotion.adaptation`); None: the checkpoint's.
        :param unfamiliar: missing modalities that were present but out of distribution; for the prediction.
        :raises NoEvidence: if all are missing.
        :raises ValueError: for an unknown or unused modality, or a wrong shape.
        """
        given = self._check_vectors(vectors, unfamiliar)
        present = tuple(given)
        without = {m: tuple(o for o in present if o != m) for m in present} if len(present) > 1 else {}
        # One pass for all: the modalities together, each alone, and all but one.
        subsets = list(dict.fromkeys([present, *((m,) for m in present), *without.values()]))
        present_rows = torch.tensor([[m in subset for m in MODALITIES] for subset in subsets])
        audio, text, skeleton = (
            given[m].expand(len(subsets), -1) if m in given else torch.zeros(len(subsets), self._sizes[m])
            for m in MODALITIES
        )
        network = self.checkpoint.fusion if adapted is None else adapted
        logits = network(audio, text, skeleton, present_rows).logits
        temperatures = torch.tensor([[self.checkpoint.temperatures['+'.join(s)]] for s in subsets], dtype=torch.double)
        log_rows = (logits.double() / temperatures).log_softmax(dim=1).numpy()
        logs = dict(zip(subsets, log_rows, strict=True))
        probabilities = np.exp(logs[present]).astype(np.float32)
        label = probabilities.argmax()
        return Prediction(
            labels=self.labels,
            probabilities=probabilities,
            modalities=present,
            weights=_modality_weights([logs[present][label] - logs[others][label] for others in without.values()]),
            alone=np.exp([logs[(m,)] for m in present]).astype(np.float32),
            model=self.id if adapted is None else f'{self.id}{ADAPTED}',
            unfamiliar=tuple(unfamiliar),
        )

    def person_statistics(
        self, features: AudioFeatures | None = None, window: SkeletonWindow | None = None
    ) -> PersonStatistics:
        """The statistics of one utterance, to be merged into those of its person."""
        return self._inputs.person_statistics(features, window)

    def predict(self, inputs: UtteranceInputs) -> Prediction:
        """Encode and fuse one utterance of an unknown person.

        `smern_ros.emotion.session.Session` does so for successive utterances, with the statistics of people.

        :raises NoEvidence: if no modality can be used.
        """
        return self.fuse(
            {
                AUDIO: None if inputs.audio is None else self.encode_audio(inputs.audio),
                TEXT: None if inputs.text is None else self.encode_text(inputs.text),
                SKELETON: None if inputs.skeleton is None else self.encode_skeleton(inputs.skeleton),
            },
            unfamiliar=(SKELETON,) if inputs.skeleton is not None and self.unfamiliar(inputs.skeleton) else (),
        )

    def _check_vectors(
        self, vectors: Mapping[str, torch.Tensor | None], unfamiliar: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        """Those given, in the order of MODALITIES."""
        unknown = sorted(set(vectors) - set(MODALITIES))
        if unknown:
            raise ValueError(f'unknown modality {", ".join(unknown)}; expected {", ".join(MODALITIES)}')
        given = {m: vector for m in MODALITIES if (vector := vectors.get(m)) is not None}
        if unread := sorted(set(given) - set(self.checkpoint.modalities)):
            raise ValueError(f'checkpoint {self.id} does not use {", ".join(unread)}')
        if not given:
            lacking = ', '.join(_UNFAMILIAR if m in unfamiliar else _EMPTY[m] for m in self.checkpoint.modalities)
            raise NoEvidence(f'no modality has usable evidence: {lacking}')
        for modality, vector in given.items():
            shape = tuple(vector.shape)
            if shape != (self._sizes[modality],):
                raise ValueError(f'{modality} vector has shape {shape}; expected ({self._sizes[modality]},)')
        return given


def _modality_weights(gains: Sequence[float]) -> np.ndarray:
    """Contribution of each modality to the label, as in EmotionState.msg.

    :param gains: of each modality, log p(label) with it less without it; empty for a single modality.
    :return: (modalities,) float32, sum 1.
    """
    positive = np.maximum(gains, 0.0) if gains else np.ones(1)
    largest = positive.max()
    shares = positive / largest if largest > 0 else np.ones_like(positive)  # however small or large the gains are
    return (shares / shares.sum()).astype(np.float32)
