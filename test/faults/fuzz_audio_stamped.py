# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Garbage for audio_bridge in the messages of mgonzs13. In a process of its own (test_fuzzing_edges.py starts it): they
share their package's name with those of ros-drivers, and a process has room for one."""
import array

import numpy as np
import pytest
from support import interfaces
from support.fuzz import survives

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import header, stamp_of
from smern_ros.values import SECOND

AFTER = 2_000 * SECOND
RATE, INT16 = 16_000, 8


@pytest.mark.timeout(7200)
def test_audio_bridge(probe, start_node, give_interfaces, messages):
    give_interfaces(interfaces.MGONZS13, here=True)
    from audio_common_msgs.msg import Audio, AudioData, AudioInfo, AudioStamped

    samples = array.array('h', (1000 * np.sin(np.arange(1024) / 10)).astype('<i2').tobytes())

    def sound(stamp_ns):
        info = AudioInfo(format=INT16, channels=1, rate=RATE, chunk=len(samples))
        audio = Audio(audio_data=AudioData(int16_data=samples), info=info)
        return AudioStamped(header=header(stamp_ns, 'array'), audio=audio)

    node = start_node('audio_bridge', {'audio_type': 'AudioStamped'})
    survives(probe, node, 'audio_bridge', {'audio/audio'}, {AudioStamped: [sound]}, messages, lossy={'audio/audio'})
    driver = probe.publisher(AudioStamped, '/audio/audio', qos.AUDIO)
    heard = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    probe.wait_for_listener(driver)

    def passed_on():
        driver.publish(sound(AFTER))
        return [c for c in heard if stamp_of(c.header) == AFTER and (c.sample_rate, c.channels) == (RATE, 1)]

    chunk = probe.wait_for(passed_on, 'sound that was right', 60.0)[-1]
    assert chunk.data.tobytes() == samples.tobytes()
