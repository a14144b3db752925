# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Interface and factory of the speech recognisers."""
from __future__ import annotations

from pathlib import Path
from typing import Protocol

from smern_ros.utils.file_size import require_size
from smern_ros.values import Transcript, Utterance

BACKENDS = ('faster_whisper', 'transformers')
CONTEXTS = ('own_length', 'full')
DEVICES = ('cpu', 'cuda', 'auto')
COMPUTE_TYPES = (
    'default', 'int8', 'int8_float32', 'int8_float16', 'int8_bfloat16', 'int16', 'float16', 'bfloat16', 'float32',
)
LARGEST = {'*.json': 64 << 20, '*.txt': 64 << 20, '*.bin': 8 << 30, '*.safetensors': 8 << 30}
"""Bytes of the files in a model's folder."""


class Recogniser(Protocol):
    """Speech recogniser. Not thread-safe."""

    def transcribe(self, utterance: Utterance) -> Transcript:
        """Transcribe an utterance, with word times; no words if nothing is intelligible.

        :raises ValueError: if the samples are not mono, empty, or not finite.
        """


def create(
    backend: str = 'faster_whisper',
    model: str | None = None,
    *,
    language: str = 'en',
    context: str = 'own_length',
    allow_download: bool = False,
    cpu_threads: int = 1,
    device: str = 'cpu',
    compute_type: str = 'default',
) -> Recogniser:
    """Load a recogniser.

    :param backend: one of BACKENDS.
    :param model: a folder, or the name of a model that is (or with `allow_download` gets) in the model hub's cache.
        faster_whisper takes CTranslate2 models, also the name of an asset, by default whisper-tiny.en; transformers
        takes Whisper models in Hugging Face's format and has no default.
    :param language: ISO 639-1 code of the language, also with a region (en-GB, de_DE); or 'auto' to detect it in each
        utterance, with a multilingual model.
    :param context: 'own_length' encodes each utterance at its own length, and again at Whisper's 30 s only for
        an unlikely result (docs/asr.md has the measurements); 'full' always encodes 30 s. The backend transformers
        can only do the latter.
    :param allow_download: download a missing model from the model hub.
    :param device: one of DEVICES; 'auto' is cuda if available.
    :param compute_type: one of COMPUTE_TYPES that the device has; 'default' is int8 with faster_whisper and float32
        with transformers, which knows float32, float16 and bfloat16 alone.
    :raises smern_ros.assets.AssetError: if the model is an asset that was not fetched.
    :raises ValueError: for an unknown backend, context or language, an unavailable device or compute type, or a model
        that cannot be loaded.
    """
    for what, value, known in (
        ('backend', backend, BACKENDS), ('context', context, CONTEXTS), ('device', device, DEVICES),
        ('compute type', compute_type, COMPUTE_TYPES),
    ):
        if value not in known:
            raise ValueError(f'unknown speech recognition {what} {value!r}; expected one of {", ".join(known)}')
    if model:
        for pattern, most in LARGEST.items():
            for file in Path(model).expanduser().glob(pattern):
                require_size(file, most)
    from smern_ros.speech.whisper import WhisperRecogniser

    if backend == 'faster_whisper':
        from smern_ros.speech.whisper_ct2 import Ct2Engine

        ct2 = Ct2Engine(
            model, allow_download=allow_download, cpu_threads=cpu_threads, device=device, compute_type=compute_type
        )
        return WhisperRecogniser(ct2, language=language, own_length=context == 'own_length')
    from smern_ros.speech.whisper_transformers import TransformersEngine

    if not model:
        raise ValueError('backend transformers needs a model; give a folder or a name')
    engine = TransformersEngine(
        model, allow_download=allow_download, cpu_threads=cpu_threads, device=device, compute_type=compute_type
    )
    return WhisperRecogniser(engine, language=language, own_length=False)
