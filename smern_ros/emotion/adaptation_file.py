# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The adaptation file: labelled examples by person, in one safetensors file.

It has the examples, not the fitted fusions, so that later labels are fitted together with them. Labels of voices
without a body are neither written nor read: they cannot be matched to a person later.
"""
from __future__ import annotations

import json
from pathlib import Path

import torch

from smern_ros.emotion.adaptation import Adaptation, Example
from smern_ros.emotion.checkpoint import Checkpoint
from smern_ros.emotion.people import is_anonymous
from smern_ros.utils.file_size import require_size

NOTES = 'smern_ros.adaptation'
"""The key of the file's metadata that has everything but the vectors, as JSON."""
LARGEST = 64 << 20
"""Bytes. A larger file is not read: all that can be kept takes less."""


class AdaptationError(ValueError):
    """A file that cannot be used; the message says why and what to do."""


def save(adaptation: Adaptation, checkpoint: Checkpoint, path: Path) -> int:
    """Write the file atomically, without the labels of voices without a body.

    :return: the number of examples.
    :raises OSError: if it cannot be written.
    """
    from safetensors.torch import save as to_bytes

    tensors: dict[str, torch.Tensor] = {}
    notes: list[dict[str, str]] = []
    for person_id in adaptation.people:
        if is_anonymous(person_id):
            continue
        for example in adaptation.examples(person_id):
            tensors |= {f'{len(notes)}.{m}': v.clone() for m, v in example.vectors.items()}
            notes.append({'person_id': person_id, 'utterance_id': example.utterance_id, 'label': example.label})
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'{path.name}.part')
    part.write_bytes(to_bytes(tensors, {NOTES: json.dumps({'checkpoint': checkpoint.id, 'examples': notes})}))
    part.replace(path)
    return len(notes)


def load(adaptation: Adaptation, checkpoint: Checkpoint, path: Path) -> int:
    """Add the examples of the file and fit the fusions.

    :return: number of skipped examples of voices without a body (files of older versions).
    :raises AdaptationError: if the file is invalid or of another checkpoint.
    """
    from safetensors import SafetensorError, safe_open

    try:
        require_size(path, LARGEST)
        with safe_open(path, 'pt') as file:
            notes = json.loads((file.metadata() or {})[NOTES])
            if notes['checkpoint'] != checkpoint.id:
                raise ValueError(f'it was made with checkpoint {notes["checkpoint"]}, not {checkpoint.id}')
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 - no dictionary
        skipped = 0
        for k, note in enumerate(notes['examples']):
            vectors = {
                m: _checked(tensors[f'{k}.{m}'], m, checkpoint) for m in checkpoint.modalities if f'{k}.{m}' in tensors
            }
            if is_anonymous(note['person_id']):
                skipped += 1
            else:
                adaptation.add(note['person_id'], Example(note['utterance_id'], vectors, note['label']))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f'{error} is missing' if isinstance(error, KeyError) else str(error)
        raise AdaptationError(f'cannot use adaptation file {path}: {why}. Remove or rename it') from error
    adaptation.discard_undo()
    for person_id in adaptation.people:
        adaptation.refit(person_id)
    return skipped


def skipped_message(skipped: int) -> str:
    return f'skipped {skipped} labels of voices without a body; they cannot be matched to a person later'


def _checked(vector: torch.Tensor, modality: str, checkpoint: Checkpoint) -> torch.Tensor:
    wanted = getattr(checkpoint.fusion.config, modality)
    if tuple(vector.shape) != (wanted,) or not vector.isfinite().all():
        raise ValueError(f'{modality} vector has shape {tuple(vector.shape)}; expected ({wanted},), all finite')
    return vector
