# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Prediction over one session, live or recorded: inputs are normalised by the statistics of the people met so far."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from smern_ros.emotion.adaptation import Adaptation
from smern_ros.emotion.people import ABSENT, PeopleRegistry
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.models.person_statistics import UNKNOWN, PersonStatistics
from smern_ros.spec import AUDIO, SKELETON, TEXT
from smern_ros.values import AudioFeatures, Prediction, SkeletonWindow, Transcript, UtteranceInputs

MAX_TRACKED_IDS = 256
"""Person ids of skeletons that are kept, besides those that have labels; more than the registry's capacity."""


@dataclass(frozen=True, eq=False)
class EncodedEvidence:
    """One modality's evidence after its encoder."""

    source: AudioFeatures | Transcript | SkeletonWindow
    vector: torch.Tensor | None  # None: a skeleton that is out of distribution or not read; it only gives the person_id
    newest_ns: int               # its last informative sample
    statistics: PersonStatistics = UNKNOWN  # what it was normalised by, beside itself


@dataclass(frozen=True, eq=False)
class UtterancePrediction:
    """A prediction, the person it is of, and the vectors it was made from."""

    prediction: Prediction
    person_id: str
    identity: str                     # the key of its labels (`PeopleRegistry.identity`)
    vectors: dict[str, torch.Tensor]  # by modality


class Session:
    """Encodes evidence as it arrives, fuses it, and updates the statistics of people. Not thread-safe.

    Audio may be encoded before it is known who speaks; `fuse` encodes it again if the person turns out to be another.
    A prediction depends only on its evidence and on the utterances before it, not on the order of arrival.

    >>> session = Session(EmotionPredictor.load())
    >>> for inputs in utterances:  # UtteranceInputs, in the order of time
    ...     print(session.predict(inputs).prediction.label)
    """

    def __init__(self, predictor: EmotionPredictor, adaptation: Adaptation | None = None) -> None:
        """:param adaptation: labels of an earlier session; None: none."""
        self.predictor = predictor
        self.people = PeopleRegistry()
        self._tracked: OrderedDict[str, None] = OrderedDict()  # person ids of skeletons; least recently seen first
        self.adaptation = Adaptation(predictor.checkpoint) if adaptation is None else adaptation

    def encode_audio(self, features: AudioFeatures, person_id: str = ABSENT) -> EncodedEvidence | None:
        """
        :param person_id: the probable speaker.
        :return: None if no frame is voiced.
        """
        statistics = self.people.statistics(person_id, features.start_ns)
        vector = self.predictor.encode_audio(features, statistics)
        return None if vector is None else EncodedEvidence(features, vector, features.end_ns, statistics)

    def encode_text(self, transcript: Transcript) -> EncodedEvidence | None:
        """:return: None if the transcript is doubtful, in another language, or holds no word of the vocabulary."""
        vector = self.predictor.encode_text(transcript)
        newest_ns = max((w.end_ns for w in transcript.words), default=transcript.end_ns)
        return None if vector is None else EncodedEvidence(transcript, vector, min(newest_ns, transcript.end_ns))

    def encode_skeleton(self, window: SkeletonWindow) -> EncodedEvidence | None:
        """:return: None if no joint is visible in any frame."""
        self._tracked[window.person_id] = None
        self._tracked.move_to_end(window.person_id)
        if len(self._tracked) > MAX_TRACKED_IDS:
            del self._tracked[next(p for p in self._tracked if p not in self.adaptation.people)]
        statistics = self.people.statistics(window.person_id, window.start_ns)
        vector = self.predictor.encode_skeleton(window, statistics)
        visible = np.flatnonzero(window.visible.any(axis=1))
        if not len(visible):
            return None
        frame_ns = (window.end_ns - window.start_ns) // max(len(window.visible) - 1, 1)
        return EncodedEvidence(window, vector, window.start_ns + int(visible[-1]) * frame_ns, statistics)

    def fuse(
        self, evidence: Mapping[str, EncodedEvidence], start_ns: int, speaker: str = ABSENT
    ) -> UtterancePrediction:
        """Predicts from the encoded evidence of one utterance; the voice is attributed to the skeleton's person.

        :param evidence: by modality.
        :param start_ns: start of the utterance.
        :param speaker: person_id of the speaker if there is no skeleton.
        :raises NoEvidence: if there is none.
        """
        person_id = _person(evidence) or speaker
        statistics = self.people.statistics(person_id, start_ns)
        identity = self.people.identity(person_id, start_ns)
        encoded = {m: self._encoded_with(statistics, e).vector for m, e in evidence.items()}
        vectors = {m: vector for m, vector in encoded.items() if vector is not None}
        unfamiliar = [m for m in encoded if m not in vectors and m in self.predictor.checkpoint.modalities]
        prediction = self.predictor.fuse(vectors, self.adaptation.network(identity), unfamiliar)
        return UtterancePrediction(prediction, person_id, identity, vectors)

    def update_statistics(
        self, evidence: Mapping[str, EncodedEvidence], start_ns: int, end_ns: int, speaker: str = ABSENT
    ) -> None:
        """Adds an utterance to the statistics of its person. Call it once, when the utterance is final.

        :param speaker: as of `fuse`.
        """
        statistics = None
        if self.predictor.checkpoint.person_prior.names:
            audio, skeleton = (evidence[m].source if m in evidence else None for m in (AUDIO, SKELETON))
            statistics = self.predictor.person_statistics(audio, skeleton)  # type: ignore[arg-type]
        self.people.update(_person(evidence) or speaker, statistics, start_ns, end_ns)

    def reset_tracked_people(self) -> list[str]:
        """Forgets everybody whose skeleton was seen: the tracker restarted, and its ids will stand for others.

        :return: their person ids; statistics and labels of these are gone.
        """
        person_ids = list(self._tracked)
        self._tracked.clear()
        for person_id in person_ids:
            self.people.forget(person_id)
            self.adaptation.forget(person_id)
        return person_ids

    def predict(self, inputs: UtteranceInputs) -> UtterancePrediction:
        """Encodes, fuses and updates the statistics. Call it with the utterances in the order of time.

        :param inputs: one utterance, or a window without speech (empty utterance id), which updates nothing.
        :raises NoEvidence: if no modality can be used.
        """
        encoded = {
            AUDIO: None if inputs.audio is None else self.encode_audio(inputs.audio),
            TEXT: None if inputs.text is None else self.encode_text(inputs.text),
            SKELETON: None if inputs.skeleton is None else self.encode_skeleton(inputs.skeleton),
        }
        evidence = {m: e for m, e in encoded.items() if e is not None}
        prediction = self.fuse(evidence, inputs.start_ns)
        if inputs.utterance_id:
            self.update_statistics(evidence, inputs.start_ns, inputs.end_ns)
        return prediction

    def _encoded_with(self, statistics: PersonStatistics, encoded: EncodedEvidence) -> EncodedEvidence:
        source = encoded.source
        if encoded.statistics is statistics or encoded.vector is None or isinstance(source, Transcript):
            return encoded
        encode = self.predictor.encode_audio if isinstance(source, AudioFeatures) else self.predictor.encode_skeleton
        vector = encode(source, statistics)  # type: ignore[arg-type]
        assert vector is not None  # what can be encoded does not depend on the statistics
        return replace(encoded, vector=vector, statistics=statistics)


def _person(evidence: Mapping[str, EncodedEvidence]) -> str:
    source = evidence[SKELETON].source if SKELETON in evidence else None
    return source.person_id if isinstance(source, SkeletonWindow) else ABSENT
