"""What the pretrained encoders of the shipped checkpoint make of an utterance: an extra to the paper's features."""
from __future__ import annotations

from functools import cache

import numpy as np

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.text.sentence_encoder import SentenceEncoder
from smern_ros.training.benchmarks.store import code
from smern_ros.training.common import keys
from smern_ros.training.common.feature_code import ENCODED

_CODE = (*ENCODED, 'smern_ros.text.onnx_tensors', 'smern_ros.text.sentence_encoder')


def require() -> list:
    """What it depends on: names and sizes of the weights, and the code.

    :raises smern_ros.assets.AssetError: if weights are not here, naming the command that fetches them.
    """
    files = [keys.file(path) for name in (SPEC.speech_encoder, SPEC.sentence_encoder)
             for path in sorted(assets.path(name).iterdir())]
    return [*(found[:2] for found in files if found), code(_CODE)]


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
