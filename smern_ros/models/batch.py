# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Batches of utterances, from which every network takes its inputs."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """The tensors of one utterance, normalised as `smern_ros.models.inputs` does. None if not needed by the network."""

    mfcc: torch.Tensor | None = None      # (T, 39)
    prosody: torch.Tensor | None = None   # (35,)
    speech: torch.Tensor | None = None    # (768,), zero if missing
    words: torch.Tensor | None = None     # (N,) int64, rows of the vocabulary
    word_vectors: torch.Tensor | None = None  # (N, 1152), of the sentence encoder
    skeleton: torch.Tensor | None = None  # (S, 30)
    visible: torch.Tensor | None = None   # (S, 10) bool
    mocap: torch.Tensor | None = None     # (200, 189)


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """Utterances padded to the longest of them. A network's `INPUTS` names the fields it takes, in order.

    `network(*batch.inputs(network))` gives the logits (B, 4). The skeleton needs no lengths: frames
    without visible joints have no effect.
    """

    mfcc: torch.Tensor | None = None          # (B, T, 39), padded at the end
    mfcc_lengths: torch.Tensor | None = None  # (B,) int64, 1..T
    prosody: torch.Tensor | None = None       # (B, 35)
    speech: torch.Tensor | None = None        # (B, 768)
    words: torch.Tensor | None = None         # (B, N) int64, padded at the end
    word_lengths: torch.Tensor | None = None  # (B,) int64, 1..N
    word_vectors: torch.Tensor | None = None  # (B, N, 1152), padded at the end
    word_vector_lengths: torch.Tensor | None = None  # (B,) int64, 1..N
    skeleton: torch.Tensor | None = None      # (B, S, 30), padded at the end
    visible: torch.Tensor | None = None       # (B, S, 10) bool, false in the padding
    mocap: torch.Tensor | None = None         # (B, 200, 189)

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Batch:
        """:raises ValueError: if there is no sample, or if some have a field that others lack."""
        if not samples:
            raise ValueError('the batch is empty')
        columns = {field.name: _column(samples, field.name) for field in dataclasses.fields(Sample)}
        padded = {name: columns[name] for name in ('mfcc', 'words', 'word_vectors', 'skeleton', 'visible')}
        return cls(
            **{name: None if column is None else pad_sequence(column, batch_first=True)
               for name, column in padded.items()},
            mfcc_lengths=_lengths(columns['mfcc']),
            word_lengths=_lengths(columns['words']),
            word_vector_lengths=_lengths(columns['word_vectors']),
            **{name: None if (column := columns[name]) is None else torch.stack(column)
               for name in ('prosody', 'speech', 'mocap')},
        )

    def inputs(self, network: nn.Module) -> tuple[torch.Tensor, ...]:
        """Inputs of `network`, in order.

        :raises ValueError: if it has no INPUTS, or the batch lacks a field.
        """
        names = getattr(network, 'INPUTS', None)
        if names is None:
            raise ValueError(f'{type(network).__name__} takes no features of utterances; it has no INPUTS')
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            raise ValueError(f'{type(network).__name__} needs {", ".join(missing)}, which this batch lacks')
        return tuple(getattr(self, name) for name in names)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return Batch(**{name: None if tensor is None else tensor.to(device) for name, tensor in fields.items()})


def _column(samples: Sequence[Sample], name: str) -> list[torch.Tensor] | None:
    given = [value for sample in samples if (value := getattr(sample, name)) is not None]
    if given and len(given) < len(samples):
        raise ValueError(f'{len(samples) - len(given)} of {len(samples)} samples lack {name}; leave them out')
    return given or None


def _lengths(column: list[torch.Tensor] | None) -> torch.Tensor | None:
    return None if column is None else torch.tensor([len(values) for values in column])
