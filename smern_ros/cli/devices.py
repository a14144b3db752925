# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern devices`: lists the cameras and microphones of this computer for media_source. Needs no ROS."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smern_ros.media.devices import Found


def add_parser(subparsers) -> None:
    subparsers.add_parser(
        'devices',
        help='cameras and microphones of this computer, with their formats',
        description='List the cameras and microphones of this computer with their formats. The first column is the '
        'value for media_source.camera or media_source.microphone. A microphone that does not have 16000 Hz or one '
        'channel is converted; media_source.channel picks one of several channels.',
    )


def run(_: argparse.Namespace) -> int:
    """:return: 0, also if none is found."""
    from smern_ros.media import devices

    _print('cameras (Video4Linux)', devices.cameras(), 'none: no /dev/video* delivers images')
    library, found = devices.microphones()
    _print(f'microphones ({library})', found, 'none')
    if library == 'ALSA':
        print('\nfor more kinds of microphones install PortAudio: apt install libportaudio2; pip install sounddevice')
    return 0


def _print(title: str, found: Sequence[Found], none: str) -> None:
    print(title)
    for one in found:
        print(f'  {one.device:8} {one.name}', *(f'           {line}' for line in one.can), sep='\n')
    if not found:
        print(f'  {none}')
