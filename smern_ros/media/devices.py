# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lists the cameras and microphones of this computer with their formats."""
from __future__ import annotations

import fcntl
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_QUERYCAP, _ENUM_FMT, _ENUM_FRAMESIZES = 0x80685600, 0xC0405602, 0xC02C564A  # linux/videodev2.h
_CAPABILITY, _FORMAT, _SIZE = '16s32s32s6I', '3I32s5I', '11I'
_CAPTURE, _CAPTURE_TYPE, _DISCRETE = 1, 1, 1
MOST = 256
"""Most formats of a camera, and sizes of a format, that are queried; a driver may report endlessly many."""


@dataclass(frozen=True)
class Found:
    """A device, and its formats if it can be queried."""

    device: str            # value of media_source.camera or media_source.microphone
    name: str
    can: tuple[str, ...]   # formats, a line each; or why they are unknown


def cameras(dev: Path = Path('/dev'), sys: Path = Path('/sys/class/video4linux')) -> list[Found]:
    """Cameras of Video4Linux, without its devices for metadata and output."""
    numbered = [(int(p.name[5:]), p) for p in dev.glob('video*') if p.name[5:].isdecimal()]
    found = (_camera(number, path, sys) for number, path in sorted(numbered))
    return [camera for camera in found if camera is not None]


def _camera(number: int, path: Path, sys: Path) -> Found | None:
    try:
        name = (sys / path.name / 'name').read_text(errors='replace').strip()
    except OSError:
        name = path.name
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        hint = ' (group video)' if isinstance(error, PermissionError) else ''
        return Found(str(number), name, (f'{path} cannot be opened: {error.strerror}{hint}',))
    try:
        _, card, _, _, everything, this, *_ = _ask(handle, _QUERYCAP, _CAPABILITY, b'', b'', b'', *6 * [0])
        if not (this or everything) & _CAPTURE:
            return None
        return Found(str(number), card.partition(b'\0')[0].decode(errors='replace') or name, tuple(_formats(handle)))
    except OSError as error:
        return Found(str(number), name, (f'{path} does not tell what it can: {error.strerror}',))
    finally:
        os.close(handle)


def _formats(handle: int) -> Iterator[str]:
    for index in range(MOST):
        try:
            *_, text, code, _, _, _, _ = _ask(handle, _ENUM_FMT, _FORMAT, index, _CAPTURE_TYPE, 0, b'', *5 * [0])
        except OSError:  # no more formats
            return
        sizes = []
        for size in range(MOST):
            try:
                _, _, kind, width, height, _, most_height, *_ = measured = _ask(
                    handle, _ENUM_FRAMESIZES, _SIZE, size, code, *9 * [0])
            except OSError:
                break
            if kind != _DISCRETE:
                _, _, _, width, most_width, _, height, most_height, *_ = measured
                sizes.append(f'{width}x{height} to {most_width}x{most_height}')
                break
            sizes.append(f'{width}x{height}')
        letters = struct.pack('<I', code & 0x7FFFFFFF).decode('ascii', 'replace')
        yield ' '.join([letters, f'({text.partition(bytes(1))[0].decode(errors="replace")})', *sizes])


def _ask(handle: int, request: int, layout: str, *values: int | bytes) -> tuple:
    return struct.unpack(layout, fcntl.ioctl(handle, request, struct.pack(layout, *values)))


def microphones(proc: Path = Path('/proc/asound')) -> tuple[str, list[Found]]:
    """Library and microphones: PortAudio if installed, as in media_source, else ALSA."""
    try:
        import sounddevice
    except (ImportError, OSError):
        return 'ALSA', _alsa(proc)
    inputs = [(i, d) for i, d in enumerate(sounddevice.query_devices()) if d['max_input_channels']]
    return 'PortAudio', [
        Found(str(i), device['name'], (
            f'{device["max_input_channels"]} channels, {device["default_samplerate"]:.0f} Hz'
            + (', the default' if i == sounddevice.default.device[0] else ''),
        )) for i, device in inputs
    ]


def _alsa(proc: Path) -> list[Found]:
    try:
        lines = (proc / 'pcm').read_text(errors='replace').splitlines()
    except OSError:
        return []
    found = []
    for line in lines:  # 01-00: USB Audio : USB Audio : playback 1 : capture 1
        numbers = re.match(r'(\d+)-(\d+): ', line)
        if numbers is None or not re.search(r': capture \d', line):
            continue
        card, device = map(int, numbers.groups())
        name = line[numbers.end():].partition(' : ')[0]
        found.append(Found(f'hw:{card},{device}', name, tuple(_alsa_formats(proc / f'card{card}/stream{device}'))))
    return found


def _alsa_formats(stream: Path) -> Iterator[str]:
    """Formats of a USB device; others are unknown until they are opened."""
    try:
        text = stream.read_text(errors='replace')
    except OSError:
        yield 'formats are not told'
        return
    for setting in text.partition('Capture:')[2].split('Altset')[1:]:
        told = dict(re.findall(r'(Format|Channels|Rates): (.+)', setting))
        if {'Format', 'Channels', 'Rates'} <= set(told):
            yield f'{told["Channels"]} channels, {told["Rates"]} Hz, {told["Format"]}'
