# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""audio_bridge as the process it is: drivers that speak either audio_common_msgs are heard."""
import numpy as np
import pytest
from support import interfaces
from support.speaker import LEFT, RIGHT

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # the first of them compiles messages

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from smern_ros import msg  # noqa: E402
from smern_ros.audio import pcm  # noqa: E402
from smern_ros.ros import qos, topics  # noqa: E402
from smern_ros.ros.messages import to_ns  # noqa: E402

SENDER = interfaces.ROOT / 'test/support/speaker.py'


@pytest.fixture
def sounds(probe):
    return probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)


def heard(sound):
    return pcm.decode(sound.data, encoding=sound.encoding, channels=sound.channels)


@pytest.mark.parametrize('sample_format', ['float32', 'int16', 'uint8'])
def test_the_kind_that_describes_itself_is_heard_as_it_is(probe, give_interfaces, sounds, start_node, sample_format):
    give_interfaces(interfaces.MGONZS13)
    start_node('audio_bridge')
    start_node(SENDER, {'kind': 'AudioStamped', 'sample_format': sample_format, 'rate': 22_050})
    sound = probe.wait_for(lambda: sounds, 'the sound', 60.0)[0]
    assert (sound.sample_rate, sound.channels, sound.header.frame_id) == (22_050, 2, 'array')
    assert to_ns(sound.header.stamp) % 1_000_000_000 == 123_456_789
    np.testing.assert_allclose(heard(sound), np.tile([LEFT, RIGHT], (256, 1)), atol=0.01)


@pytest.mark.parametrize(('kind', 'package'), [('AudioStamped', interfaces.MGONZS13),
                                               ('AudioDataStamped', interfaces.ROS_DRIVERS)])
def test_one_channel_of_several_is_passed_on_alone(probe, give_interfaces, sounds, start_node, kind, package):
    give_interfaces(package)
    start_node('audio_bridge', {'audio_type': kind, 'channel': 1, 'channels': 2, 'info_topic': ''})
    start_node(SENDER, {'kind': kind, 'sample_format': 'int16', 'rate': 22_050})
    sound = probe.wait_for(lambda: sounds, 'the sound', 60.0)[0]
    assert sound.channels == 1
    np.testing.assert_allclose(heard(sound), np.full((256, 1), RIGHT), atol=1e-4)


@pytest.mark.parametrize(('kind', 'audio_type'), [
    ('AudioData', ''), ('AudioDataStamped', ''), ('AudioData', 'auto'), ('AudioDataStamped', 'auto'),
])
def test_bare_bytes_are_heard_as_the_driver_describes_them_elsewhere(
    probe, give_interfaces, sounds, start_node, kind, audio_type
):
    give_interfaces(interfaces.ROS_DRIVERS)
    node = start_node('audio_bridge', {'audio_type': audio_type or kind, 'sample_rate': 48_000})
    start_node(SENDER, {'kind': kind, 'sample_format': 'int16', 'rate': 22_050})
    sound = probe.wait_for(lambda: next((s for s in sounds if s.sample_rate == 22_050), None), 'the sound', 60.0)
    assert (sound.channels, sound.encoding) == (2, 's16le')
    np.testing.assert_allclose(heard(sound), np.tile([LEFT, RIGHT], (256, 1)), atol=1e-4)
    stamp_ns = to_ns(sound.header.stamp)
    if kind == 'AudioDataStamped':
        assert sound.header.frame_id == 'array' and stamp_ns % 1_000_000_000 == 123_456_789
    else:
        age_ns = probe.node.get_clock().now().nanoseconds - stamp_ns
        assert sound.header.frame_id == 'microphone' and 256 / 22_050 * 1e9 < age_ns < 300e9
    assert '[ERROR]' not in node.output


def test_a_driver_that_is_started_again_with_another_type_is_heard_by_a_remapped_name(
    probe, give_interfaces, sounds, start_node
):
    give_interfaces(interfaces.ROS_DRIVERS)
    node = start_node('audio_bridge', arguments=['-r', '/audio/audio:=/array/sound'])
    probe.wait_for(lambda: node.said('active'), 'the node', 60.0)
    for kind, frame in (('AudioDataStamped', 'array'), ('AudioData', 'microphone')):
        driver = start_node(SENDER, {'kind': kind, 'sample_format': 'int16'},
                            arguments=['-r', '/audio/audio:=/array/sound'])
        probe.wait_for(lambda frame=frame: any(s.header.frame_id == frame for s in sounds), f'sound in {kind}', 60.0)
        assert node.said(f'/array/sound is of type {kind}')
        driver.stop()
    assert '[ERROR]' not in node.output


def test_what_is_no_sound_and_what_is_of_the_other_package_is_said(probe, give_interfaces, start_node):
    give_interfaces(interfaces.MGONZS13)
    node = start_node('audio_bridge')
    strange = probe.publisher(String, '/audio/audio', qos.EVIDENCE)
    probe.wait_for(lambda: node.said('type is std_msgs/msg/String; expected one of audio_common_msgs'),
                   'the type', 60.0)
    probe.node.destroy_publisher(strange)
    give_interfaces(interfaces.ROS_DRIVERS)
    start_node(SENDER, {'kind': 'AudioDataStamped', 'sample_format': 'int16'})
    probe.wait_for(lambda: node.said('is not the package of ros-drivers: it lacks AudioData.data'), 'the package', 60.0)
    assert 'Traceback' not in node.output and node.alive


def test_how_long_a_message_takes_is_told(probe, give_interfaces, start_node):
    give_interfaces(interfaces.MGONZS13)
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    start_node('audio_bridge')
    start_node(SENDER, {'kind': 'AudioStamped', 'sample_format': 'int16'})
    probe.wait_for(lambda: any(v.value for report in health for status in report.status for v in status.values
                               if v.key == 'latency max [ms]'), 'a latency', 60.0)


def test_compressed_sound_is_refused_with_what_to_do(probe, give_interfaces, start_node):
    give_interfaces(interfaces.ROS_DRIVERS)
    node = start_node('audio_bridge', {'audio_type': 'AudioData'})
    start_node(SENDER, {'kind': 'AudioData', 'sample_format': 'int16', 'coding': 'mp3'})
    probe.wait_for(lambda: node.said("audio is 'mp3'") and node.said('format:=wave'), 'the refusal', 60.0)


@pytest.mark.parametrize(('package', 'kind', 'said'), [
    (interfaces.ROS_DRIVERS, 'AudioStamped', 'is not the package of mgonzs13: it lacks AudioStamped'),
    (interfaces.MGONZS13, 'AudioDataStamped', 'is not the package of ros-drivers: it lacks AudioData.data'),
    (None, 'AudioStamped', 'audio_common_msgs of mgonzs13 is not installed'),
    (None, 'auto', 'audio_common_msgs is not installed'),
])
def test_the_other_package_of_that_name_is_told_apart(give_interfaces, start_node, package, kind, said):
    if package:
        give_interfaces(package)
    node = start_node('audio_bridge', {'audio_type': kind})
    assert node.wait() == 2
    assert said in node.output and 'Traceback' not in node.output
    assert kind == 'auto' or 'choose the audio_type' in node.output
