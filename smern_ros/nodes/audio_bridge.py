"""audio_bridge: the sound of a driver that speaks audio_common_msgs, of either kind, into the graph."""
from __future__ import annotations

import sys
import time
from typing import Any

from smern_ros import msg
from smern_ros.nodes import qos, topics
from smern_ros.nodes.audio_common import BARE, DESCRIBED, FORMAT_PARAMETERS, KINDS, AudioCommon, Format, SoundStream
from smern_ros.nodes.base import SmernNode, run
from smern_ros.nodes.parameters import Parameter


class AudioBridgeNode(SmernNode):
    NAME = 'audio_bridge'
    PARAMETERS = (
        Parameter('audio_type', DESCRIBED, 'of audio_common_msgs: ros-drivers has AudioData and AudioDataStamped, '
                                           'mgonzs13 AudioStamped', choices=KINDS),
        Parameter('audio_topic', '/audio/audio', 'where the driver publishes it'),
        Parameter('info_topic', '/audio/audio_info', "ros-drivers' AudioInfo, which wins over the next three; "
                                                     'empty: none'),
        *FORMAT_PARAMETERS,
        Parameter('microphone_frame', 'microphone', 'frame_id of sound that comes without one'),
    )

    def load(self) -> None:
        package = AudioCommon(self.value('audio_type'))
        given = Format(self.value('sample_rate'), self.value('channels'), self.value('sample_format'))
        self._stream = SoundStream(package.kind, given, self.value('microphone_frame'))
        self._sound = self.output(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
        self.listen(package.type, self.value('audio_topic'), self._take_sound, qos.ANY_AUDIO)
        if package.kind != DESCRIBED and self.value('info_topic'):
            self.listen(package.Info, self.value('info_topic'), self._take_info, qos.EVIDENCE)
        self.health.fact('stamps', 'arrival less duration' if package.kind == BARE else 'of the driver')

    def _take_sound(self, message: Any) -> None:
        came = time.monotonic()
        self._sound.publish(self._stream.chunk(message, self.get_clock().now().nanoseconds))
        self.health.took(time.monotonic() - came)

    def _take_info(self, message: Any) -> None:
        self._stream.given = Format.of(message)


def main(args: list[str] | None = None) -> int:
    return run(AudioBridgeNode, args)


if __name__ == '__main__':
    sys.exit(main())
