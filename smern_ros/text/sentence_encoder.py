# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Words to contextual vectors: all-MiniLM-L6-v2, a small pretrained encoder of sentences."""
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
"""Layers whose values make up a vector. Of the last alone less is heard of feelings than of what is talked about."""
_WIDTH, _LAYERS, _HEADS = 384, 6, 12
_EPSILON = 1e-12
_WORD = re.compile(r"[^\W_]+(?:['.,:][^\W_]+)*")
_LONGEST = 64  # characters; what is longer is no word
_CLS, _SEP = 101, 102

_Matrix = tuple[torch.Tensor, torch.Tensor]
"""(inputs, outputs) int8, and (1, outputs) by what to multiply each column."""


def as_spoken(text: str, max_words: int = SPEC.max_words) -> str:
    """The words of `text` as a recogniser without punctuation would write them: lower case, letters, digits and what
    stands inside of words. Reads no further than it needs to.

    :return: at most `max_words` words; empty if there is none.
    """
    words = (match.group()[:_LONGEST].lower() for match in _WORD.finditer(text.replace('’', "'")))
    return ' '.join(islice(words, max_words))


class SentenceEncoder:
    """The asset's weights, run by torch, one sentence at a time: what a sentence gives depends on nothing else.

    onnxruntime unfolds the 8-bit weights of the file to float32 when it loads them, the table of 30,522 word pieces
    too: 160 MB. Here they stay in the file, mapped into memory: of the table the rows of a sentence are read, and each
    matrix is unfolded while it is used, which takes a quarter longer.
    """

    def __init__(self, folder: Path | None = None):
        """
        :param folder: with model.onnx and tokenizer.json; default: the asset.
        :raises assets.AssetError: if the asset is not here, and which command fetches it.
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
        # The matrices have numbers for names; in the order of the file there are six of each layer.
        matrices = [name.removesuffix('_q') for name in tensors if re.fullmatch(r'val_\d+_q', name)]
        self._layers = [
            _Layer(tensors, f'inner.encoder.layer.{i}.', matrices[6 * i : 6 * i + 6]) for i in range(_LAYERS)
        ]

    def encode(self, text: str) -> np.ndarray:
        """What layers 2, 4 and 6 hold of each piece of a word, side by side (most words are a single piece).

        :param text: a sentence in any style; it is read as `as_spoken` writes it.
        :return: (N, 1152) float32, 0 <= N <= spec.max_words; none where there is no word.
        """
        rows = self.pieces(text)
        if not rows:
            return np.zeros((0, SPEC.word_vector), np.float32)
        layers = self.layers(rows)
        return torch.cat([layers[number - 1] for number in READ], dim=1)[1:-1].numpy()

    def pieces(self, text: str) -> list[int]:
        """The numbers of the pieces of its words in the vocabulary."""
        return self._tokenizer.encode(as_spoken(text), add_special_tokens=False).ids[: SPEC.max_words]

    @torch.inference_mode()
    def layers(self, rows: list[int]) -> list[torch.Tensor]:
        """What each layer makes of the pieces, with a beginning before and an end after them.

        :return: 6 times (N+2, 384)
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
        self._asked = [(matrix, bias[f'attention.self.{part}']) for matrix, part in (
            (query, 'query'), (key, 'key'), (value, 'value'),
        )]
        self._attended = attended, bias['attention.output.dense']
        self._inner = inner, bias['intermediate.dense']
        self._outer = outer, bias['output.dense']
        self._norms = _norm(tensors, f'{name}attention.output.'), _norm(tensors, f'{name}output.')

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 384) to (N, 384)"""
        query, key, value = (
            _linear(x, *asked).unflatten(1, (_HEADS, -1)).transpose(0, 1)[None]     # (1, 12, N, 32)
            for asked in self._asked
        )
        seen = functional.scaled_dot_product_attention(query, key, value)[0]
        seen = seen.transpose(0, 1).flatten(1)                                      # (N, 384)
        x = functional.layer_norm(x + _linear(seen, *self._attended), (_WIDTH,), *self._norms[0], _EPSILON)
        inner = functional.gelu(_linear(x, *self._inner))                           # (N, 1536)
        return functional.layer_norm(x + _linear(inner, *self._outer), (_WIDTH,), *self._norms[1], _EPSILON)


def _linear(x: torch.Tensor, matrix: _Matrix, bias: torch.Tensor) -> torch.Tensor:
    """(N, inputs) to (N, outputs)"""
    numbers, scale = matrix
    return torch.addcmul(bias, x @ numbers.float(), scale)


def _int8(tensors: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers, and by what to multiply each row or column."""
    return tensors[f'{name}_q'], tensors[f'{name}_scale']


def _matrix(tensors: dict[str, np.ndarray], name: str) -> _Matrix:
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'The given NumPy array is not writable')  # nobody writes
        numbers = torch.from_numpy(tensors[f'{name}_q'])
    return numbers, _float(tensors, f'{name}_scale')


def _float(tensors: dict[str, np.ndarray], name: str) -> torch.Tensor:
    return torch.from_numpy(tensors[name].copy())


def _norm(tensors: dict[str, np.ndarray], name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a layer normalisation."""
    return _float(tensors, f'{name}LayerNorm.weight'), _float(tensors, f'{name}LayerNorm.bias')
