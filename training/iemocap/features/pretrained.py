"""What the pretrained encoders of the shipped checkpoint make of an utterance: an extra to the paper's features."""
from __future__ import annotations

from functools import cache

import numpy as np

from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.text.sentence_encoder import SentenceEncoder
from smern_ros.training.common.cache import SPEECH_ENCODER, asset_state, code

_CODE = (*SPEECH_ENCODER, 'smern_ros.text.onnx_tensors', 'smern_ros.text.sentence_encoder')


def require() -> list:
    """What it depends on: names and sizes of the weights, and the code.

    :raises smern_ros.assets.AssetError: if weights are not here, naming the command that fetches them.
    """
    return [*asset_state(SPEC.speech_encoder), *asset_state(SPEC.sentence_encoder), code(_CODE)]


@cache
def speech_encoder() -> SpeechEncoder:
    """Of this process. :raises smern_ros.assets.AssetError: see `require`."""
    return SpeechEncoder()


def word_vectors(text: str) -> np.ndarray | None:
    """(W, 1152) float16; None where there is no word. :raises smern_ros.assets.AssetError: see `require`."""
    vectors = _sentence_encoder().encode(text)
    return vectors.astype(np.float16) if len(vectors) else None


@cache
def _sentence_encoder() -> SentenceEncoder:
    return SentenceEncoder()
