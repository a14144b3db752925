# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reduces a CTranslate2 Whisper model to its encoder and the smallest decoder that CTranslate2 accepts.

CTranslate2 cannot load an encoder alone. It takes the number of decoder layers and the size of the vocabulary from the
file, so a file with one decoder layer and a few tokens is a valid model with the same encoder.
"""
from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import BinaryIO

BINARY_VERSION = 6  # of model.bin, as the converters of CTranslate2 3 and 4 write it
TOKENS = 8
_DECODER_LAYERS, _FIRST_LAYER = b'decoder/layer_', (b'decoder/layer_0/', b'decoder/layer_norm/')
_EMBEDDINGS = b'decoder/embeddings/weight\0'


def write_encoder(source: Path, target: Path) -> None:
    """Write the reduced model to the folder `target`; it has a third of the size.

    :param source: folder of model.bin, config.json and vocabulary.txt; weights not quantised.
    :raises ValueError: if the format of model.bin is unknown.
    """
    with (source / 'model.bin').open('rb') as file:
        (target / 'model.bin').write_bytes(_reduced(file))
    with (source / 'vocabulary.txt').open('rb') as file:
        (target / 'vocabulary.txt').write_bytes(b''.join(file.readline() for _ in range(TOKENS)))
    shutil.copy(source / 'config.json', target)


def _reduced(file: BinaryIO) -> bytes:
    """model.bin: version, name, revision, the variables (name, shape, type, bytes), and their aliases."""
    try:
        head = file.read(4)
        (version,) = struct.unpack('<I', head)
        if version != BINARY_VERSION:
            raise ValueError(f'{file.name} has binary version {version}; expected {BINARY_VERSION}')
        name, revision = _text(file), file.read(4)
        (count,) = struct.unpack('<I', file.read(4))
        kept = [variable for _ in range(count) if (variable := _variable(file))]
    except struct.error as error:
        raise ValueError(f'{file.name} is cut off') from error
    return b''.join([head, _packed(name), revision, struct.pack('<I', len(kept)), *kept, file.read()])


def _variable(file: BinaryIO) -> bytes:
    """The next variable as written; empty if it is removed."""
    name = _text(file)
    (rank,) = struct.unpack('<B', file.read(1))
    shape = list(struct.unpack(f'<{rank}I', file.read(4 * rank)))
    kind, size = struct.unpack('<BI', file.read(5))
    if name.startswith(_DECODER_LAYERS) and not name.startswith(_FIRST_LAYER):
        file.seek(size, 1)
        return b''
    data = file.read(size)
    if name == _EMBEDDINGS:
        data = data[:size // shape[0] * TOKENS]
        shape[0] = TOKENS
    return _packed(name) + struct.pack(f'<B{rank}IBI', rank, *shape, kind, len(data)) + data


def _text(file: BinaryIO) -> bytes:
    """A text, with the zero at its end."""
    (length,) = struct.unpack('<H', file.read(2))
    return file.read(length)


def _packed(text: bytes) -> bytes:
    return struct.pack('<H', len(text)) + text
