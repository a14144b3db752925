# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sound through openSMILE, the paper's extractor, instead of the robot's front end.

A network that is trained on these hears something else than the robot does: compare with it, do not ship it.
"""
from __future__ import annotations

import functools
import importlib.metadata
from typing import Any

import numpy as np

from smern_ros.audio import prosody
from smern_ros.spec import SPEC
from smern_ros.training.iemocap.features.compare_opensmile import CONFIGURATION
from smern_ros.values import AudioFeatures, Utterance


class MissingOpenSmile(Exception):
    """It is not installed; the message says how to."""


def require() -> str:
    """Its version. :raises MissingOpenSmile: if there is none."""
    try:
        import opensmile  # noqa: F401
    except ImportError as error:
        raise MissingOpenSmile(f'openSMILE is not installed ({error}): make opensmile, or pip install '
                               'opensmile==2.6.0. Its licence allows research only') from error
    return importlib.metadata.version('opensmile')


def extract(utterance: Utterance) -> AudioFeatures:
    """As `smern_ros.audio.features.extract`, with MFCC, F0 and voicing of openSMILE.

    The paper does not list its 35 prosodic values. Ours go through the same functionals as the robot's; what the
    configuration lacks, the harmonics-to-noise ratio and the loudness, is the robot's.

    :raises ValueError: if the samples are too few for a frame.
    """
    try:
        table = _smile().process_signal(utterance.samples, SPEC.sample_rate)
    except RuntimeError as error:  # of its C part
        raise ValueError(f'openSMILE cannot read the {len(utterance.samples)} samples: {error}') from error
    mfcc = table.iloc[:, : SPEC.mfcc].to_numpy(np.float32)
    f0, voicing = (table[name].to_numpy(np.float64) for name in ('F0final', 'voicingFinalUnclipped'))
    if not (np.isfinite(mfcc).all() and np.isfinite(f0).all() and np.isfinite(voicing).all()):
        raise ValueError('openSMILE gives numbers that are not finite')
    return AudioFeatures(
        utterance.id, utterance.start_ns, utterance.end_ns, mfcc[: SPEC.max_audio_frames],
        _prosody(utterance.samples, f0, voicing),
    )


def _prosody(samples: np.ndarray, f0: np.ndarray, voicing: np.ndarray) -> np.ndarray:
    """(35,) float32.

    :param f0: (T,) Hz, 0 where unvoiced, each 10 ms.
    """
    times, voiced = np.arange(len(f0)) * SPEC.frame_shift, f0 > 0
    semitones = 12 * np.log2(f0[voiced] / prosody.REFERENCE)
    held = semitones[np.maximum(np.cumsum(voiced) - 1, 0)] if len(semitones) else np.zeros(len(times))
    *_, hnr, loudness = prosody.contours(samples)
    contours = ((times[voiced], semitones), (times, held), (times, voicing), hnr, loudness)
    duration = len(samples) / SPEC.sample_rate
    return np.array([prosody.functionals(c, duration) for c in contours], np.float32).ravel()


@functools.cache
def _smile() -> Any:
    import opensmile

    return opensmile.Smile(str(CONFIGURATION), feature_level='lld')
