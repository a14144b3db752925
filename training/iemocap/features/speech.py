# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Features of an utterance's sound, as the robot computes them, and those of pretrained encoders of sound and words."""
from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from smern_ros.audio.channels import Downmix
from smern_ros.audio.features import extract
from smern_ros.audio.pcm import decode
from smern_ros.media.reader import MediaError, MediaReader
from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.text.sentence_encoder import SentenceEncoder
from smern_ros.training.common.cache import SPEECH_ENCODER, asset_state, code
from smern_ros.training.iemocap.features import smile
from smern_ros.values import SECOND, AudioFeatures, Utterance

_PRETRAINED = (*SPEECH_ENCODER, 'smern_ros.text.onnx_tensors', 'smern_ros.text.sentence_encoder')


def read(path: Path) -> np.ndarray:
    """(N,) float32, -1..1, mono, at the spec's rate.

    :raises MediaError: if it cannot be read, is damaged or cut off, has no sample or another rate.
    """
    reader = MediaReader(path)
    blocks = list(reader.audio())
    problem = reader.problem()
    if problem is not None:
        raise problem
    if not blocks:
        raise MediaError(f'{path} holds no sound')
    for rate in {block.sample_rate for block in blocks} - {SPEC.sample_rate}:
        raise MediaError(f'{path} has {rate} Hz; wanted {SPEC.sample_rate}')
    mono = Downmix()
    return np.concatenate([
        mono.push(decode(block.samples.tobytes(), encoding='s16le', channels=block.samples.shape[1]), block.sample_rate)
        for block in blocks
    ])


def features(path: Path, *, opensmile: bool = False, speech_encoder: SpeechEncoder | None = None) -> AudioFeatures:
    """MFCC (T, 39), T >= 1, and prosody (35,) of a file that holds one utterance.

    :param opensmile: see `smile`; False: as the robot hears it.
    :param speech_encoder: what it hears is kept, too; None: `speech` is None.
    :raises MediaError: see `read`; also if it is shorter than a frame.
    """
    samples = read(path)
    front_end = smile.extract if opensmile else extract
    heard = front_end(Utterance(path.stem, 0, len(samples) * SECOND // SPEC.sample_rate, samples))
    if len(heard.mfcc) == 0:
        raise MediaError(f'{path} has only {len(samples)} samples; a frame needs more')
    return heard if speech_encoder is None else replace(heard, speech=speech_encoder.encode(samples))


def pretrained_state() -> list:
    """What the pretrained encoders' features depend on: names and sizes of their weights, and the code.

    :raises smern_ros.assets.AssetError: if weights are not here, naming the command that fetches them.
    """
    return [*asset_state(SPEC.speech_encoder), *asset_state(SPEC.sentence_encoder), code(_PRETRAINED)]


@cache
def speech_encoder() -> SpeechEncoder:
    """Of this process. :raises smern_ros.assets.AssetError: see `pretrained_state`."""
    return SpeechEncoder()


def word_vectors(text: str) -> np.ndarray | None:
    """(W, 1152) float16; None where there is no word. :raises smern_ros.assets.AssetError: see `pretrained_state`."""
    vectors = _sentence_encoder().encode(text)
    return vectors.astype(np.float16) if len(vectors) else None


@cache
def _sentence_encoder() -> SentenceEncoder:
    return SentenceEncoder()
