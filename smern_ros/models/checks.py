# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks of hyper-parameters and of the shapes of tensors."""
from __future__ import annotations

import dataclasses

import torch

LARGEST_SIZE = 1_000_000
"""Upper bound of a hyper-parameter; a larger one is a damaged or hostile configuration."""


def check_config(config) -> None:
    """Check that dropout rates are in [0, 1), and others positive integers or the `Config` of an encoder.

    The value of a field with `metadata={'choices': (...)}` is one of these; one with `metadata={'least': 0}` may be 0.

    :raises ValueError: naming the hyper-parameter and its value.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        where = f'{type(config).__qualname__}: {field.name}'
        if isinstance(field.default_factory, type):  # the Config of an encoder inside; it has checked itself
            if type(value) is not field.default_factory:
                raise ValueError(f'{where} is {value!r}; it must be a {field.default_factory.__qualname__}')
        elif 'choices' in field.metadata:
            if value not in field.metadata['choices']:
                choices = ', '.join(map(str, field.metadata['choices']))
                raise ValueError(f'{where} is {value!r}; it must be one of {choices}')
        elif field.name.startswith('dropout'):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
                raise ValueError(f'{where} is {value!r}; a dropout rate is a number from 0 to below 1')
        else:
            least = field.metadata.get('least', 1)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST_SIZE:
                raise ValueError(f'{where} is {value!r}; it must be a whole number from {least} to {LARGEST_SIZE}')


def check_shape(name: str, tensor: torch.Tensor, *wanted: int | None) -> None:
    """:raises ValueError: if `tensor` has other dimensions than `wanted`, where None stands for any size."""
    fits = tensor.dim() == len(wanted) and all(
        w is None or w == s for w, s in zip(wanted, tensor.shape, strict=True)
    )
    if not fits:
        shape = ' x '.join('any' if w is None else str(w) for w in wanted)
        raise ValueError(f'{name} has shape {tuple(tensor.shape)}; expected {shape}')


def check_lengths(name: str, lengths: torch.Tensor, batch: int, longest: int) -> None:
    """:raises ValueError: unless each of the `batch` lengths lies in 1..`longest`."""
    check_shape(name, lengths, batch)
    if int(lengths.min()) < 1 or int(lengths.max()) > longest:
        raise ValueError(f'{name} lie from {int(lengths.min())} to {int(lengths.max())}; expected 1 to {longest}')


def check_sequences(
    mfcc: torch.Tensor, mfcc_lengths: torch.Tensor, words: torch.Tensor, word_lengths: torch.Tensor, coefficients: int
) -> None:
    """:raises ValueError: unless both have the same number of utterances, each of valid length."""
    check_shape('mfcc', mfcc, None, None, coefficients)
    check_shape('words', words, len(mfcc), None)
    check_lengths('mfcc_lengths', mfcc_lengths, *mfcc.shape[:2])
    check_lengths('word_lengths', word_lengths, *words.shape)
