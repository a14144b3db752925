# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""audio_bridge: the sound of a driver that speaks audio_common_msgs, of either kind, into the graph."""
from __future__ import annotations

import sys
import time
from typing import Any

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.audio_common import (
    BARE,
    CHANNEL,
    DESCRIBED,
    FORMAT_PARAMETERS,
    KINDS,
    AudioCommon,
    Format,
    SoundStream,
    require_any,
)
from smern_ros.ros.dynamic_topics import DynamicEndpoints
from smern_ros.ros.main import run
from smern_ros.ros.node import ConfigurationError, SmernNode
from smern_ros.ros.parameters import Parameter

AUTO = 'auto'
CHECK_PERIOD = 0.5
"""s between two looks at who publishes the sound."""


class AudioBridgeNode(SmernNode):
    NAME = 'audio_bridge'
    PARAMETERS = (
        Parameter('audio_type', AUTO, 'message type of audio_common_msgs: AudioData, AudioDataStamped (ros-drivers), '
                                      'AudioStamped (mgonzs13); auto: the type of the publisher',
                  choices=(AUTO, *KINDS)),
        Parameter('audio_topic', '/audio/audio', 'audio topic of the driver'),
        Parameter('info_topic', '/audio/audio_info', 'topic of AudioInfo (ros-drivers), overrides the next three; '
                                                     'empty: none'),
        *FORMAT_PARAMETERS,
        CHANNEL,
        Parameter('microphone_frame', 'microphone', 'frame_id of audio without one'),
    )

    def load(self) -> None:
        self._kind = ''
        self._endpoints = DynamicEndpoints(self)
        self.add_cleanup(self._endpoints.close)
        self._sound = self.add_publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
        self.health.track_subscription(self.value('audio_topic'))
        if self.value('audio_type') == AUTO:
            require_any()
            self.health.set_info('audio_type', 'none yet')
            self.add_timer(CHECK_PERIOD, self._check_driver)
        else:
            self._subscribe(self.value('audio_type'))

    def _check_driver(self) -> None:
        """A driver may come later, and another one after it."""
        topic = self.value('audio_topic')
        types = {info.topic_type for info in self.get_publishers_info_by_topic(topic)}
        kinds = [kind for kind in reversed(KINDS) if f'audio_common_msgs/msg/{kind}' in types]
        if not types or self._kind in kinds:
            return
        if not kinds:
            self.log_error(topic, f'type is {", ".join(sorted(types))}; expected one of audio_common_msgs: '
                                 f'{", ".join(KINDS)}')
            return
        if self._kind:  # DDS knows a topic by one type at a time: the next look finds it free
            self._endpoints.close()
            self._kind = ''
            return
        try:
            self._subscribe(kinds[0])
        except ConfigurationError as error:
            self.log_error(topic, str(error))
        else:
            self.get_logger().info(f'{self.resolve_topic_name(topic)} is of type {kinds[0]}')

    def _subscribe(self, kind: str) -> None:
        """:raises ConfigurationError: if the package that has this kind is not the one that is installed."""
        package, topic = AudioCommon(kind), self.value('audio_topic')
        audio_format = Format(self.value('sample_rate'), self.value('channels'), self.value('sample_format'))
        self._stream = SoundStream(kind, audio_format, self.value('microphone_frame'), self.value('channel'))
        self._endpoints.add_subscription(package.type, topic, self._on_sound, qos.ANY_AUDIO, label=topic)
        info_topic = self.value('info_topic')
        if kind != DESCRIBED and info_topic:
            self._endpoints.add_subscription(package.Info, info_topic, self._on_info, qos.EVIDENCE, label=info_topic)
        self._kind = kind
        self.health.set_info('audio_type', kind)
        self.health.set_info('stamps', 'arrival less duration' if kind == BARE else 'of the driver')

    def _on_sound(self, message: Any) -> None:
        received_at = time.monotonic()
        self._sound.publish(self._stream.chunk(message, self.get_clock().now().nanoseconds))
        self.health.record_latency(time.monotonic() - received_at)

    def _on_info(self, message: Any) -> None:
        self._stream.audio_format = Format.of(message)


def main(args: list[str] | None = None) -> int:
    return run(AudioBridgeNode, args)


if __name__ == '__main__':
    sys.exit(main())
