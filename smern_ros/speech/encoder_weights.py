# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A CTranslate2 Whisper model with as little of its decoder as CTranslate2 takes: the encoder is a fifth of the whole.

CTranslate2 has no Whisper encoder alone. It counts the decoder's layers and looks up the size of the vocabulary in the
file, so a file with the first layer and a few tokens is a model as well, and what it encodes is the same.
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
    """Writes such a model into the folder `target`, in a third of the size.

    :param source: folder of model.bin, config.json and vocabulary.txt; weights not quantised.
    :raises ValueError: if model.bin is not of the format that is known here.
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
            raise ValueError(f'{file.name} is of binary version {version}; known is {BINARY_VERSION}')
        name, revision = _text(file), file.read(4)
        (count,) = struct.unpack('<I', file.read(4))
        kept = [variable for _ in range(count) if (variable := _variable(file))]
    except struct.error as error:
        raise ValueError(f'{file.name} is cut off') from error
    return b''.join([head, _packed(name), revision, struct.pack('<I', len(kept)), *kept, file.read()])


def _variable(file: BinaryIO) -> bytes:
    """The next one as it is written; empty: it is left out."""
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
    """With the zero at its end."""
    (length,) = struct.unpack('<H', file.read(2))
    return file.read(length)


def _packed(text: bytes) -> bytes:
    return struct.pack('<H', len(text)) + text
