# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern replay` to whoever listens: what was recorded comes again as it was, and nothing is played that is none."""
import subprocess
import sys

import numpy as np
import pytest
from support import bags

from smern_ros.cli.main import main

pytestmark = pytest.mark.ros
WAIT = 60.0
MIC, EYE, MUTE = '/robot/mic', '/head/rgb', '/tts/active'
START = 1_700_000_000
CHUNKS, PICTURES = 30, 8  # no more than a publisher keeps: nobody answers here, so nothing holds the player up


@pytest.fixture
def replay():
    """replay(...) starts it, to whoever listens; it ends with the test."""
    started = []

    def start(bag, *arguments):
        command = [sys.executable, '-m', 'smern_ros.cli.main', 'replay', str(bag), *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def foreign(tmp_path):
    """A bag of another robot: sqlite3, other names; and what is in it, by topic."""
    from rclpy.serialization import serialize_message
    from rosbags.rosbag2 import StoragePlugin
    from sensor_msgs.msg import Image
    from std_msgs.msg import Bool

    from smern_ros import msg
    from smern_ros.ros.messages import header

    rng = np.random.default_rng(0)
    content = {
        MIC: [msg.AudioChunk(header=header(START * 10**9 + k * 32_000_000, 'mic'), sample_rate=16000, channels=1,
                             encoding='s16le', data=rng.integers(0, 256, 1024, np.uint8).tobytes())
              for k in range(CHUNKS)],
        EYE: [Image(header=header(START * 10**9 + k * 40_000_000, 'eye'), height=2, width=1, step=3, encoding='bgr8',
                    data=bytes([k] * 6)) for k in range(PICTURES)],
        MUTE: [Bool(data=True), Bool(data=False)],
    }
    recorded = sorted(
        ((topic, START * 10**9 + 10**9 + k, serialize_message(one)) for topic, all_ in content.items()
         for k, one in enumerate(all_)), key=lambda one: one[1],
    )
    recorded.insert(7, (MIC, recorded[7][1], b'\0\1\0\0no message'))
    types = {MIC: 'smern_ros/msg/AudioChunk', EYE: 'sensor_msgs/msg/Image', MUTE: 'std_msgs/msg/Bool'}
    return bags.write_foreign(tmp_path / 'bag', recorded, types=types, plugin=StoragePlugin.SQLITE3), content


NAMES = ['--audio', MIC, '--image', EYE, '--robot-speaking', MUTE]


def test_a_foreign_bag_comes_as_it_was_recorded_on_the_graphs_topics_with_its_time(replay, foreign, probe):
    from rosgraph_msgs.msg import Clock
    from sensor_msgs.msg import Image
    from std_msgs.msg import Bool

    from smern_ros import msg
    from smern_ros.ros import qos, topics
    from smern_ros.ros.messages import to_ns

    bag, content = foreign
    muted = probe.collect(Bool, topics.ROBOT_SPEAKING, qos.EVIDENCE)
    sound = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    images = probe.collect(Image, topics.IMAGE, qos.LOSSLESS_IMAGES)
    clock = probe.collect(Clock, '/clock', qos.STREAM)
    states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.EVIDENCE)
    process = replay(bag, *NAMES, '--rate', '0', '--clock', '--wait-for', '')
    end_ns = START * 10**9 + CHUNKS * 32_000_000
    probe.wait_for(lambda: (len(sound), len(images), len(muted)) == (CHUNKS, PICTURES, 2) and clock
                   and to_ns(clock[-1].clock) == end_ns, 'all of it', WAIT)
    output, _ = process.communicate(timeout=WAIT)
    assert process.returncode == 0, output
    assert (sound, images, muted) == (content[MIC], content[EYE], content[MUTE])
    times = [to_ns(one.clock) for one in clock]
    assert times == sorted(times)
    assert states == []
    assert 'bytes are no smern_ros/msg/AudioChunk' in output and f'{CHUNKS + PICTURES + 2} messages played' in output


def test_it_is_never_a_second_microphone(replay, foreign, probe):
    from smern_ros import msg
    from smern_ros.ros import qos, topics

    bag, _ = foreign
    heard = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    process = replay(bag, '--audio', MIC, '--rate', '0', '--wait-for', '')
    probe.wait_for(lambda: process.poll() is not None, 'an end', WAIT)
    output = process.stdout.read()
    assert process.returncode == 2
    assert 'another node publishes audio' in output and heard == []


def test_what_nobody_judges_is_not_the_same(replay, probe, tmp_path):
    from smern_ros import msg
    from smern_ros.ros import qos, topics

    bag = bags.write(tmp_path / 'bag', bags.messages(10))
    probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    process = replay(bag, '--rate', '0', '--wait-for', '', '--compare')
    probe.wait_for(lambda: process.poll() is not None, 'an end', WAIT)
    output = process.stdout.read()
    assert process.returncode == 1, output
    assert output.count('DIFFERS') == 5 and '0 of 5 final states are the same' in output


@pytest.mark.parametrize('arguments, told', [
    (['absent'], 'there is no file absent'),
    ([__file__], 'is no bag: neither MCAP nor sqlite3'),
    (['BAG'], f'has no camera and no audio for the graph. Name them: --image, --audio. It has {MIC} '),
    (['BAG', '--audio', EYE], 'has type sensor_msgs/msg/Image; expected smern_ros/msg/AudioChunk'),
    (['EMPTY'], 'It has /audio (smern_ros/msg/AudioChunk, 0 messages), /emotion_state ('),
    (['BAG', '--audio', MIC, '--compare'], 'has no emotion_state to compare with'),
    (['BAG', '--audio', MIC, '--rate', '-1'], '--rate is -1'),
    (['BAG', '--audio', MIC, '--checkpoint', '.'], 'need --run'),
])
def test_what_cannot_be_played_is_refused_in_words(foreign, tmp_path, capsys, arguments, told):
    places = {'BAG': foreign[0], 'EMPTY': bags.write_mcap(tmp_path / 'empty.mcap', [])}
    assert main(['replay', *(str(places.get(argument, argument)) for argument in arguments)]) == 2
    assert told in capsys.readouterr().err


def test_a_bag_that_was_cut_off_is_played_up_to_there_and_the_exit_code_tells(replay, probe, tmp_path):
    from smern_ros import msg
    from smern_ros.ros import qos, topics

    bag = bags.write(tmp_path / 'bag', bags.messages(200, 32_000))
    (bag / 'metadata.yaml').unlink()
    file = bag / 'bag.mcap'
    file.write_bytes(file.read_bytes()[:2_500_000])
    heard = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    process = replay(bag, '--rate', '0', '--wait-for', '')
    probe.wait_for(lambda: process.poll() is not None, 'an end', WAIT)
    output = process.stdout.read()
    assert process.returncode == 1, output
    assert 0 < len(heard) < 100 and 'is cut off after' in output and 'the readable messages were played' in output
    assert 'Traceback' not in output


def test_messages_that_are_none_are_no_replay(replay, probe, tmp_path):
    from smern_ros import msg
    from smern_ros.ros import qos, topics

    bag = bags.write_mcap(tmp_path / 'bag.mcap', [(bags.AUDIO, bags.START_NS + k, b'\0\1\0\0none') for k in range(3)])
    probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    process = replay(bag, '--rate', '0', '--wait-for', '')
    probe.wait_for(lambda: process.poll() is not None, 'an end', WAIT)
    output = process.stdout.read()
    assert process.returncode == 1, output
    assert 'ignoring a message' in output and 'smern replay: no message was played' in output


def test_what_is_no_input_and_what_was_not_finished_keeps_nothing_from_being_played(replay, probe, tmp_path):
    from smern_ros import msg
    from smern_ros.ros import qos, topics

    folder = tmp_path / 'bag'
    folder.mkdir()
    sound = bags.messages(40)
    bags.write_db3(folder / 'bag_9.db3', sound[:20], journal='wal')
    bags.write_db3(folder / 'bag_10.db3', sound[20:], types={**bags.TYPES, '/rear/audio': 'audio_msgs/msg/Audio'})
    bags.write_mcap(folder / 'bag_11.mcap', [('/audio', bags.START_NS, b'{}')], encoding='json')
    (folder / 'bag_12.mcap').write_bytes(b'')
    (folder / '._bag_9.db3').write_bytes(b'Mac OS X')
    (folder / 'metadata.yaml').write_text('')
    heard = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    process = replay(folder, '--rate', '0', '--wait-for', '')
    probe.wait_for(lambda: process.poll() is not None, 'an end', WAIT)
    output = process.stdout.read()
    assert process.returncode == 1, output
    assert [one.header.frame_id for one in heard] == [f'frame {k}' for k in range(0, 40, 2)]
    assert 'bag_12.mcap is cut off after 0 bytes; the readable messages were played' in output
    for note in ('metadata.yaml is not what', 'ignoring /rear/audio', '/audio has types smern_ros/msg/AudioChunk'):
        assert note in output
