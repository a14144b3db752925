# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the tensors stored in an ONNX file, without the onnx package and without a copy."""
from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

TYPES: dict[int, np.dtype] = {1: np.dtype('<f4'), 3: np.dtype('i1'), 7: np.dtype('<i8'), 9: np.dtype('?')}
"""Supported data types of onnx.TensorProto."""
# Numbers of the fields in onnx.proto.
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9


def read(file: Path) -> dict[str, np.ndarray]:
    """All initializers by name, read-only, mapped from the file.

    :raises ValueError: if the file is no ONNX file, or has a tensor of another type or in another file.
    """
    with file.open('rb') as stream:
        data = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    try:
        graphs = _parts(data, _GRAPH)
        return dict(_tensor(part) for graph in graphs for part in _parts(graph, _INITIALIZER))
    except (IndexError, KeyError, ValueError) as error:
        raise ValueError(f'{file.name} cannot be read as an ONNX file with its weights inside: {error!r}') from error


def _tensor(data: memoryview) -> tuple[str, np.ndarray]:
    fields = list(_fields(data))
    shape = [n for number, value, part in fields if number == _DIMS for n in (_packed(part) if part else [value])]
    kind = next((value for number, value, _ in fields if number == _TYPE), 0)
    name = b''.join(_parts(data, _NAME)).decode()
    raw = next(iter(_parts(data, _RAW)), memoryview(b''))
    return name, np.frombuffer(raw, TYPES[kind]).reshape(shape)


def _parts(data: memoryview, wanted: int) -> list[memoryview]:
    return [part for number, _, part in _fields(data) if number == wanted]


def _packed(data: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _number(data, at)
        values.append(value)
    return values


def _fields(data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Field numbers and values, each a number or bytes, of a Protocol Buffers message."""
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _number(data, at)
            yield key >> 3, value, data[:0]
            continue
        if kind == 2:
            size, at = _number(data, at)
        else:
            size = {1: 8, 5: 4}[kind]
        if at + size > len(data):
            raise ValueError('it is cut off')
        yield key >> 3, 0, data[at : at + size]
        at += size


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """A varint, and the offset after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
