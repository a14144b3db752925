# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Features of an utterance for the audio encoder."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from smern_ros.audio.mfcc import mfcc
from smern_ros.audio.prosody import prosody
from smern_ros.spec import SPEC, FeatureSpec
from smern_ros.values import AudioFeatures, Utterance

if TYPE_CHECKING:
    from smern_ros.speech.encoder import SpeechEncoder


def extract(
    utterance: Utterance, speech_encoder: SpeechEncoder | None = None, spec: FeatureSpec = SPEC
) -> AudioFeatures:
    """Compute MFCC and prosody (paper, section IV-B), and the embedding of a pretrained speech encoder.

    MFCC longer than `spec.max_audio_frames` are cut at their end, as
    the paper's base model does; the prosody is that of the whole utterance.

    :param speech_encoder: None: `speech` is None.
    :raises ValueError: if the samples are empty, not mono or not finite
    """
    samples = np.asarray(utterance.samples, np.float32)
    if samples.ndim != 1 or len(samples) == 0:
        raise ValueError(
            f'utterance {utterance.id!r} has samples of shape {samples.shape}; expected mono (N,) with N >= 1'
        )
    if not np.isfinite(samples).all():
        raise ValueError(f'utterance {utterance.id!r} has samples that are not finite; expected -1..1')
    return AudioFeatures(
        utterance_id=utterance.id,
        start_ns=utterance.start_ns,
        end_ns=utterance.end_ns,
        mfcc=mfcc(samples, spec)[: spec.max_audio_frames],
        prosody=prosody(samples, spec),
        speech=None if speech_encoder is None else speech_encoder.encode(samples),
    )
