# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Contextual word vectors by all-MiniLM-L6-v2, a small pretrained sentence encoder."""
from __future__ import annotations

import re
import warnings
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.text import onnx_tensors

READ = (2, 4, 6)
"""Layers concatenated to a vector. The last one alone represents the topic more than the emotion."""
_WIDTH, _LAYERS, _HEADS = 384, 6, 12
_EPSILON = 1e-12
_WORD = re.compile(r"[^\W_]+(?:['.,:][^\W_]+)*")
_LONGEST = 64  # characters; longer words are cut
_CLS, _SEP = 101, 102

_Matrix = tuple[torch.Tensor, torch.Tensor]
"""(inputs, outputs) int8, and the scale (1, outputs) of the columns."""


def as_spoken(text: str, max_words: int = SPEC.max_words) -> str:
    """The words of `text` in lower case without punctuation, as of a recogniser. Stops after `max_words`.

    :return: at most `max_words` words; empty if there is none.
    """
    words = (match.group()[:_LONGEST].lower() for match in _WORD.finditer(text.replace('’', "'")))
    return ' '.join(islice(words, max_words))


class SentenceEncoder:
    """The encoder with the weights of the asset, run by torch, one sentence at a time.

    onnxruntime would convert the 8-bit weights to float32 on loading, 160 MB with the table of 30,522 word pieces. Here
    they stay in the mapped file: only the rows of a sentence are read, and each matrix is converted while it is used,
    which takes 25 % longer.
    """

    def __init__(self, folder: Path | None = None):
        """
        :param folder: with model.onnx and tokenizer.json; default: the asset.
        :raises assets.AssetError: if the asset is not fetched, naming the command to fetch it.
        """
        from tokenizers import Tokenizer

        folder = folder or assets.path(SPEC.sentence_encoder)
        self._tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        tensors = onnx_tensors.read(folder / 'model.onnx')
        self._pieces = _int8(tensors, 'inner.embeddings.word_embeddings.weight')
        positions, scale = _int8(tensors, 'inner.embeddings.position_embeddings.weight')
        places = positions[: SPEC.max_words + 2] * scale[: SPEC.max_words + 2]
        kind = tensors['inner.embeddings.token_type_embeddings.weight'][0]
        self._places = torch.from_numpy(places + kind)                              # (130, 384)
        self._norm = _norm(tensors, 'inner.embeddings.')
        # The names of the matrices are numbers; in the order of the file each layer has six.
        matrices = [name.removesuffix('_q') for name in tensors if re.fullmatch(r'val_\d+_q', name)]
        self._layers = [
            _Layer(tensors, f'inner.encoder.layer.{i}.', matrices[6 * i : 6 * i + 6]) for i in range(_LAYERS)
        ]

    def encode(self, text: str) -> np.ndarray:
        """Outputs of layers 2, 4 and 6 for each word piece, concatenated; most words are a single piece.

        :param text: a sentence; `as_spoken` is applied to it.
        :return: (N, 1152) float32, 0 <= N <= spec.max_words; N is 0 without words.
        """
        rows = self.pieces(text)
        if not rows:
            return np.zeros((0, SPEC.word_vector), np.float32)
        layers = self.layers(rows)
        return torch.cat([layers[number - 1] for number in READ], dim=1)[1:-1].numpy()

    def pieces(self, text: str) -> list[int]:
        """Ids of the word pieces in the vocabulary."""
        return self._tokenizer.encode(as_spoken(text), add_special_tokens=False).ids[: SPEC.max_words]

    @torch.inference_mode()
    def layers(self, rows: list[int]) -> list[torch.Tensor]:
        """Output of each layer for the pieces, with a start and an end token.

        :return: 6 tensors (N+2, 384)
        """
        rows = [_CLS, *rows, _SEP]
        table, scale = self._pieces
        words = torch.from_numpy(table[rows] * scale[rows])                         # (N+2, 384)
        x = functional.layer_norm(words + self._places[: len(rows)], (_WIDTH,), *self._norm, _EPSILON)
        found = []
        for layer in self._layers:
            x = layer(x)
            found.append(x)
        return found


class _Layer:
    """A layer of BERT (Devlin et al. 2019), for a single sentence."""

    def __init__(self, tensors: dict[str, np.ndarray], name: str, matrices: list[str]):
        query, key, value, attended, inner, outer = (_matrix(tensors, matrix) for matrix in matrices)
        bias = {part: _float(tensors, f'{name}{part}.bias') for part in (
            'attention.self.query', 'attention.self.key', 'attention.self.value', 'attention.output.dense',
            'intermediate.dense', 'output.dense',
        )}
        self._projections = [(matrix, bias[f'attention.self.{part}']) for matrix, part in (
            (query, 'query'), (key, 'key'), (value, 'value'),
        )]
        self._attended = attended, bias['attention.output.dense']
        self._inner = inner, bias['intermediate.dense']
        self._outer = outer, bias['output.dense']
        self._norms = _norm(tensors, f'{name}attention.output.'), _norm(tensors, f'{name}output.')

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 384) to (N, 384)"""
        query, key, value = (
            _linear(x, *projection).unflatten(1, (_HEADS, -1)).transpose(0, 1)[None]     # (1, 12, N, 32)
            for projection in self._projections
        )
        attended = functional.scaled_dot_product_attention(query, key, value)[0]
        attended = attended.transpose(0, 1).flatten(1)                              # (N, 384)
        x = functional.layer_norm(x + _linear(attended, *self._attended), (_WIDTH,), *self._norms[0], _EPSILON)
        inner = functional.gelu(_linear(x, *self._inner))                           # (N, 1536)
        return functional.layer_norm(x + _linear(inner, *self._outer), (_WIDTH,), *self._norms[1], _EPSILON)


def _linear(x: torch.Tensor, matrix: _Matrix, bias: torch.Tensor) -> torch.Tensor:
    """(N, inputs) to (N, outputs)"""
    numbers, scale = matrix
    return torch.addcmul(bias, x @ numbers.float(), scale)


def _int8(tensors: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Quantised values, and the scales of their rows or columns."""
    return tensors[f'{name}_q'], tensors[f'{name}_scale']


def _matrix(tensors: dict[str, np.ndarray], name: str) -> _Matrix:
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'The given NumPy array is not writable')  # it is only read
        numbers = torch.from_numpy(tensors[f'{name}_q'])
    return numbers, _float(tensors, f'{name}_scale')


def _float(tensors: dict[str, np.ndarray], name: str) -> torch.Tensor:
    return torch.from_numpy(tensors[name].copy())


def _norm(tensors: dict[str, np.ndarray], name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a layer normalisation."""
    return _float(tensors, f'{name}LayerNorm.weight'), _float(tensors, f'{name}LayerNorm.bias')
