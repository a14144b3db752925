# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Value objects from signals to predictions, the same live and offline.

Times are integer nanoseconds on the input's time line (the stamps of camera and microphone).
Arrays are not modified after an object is created.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smern_ros.spec import MODALITIES

SECOND = 1_000_000_000
"""Nanoseconds."""
CLOCK_JUMP = SECOND
"""ns by which stamps of one kind may step back and have only come late; by more, the clock was set back, or a recording
begins again."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """One person in one camera frame, in the order of `smern_ros.spec.Joint`."""

    stamp_ns: int
    person_id: str
    positions: np.ndarray        # (10, 3) float32, metres from the thorax; axes of the camera's optical frame
    #                              (REP-103: x right, y down, z away from the camera); NaN where not seen
    confidences: np.ndarray      # (10,) float32, 0..1, how visible the estimator holds each joint
    score: float                 # 0..1, how sure the estimator is that this is a person
    extent: float                # shoulder width as a fraction of the image width: the larger, the nearer
    image_positions: np.ndarray  # (10, 2) float32, pixels (u, v) of the source image; NaN where not seen
    origin: np.ndarray | None = None  # (3,) float32, metres from the thorax: the estimator's own origin, if told


@dataclass(frozen=True, eq=False)
class SkeletonWindow:
    """One person's movement from start to end, resampled to the spec's rate and filtered with zero phase."""

    person_id: str
    start_ns: int
    end_ns: int
    positions: np.ndarray  # (T, 10, 3) float32, metres from the thorax, optical axes; 0 where not visible
    visible: np.ndarray    # (T, 10) bool
    extent: float          # mean over the window, see Skeleton.extent


@dataclass(frozen=True, eq=False)
class Utterance:
    """A segment of speech found by the voice activity detector."""

    id: str
    start_ns: int
    end_ns: int
    samples: np.ndarray  # (N,) float32, -1..1, mono, at the spec's sample rate


@dataclass(frozen=True, eq=False)
class AudioFeatures:
    """Input of the audio encoder for one utterance (paper, section IV-B)."""

    utterance_id: str
    start_ns: int
    end_ns: int
    mfcc: np.ndarray     # (T, 39) float32
    prosody: np.ndarray  # (35,) float32, in the order of `smern_ros.spec.PROSODY`
    speech: np.ndarray | None = None  # (768,) float32 of the speech encoder; None where its weights are not there


DOUBTFUL_TEXT = 0.5
"""Confidence below which words are no evidence; docs/asr.md has the measurement."""


ENGLISH = ('en', 'eng', 'und', '')
"""Codes of a language whose words are evidence; `und` and nothing: whoever heard them does not say."""


def language_code(tag: str) -> str:
    """The ISO 639-1 code of an IETF language tag or a locale: 'en' of 'en-GB' and 'en_US'; empty of an empty one."""
    return tag.strip().replace('_', '-').partition('-')[0].lower()


def is_english(tag: str) -> bool:
    """Whether an IETF language tag or locale is English or unspecified."""
    return language_code(tag) in ENGLISH


@dataclass(frozen=True)
class Word:
    text: str
    start_ns: int
    end_ns: int
    probability: float


@dataclass(frozen=True)
class Transcript:
    """The words of an utterance."""

    utterance_id: str
    start_ns: int
    end_ns: int
    text: str
    words: tuple[Word, ...] = ()
    confidence: float = 1.0  # 0..1
    language: str = 'en'     # ISO 639-1, or a tag that begins with it (en-GB); empty: not told

    @property
    def doubtful(self) -> bool:
        """Whether the transcript has words with low confidence; they are not used."""
        return bool(self.text.strip()) and not self.confidence >= DOUBTFUL_TEXT

    @property
    def foreign(self) -> bool:
        """Whether the transcript has words in a language that the networks do not support."""
        return bool(self.text.strip()) and not is_english(self.language)


@dataclass(frozen=True)
class UtteranceInputs:
    """The evidence of one utterance; missing modalities are None."""

    utterance_id: str
    start_ns: int
    end_ns: int
    audio: AudioFeatures | None = None
    text: Transcript | None = None
    skeleton: SkeletonWindow | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(m for m in MODALITIES if getattr(self, m) is not None)


@dataclass(frozen=True, eq=False)
class Prediction:
    """The prediction for one utterance or window."""

    labels: tuple[str, ...]
    probabilities: np.ndarray    # (labels,) float32, after the checkpoint's temperature, sum 1
    modalities: tuple[str, ...]  # used, in the order of `smern_ros.spec.MODALITIES`
    weights: np.ndarray          # (modalities,) float32, how much the answer leans on each, sum 1 (EmotionState.msg)
    alone: np.ndarray            # (modalities, labels) float32, what each modality alone would say
    model: str                   # checkpoint id
    unfamiliar: tuple[str, ...] = ()  # modalities that were there and were not used: unlike what was learnt

    @property
    def label(self) -> str:
        return self.labels[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())
