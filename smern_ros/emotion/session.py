"""One run through time, live or of a recording: who is met is remembered, and normalised by what is known of them."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from smern_ros.emotion.adaptation import Adaptation
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.models.person_statistics import ABSENT, UNKNOWN, PeopleRegistry, PersonStatistics
from smern_ros.spec import AUDIO, SKELETON, TEXT
from smern_ros.values import AudioFeatures, Prediction, SkeletonWindow, Transcript, UtteranceInputs

MOST_BODIES = 256
"""Ids of people seen that are kept, those of whom something was labelled always: more than anything is known of."""


@dataclass(frozen=True, eq=False)
class EncodedEvidence:
    """One modality's evidence after its encoder."""

    source: AudioFeatures | Transcript | SkeletonWindow
    vector: torch.Tensor | None  # None: movement that is unfamiliar or not read tells whose the voice is alone
    newest_ns: int               # its last informative sample
    known: PersonStatistics = UNKNOWN  # what it was normalised by, beside itself


@dataclass(frozen=True, eq=False)
class UtterancePrediction:
    """What the network says, of whom, and from which vectors."""

    prediction: Prediction
    person_id: str
    identity: str                     # as whom labels of it count (`PeopleRegistry.identity`)
    vectors: dict[str, torch.Tensor]  # by modality


class Session:
    """Encodes evidence as it comes, judges when it is time and learns from what is certain. For one thread.

    Evidence may come before it is clear whose it is. It is encoded for whoever it seems to be of, and once more at the
    judgement if that was another: what is judged depends on the evidence alone and on the utterances before it.
    """

    def __init__(self, predictor: EmotionPredictor, adaptation: Adaptation | None = None) -> None:
        """:param adaptation: what labels taught before; None: nothing yet."""
        self.predictor = predictor
        self.people = PeopleRegistry()
        self._bodies: OrderedDict[str, None] = OrderedDict()  # ids of those seen; the one seen last is last
        self.adaptation = Adaptation(predictor.checkpoint) if adaptation is None else adaptation

    def hear(self, features: AudioFeatures, person_id: str = ABSENT) -> EncodedEvidence | None:
        """
        :param person_id: who seems to speak.
        :return: None if nothing in it was voiced.
        """
        known = self.people.known(person_id, features.start_ns)
        vector = self.predictor.encode_audio(features, known)
        return None if vector is None else EncodedEvidence(features, vector, features.end_ns, known)

    def read(self, transcript: Transcript) -> EncodedEvidence | None:
        """:return: None if it is doubtful, foreign, or holds no word that the vocabulary knows."""
        vector = self.predictor.encode_text(transcript)
        newest_ns = max((w.end_ns for w in transcript.words), default=transcript.end_ns)
        return None if vector is None else EncodedEvidence(transcript, vector, min(newest_ns, transcript.end_ns))

    def see(self, window: SkeletonWindow) -> EncodedEvidence | None:
        """:return: None if no joint is visible in any frame."""
        self._bodies[window.person_id] = None
        self._bodies.move_to_end(window.person_id)
        if len(self._bodies) > MOST_BODIES:
            del self._bodies[next(body for body in self._bodies if body not in self.adaptation.people)]
        known = self.people.known(window.person_id, window.start_ns)
        vector = self.predictor.encode_skeleton(window, known)
        seen = np.flatnonzero(window.visible.any(axis=1))
        if not len(seen):
            return None
        frame_ns = (window.end_ns - window.start_ns) // max(len(window.visible) - 1, 1)
        return EncodedEvidence(window, vector, window.start_ns + int(seen[-1]) * frame_ns, known)

    def judge(
        self, evidence: Mapping[str, EncodedEvidence], start_ns: int, speaker: str = ABSENT
    ) -> UtterancePrediction:
        """What the evidence of one utterance says, by modality; the voice belongs to whoever moves.

        :param start_ns: the first instant of the utterance.
        :param speaker: who speaks, if the body is not seen and others know.
        :raises NoEvidence: if there is none.
        """
        person_id = _person(evidence) or speaker
        known, identity = self.people.known(person_id, start_ns), self.people.identity(person_id, start_ns)
        encoded = {m: self._encoded_for(known, of_one).vector for m, of_one in evidence.items()}
        vectors = {m: vector for m, vector in encoded.items() if vector is not None}
        unfamiliar = [m for m in encoded if m not in vectors and m in self.predictor.checkpoint.modalities]
        prediction = self.predictor.fuse(vectors, self.adaptation.network(identity), unfamiliar)
        return UtterancePrediction(prediction, person_id, identity, vectors)

    def learn(self, evidence: Mapping[str, EncodedEvidence], start_ns: int, end_ns: int, speaker: str = ABSENT) -> None:
        """Remembers what the evidence of an utterance tells of its person: once, when its end cannot be taken back.

        :param speaker: as of `judge`.
        """
        told = None
        if self.predictor.checkpoint.person_prior.names:
            heard, seen = (evidence[m].source if m in evidence else None for m in (AUDIO, SKELETON))
            told = self.predictor.told_by(heard, seen)  # type: ignore[arg-type]
        self.people.learn(_person(evidence) or speaker, told, start_ns, end_ns)

    def forget_bodies(self) -> list[str]:
        """Whoever follows bodies begins anew: the ids of those seen so far will stand for others.

        :return: these ids, of which nothing is known now, labels included.
        """
        bodies = list(self._bodies)
        self._bodies.clear()
        for person_id in bodies:
            self.people.forget(person_id)
            self.adaptation.forget(person_id)
        return bodies

    def predict(self, inputs: UtteranceInputs) -> UtterancePrediction:
        """All of that for a whole utterance or window. The utterances come in the order of time.

        :raises NoEvidence: if nothing of it can be used.
        """
        found = {
            AUDIO: None if inputs.audio is None else self.hear(inputs.audio),
            TEXT: None if inputs.text is None else self.read(inputs.text),
            SKELETON: None if inputs.skeleton is None else self.see(inputs.skeleton),
        }
        evidence = {m: encoded for m, encoded in found.items() if encoded is not None}
        judgement = self.judge(evidence, inputs.start_ns)
        if inputs.utterance_id:
            self.learn(evidence, inputs.start_ns, inputs.end_ns)
        return judgement

    def _encoded_for(self, known: PersonStatistics, encoded: EncodedEvidence) -> EncodedEvidence:
        source = encoded.source
        if encoded.known is known or encoded.vector is None or isinstance(source, Transcript):
            return encoded
        encode = self.predictor.encode_audio if isinstance(source, AudioFeatures) else self.predictor.encode_skeleton
        vector = encode(source, known)  # type: ignore[arg-type]
        assert vector is not None  # as before: normalising hides nothing
        return replace(encoded, vector=vector, known=known)


def _person(evidence: Mapping[str, EncodedEvidence]) -> str:
    source = evidence[SKELETON].source if SKELETON in evidence else None
    return source.person_id if isinstance(source, SkeletonWindow) else ABSENT
