# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sound in the messages of either package called audio_common_msgs, as our AudioChunk."""
from __future__ import annotations

import array
import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from std_msgs.msg import Header

from smern_ros import msg
from smern_ros.audio import formats
from smern_ros.audio.channels import AUTOMATIC, pick
from smern_ros.audio.formats import ArrivalClock
from smern_ros.audio.pcm import MAX_CHANNELS
from smern_ros.ros import optional_messages
from smern_ros.ros.messages import header, stamp_of
from smern_ros.ros.node import ConfigurationError
from smern_ros.ros.parameters import Parameter

BARE, STAMPED, DESCRIBED = KINDS = ('AudioData', 'AudioDataStamped', 'AudioStamped')
"""ros-drivers' without and with a stamp; mgonzs13's, with stamp and format."""

_ROS_DRIVERS, _MGONZS13 = 'ros-drivers', 'mgonzs13'
_FIELDS = {
    BARE: {'AudioData': ('data',), 'AudioInfo': ('channels', 'sample_rate', 'sample_format', 'coding_format')},
    DESCRIBED: {'AudioStamped': ('header', 'audio'), 'Audio': ('audio_data', 'info'),
                'AudioData': ('int16_data',), 'AudioInfo': ('format', 'channels', 'rate')},
}
_FIELDS[STAMPED] = {**_FIELDS[BARE], 'AudioDataStamped': ('header', 'audio')}
_SAMPLES = {1: 'float32_data', 2: 'int32_data', 8: 'int16_data', 16: 'int8_data', 32: 'uint8_data'}
"""Field of mgonzs13's AudioData by PortAudio's number of the format."""

FORMAT_PARAMETERS = (
    Parameter('sample_rate', 16000, f'Hz, of {BARE} and {STAMPED}', (4000, 192_000)),
    Parameter('channels', 1, f'interleaved, of {BARE} and {STAMPED}', (1, 32)),
    Parameter('sample_format', 'S16LE', f'of {BARE} and {STAMPED}', choices=tuple(formats.GSTREAMER)),
)

CHANNEL = Parameter('channel', AUTOMATIC, 'channel of audio with several, from 0; -1: mean of all, or the loudest if '
                                          'they cancel each other', (AUTOMATIC, MAX_CHANNELS - 1))


@dataclass(frozen=True)
class Format:
    """How samples are written down that come as bare bytes."""

    sample_rate: int
    channels: int
    sample_format: str  # GStreamer's name

    @classmethod
    def of(cls, info: Any) -> Format:
        """Of ros-drivers' AudioInfo. :raises ValueError: for sound that is not PCM."""
        if info.coding_format.lower() not in ('', 'wave', 'raw') or info.sample_format not in formats.GSTREAMER:
            raise ValueError(
                f'audio is {info.coding_format!r} in {info.sample_format!r}; expected wave in one of '
                f'{", ".join(formats.GSTREAMER)} (format:=wave of audio_capture)'
            )
        return cls(info.sample_rate, info.channels, info.sample_format)


class AudioCommon:
    """The package with one kind of message."""

    def __init__(self, kind: str) -> None:
        """:raises ConfigurationError: if the package that has this kind is not the one that is installed."""
        ours, other = (_MGONZS13, _ROS_DRIVERS) if kind == DESCRIBED else (_ROS_DRIVERS, _MGONZS13)
        found = optional_messages.messages(
            'audio_common_msgs', _FIELDS[kind], maker=ours, others=other,
            install=f'build audio_common_msgs of github.com/{ours}/audio_common with colcon and source it, or choose '
                    'the audio_type of the package that is there',
        )
        self.kind = kind
        self.type = getattr(found, kind)
        self.Info = found.AudioInfo


def require_any() -> None:
    """:raises ConfigurationError: if no package of that name is installed that is known here."""
    for kind in (DESCRIBED, BARE):
        with contextlib.suppress(ConfigurationError):
            AudioCommon(kind)
            return
    raise ConfigurationError(
        'audio_common_msgs is not installed: build the package of your driver with colcon and source it: '
        f'github.com/{_MGONZS13}/audio_common or github.com/{_ROS_DRIVERS}/audio_common'
    )


class SoundStream:
    """One stream of such messages."""

    def __init__(self, kind: str, audio_format: Format, frame_id: str, channel: int = AUTOMATIC) -> None:
        """
        :param audio_format: of messages that do not tell.
        :param frame_id: of messages that have none.
        :param channel: the only one that is passed on, from 0; AUTOMATIC: all.
        """
        self._kind, self._channel = kind, channel
        self.audio_format = audio_format
        self._frame_id = frame_id
        self._clock = ArrivalClock()

    def chunk(self, message: Any, arrival_ns: int) -> msg.AudioChunk:
        """:raises ValueError: if it holds no sound in that format, or a message with a header has no stamp."""
        if self._kind == DESCRIBED:
            info = message.audio.info
            if info.format not in _SAMPLES:
                raise ValueError(f'unsupported PortAudio format {info.format}; expected one of {sorted(_SAMPLES)}')
            content = getattr(message.audio.audio_data, _SAMPLES[info.format])
            data, dtype = memoryview(content).cast('B'), formats.PORTAUDIO[info.format]
            rate, channels = info.rate, info.channels
        else:
            content = message.audio.data if self._kind == STAMPED else message.data
            data, dtype = memoryview(content).cast('B'), formats.GSTREAMER[self.audio_format.sample_format]
            rate, channels = self.audio_format.sample_rate, self.audio_format.channels
        count = formats.frames(data.nbytes, dtype, channels, rate)
        if self._channel != AUTOMATIC:
            picked = pick(np.frombuffer(data, dtype).reshape(-1, channels), self._channel)
            data, channels = memoryview(picked.tobytes()), 1
        encoding, samples = formats.to_chunk(data, np.dtype(dtype))
        return msg.AudioChunk(
            header=self._header(message, count, rate, arrival_ns), sample_rate=rate, channels=channels,
            encoding=encoding, data=array.array('B', samples),
        )

    def _header(self, message: Any, count: int, rate: int, arrival_ns: int) -> Header:
        if self._kind == BARE:
            return header(self._clock.stamp(count, rate, arrival_ns), self._frame_id)
        return header(stamp_of(message.header), message.header.frame_id or self._frame_id)
