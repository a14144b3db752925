# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Offline adaptation to a person's labelled recordings, with leave-one-out evaluation."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smern_ros.emotion.adaptation import AdaptationSettings, Example, fit
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.models.person_statistics import PersonStatistics
from smern_ros.spec import AUDIO, SKELETON, TEXT
from smern_ros.values import Prediction, UtteranceInputs


@dataclass(frozen=True, eq=False)
class LabelledRecording:
    """One utterance of a recording."""

    recording: str  # whose utterances all have one label
    label: str
    inputs: UtteranceInputs


@dataclass(frozen=True, eq=False)
class AdaptationComparison:
    """Predictions of an utterance before and after adaptation to the person's other recordings."""

    recording: str
    label: str
    before: Prediction
    after: Prediction


def examples(predictor: EmotionPredictor, labelled: Sequence[LabelledRecording]) -> list[Example | None]:
    """Encode each utterance; None: no usable evidence.

    Each is normalised by the statistics of all of them. Labels are not used for that.
    """
    told = [predictor.person_statistics(one.inputs.audio, one.inputs.skeleton) for one in labelled]
    found: list[Example | None] = []
    count: dict[str, int] = {}
    for i, one in enumerate(labelled):
        person = PersonStatistics.joined(part for k, part in enumerate(told) if k != i)
        audio, text, skeleton = one.inputs.audio, one.inputs.text, one.inputs.skeleton
        encoded = {
            AUDIO: None if audio is None else predictor.encode_audio(audio, person),
            TEXT: None if text is None else predictor.encode_text(text),
            SKELETON: None if skeleton is None else predictor.encode_skeleton(skeleton, person),
        }
        vectors = {modality: vector for modality, vector in encoded.items() if vector is not None}
        number = count[one.recording] = count.get(one.recording, 0) + 1
        found.append(Example(f'{one.recording} {number}', vectors, one.label) if vectors else None)
    return found


def leave_one_out(
    predictor: EmotionPredictor, labelled: Sequence[LabelledRecording], learnt: Sequence[Example],
    settings: AdaptationSettings = AdaptationSettings(),
) -> list[AdaptationComparison]:
    """Predict each utterance with a fusion adapted to all other recordings.

    :param learnt: `examples` of `labelled`, in the same order.
    :raises ValueError: for a single recording.
    """
    recordings = list(dict.fromkeys(one.recording for one in labelled))
    if len(recordings) < 2:
        raise ValueError('leave-one-out needs at least two recordings')
    networks = {
        name: fit(
            predictor.checkpoint,
            [e for one, e in zip(labelled, learnt, strict=True) if one.recording != name], settings,
        ) for name in recordings
    }
    return [
        AdaptationComparison(
            one.recording, one.label, predictor.fuse(e.vectors), predictor.fuse(e.vectors, networks[one.recording])
        ) for one, e in zip(labelled, learnt, strict=True)
    ]
