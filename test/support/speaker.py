# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A driver's process that publishes sound in audio_common_msgs, of whichever kind it finds: two steady channels."""
import array
import contextlib
import sys

import numpy as np
import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from std_msgs.msg import Header

LEFT, RIGHT = 0.5, -0.25
FORMATS = {'float32': (1, 'f'), 'int32': (2, 'i'), 'int16': (8, 'h'), 'int8': (16, 'b'), 'uint8': (32, 'B')}
"""PortAudio's number and the type of the array."""


class Speaker(Node):
    """256 samples each 0.05 s, stamped with whole seconds and a fraction that is easily known again."""

    def __init__(self) -> None:
        super().__init__('speaker')
        from audio_common_msgs import msg

        self._msg = msg
        self._kind = self.declare_parameter('kind', 'AudioData').value
        self._format = self.declare_parameter('sample_format', 'int16').value
        self._rate = self.declare_parameter('rate', 16000).value
        coding = self.declare_parameter('coding', 'wave').value
        # As these drivers do: one kind best effort, the other reliable.
        profile = qos_profile_sensor_data if self._kind == 'AudioStamped' else 10
        self._sound = self.create_publisher(getattr(msg, self._kind), '/audio/audio', profile)
        self._seconds = 1000
        if self._kind != 'AudioStamped':
            self._info = self.create_publisher(msg.AudioInfo, '/audio/audio_info', 1)
            self._description = msg.AudioInfo(
                channels=2, sample_rate=self._rate, sample_format='S16LE', coding_format=coding,
            )
        self.create_timer(0.05, self._speak, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _speak(self) -> None:
        self._seconds += 1
        header = Header(frame_id='array')
        header.stamp.sec, header.stamp.nanosec = self._seconds, 123_456_789
        number, code = FORMATS[self._format]
        samples = np.tile(np.float32([LEFT, RIGHT]), 256)
        if code != 'f':
            whole = 2.0 ** (8 * array.array(code).itemsize - 1)
            samples = samples * whole + (whole if code == 'B' else 0)
        values = array.array(code, samples.astype(code).tobytes())
        msg = self._msg
        if self._kind == 'AudioStamped':
            message = msg.AudioStamped(header=header)
            setattr(message.audio.audio_data, f'{self._format}_data', values)
            message.audio.info = msg.AudioInfo(format=number, channels=2, rate=self._rate, chunk=256)
        else:
            self._info.publish(self._description)
            message = msg.AudioData(data=array.array('B', values.tobytes()))
            if self._kind == 'AudioDataStamped':
                message = msg.AudioDataStamped(header=header, audio=message)
        self._sound.publish(message)


def main() -> int:
    rclpy.init()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Speaker())
    return 0


if __name__ == '__main__':
    sys.exit(main())
