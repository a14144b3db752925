# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern record` beside publishers of the graph's topics: the bag has all that came, and is closed whatever happens."""
import os
import resource
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from mcap.exceptions import McapError
from mcap.reader import make_reader

from smern_ros.bag.contents import CutOff
from smern_ros.bag.reader import BagReader
from smern_ros.cli.main import main
from smern_ros.deploy import dds

pytestmark = pytest.mark.ros
WAIT = 60.0


class Record:
    """The command as a process, and what it says."""

    def __init__(self, *arguments, **kwargs):
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'smern_ros.cli.main', 'record', *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs,
        )
        self.text = ''
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.text += line

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.code()

    def code(self):
        code = self.process.wait(WAIT)
        self._thread.join(WAIT)
        return code


@pytest.fixture
def record(tmp_path):
    """record(...) starts it with --out tmp_path/bag."""
    started = []

    def start(*arguments, **kwargs):
        started.append(Record('--out', tmp_path / 'bag', *arguments, **kwargs))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def microphone(probe):
    """microphone(count, bytes): sends chunks of sound once it is heard; gives them when they have arrived."""
    from rclpy.duration import Duration

    from smern_ros import msg
    from smern_ros.ros import qos, topics
    from smern_ros.ros.messages import header

    publisher = probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)

    def send(count, size=1024, *, first=0, wait=True):
        probe.wait_for_listener(publisher)
        rng = np.random.default_rng(first)
        sent = []
        for k in range(first, first + count):
            sound = rng.integers(0, 256, size, np.uint8).tobytes()
            sent.append(msg.AudioChunk(header=header((1000 + k) * 10**9, f'frame {k}'), sample_rate=16000, channels=1,
                                       encoding='s16le', data=sound))
            publisher.publish(sent[-1])
        assert not wait or publisher.wait_for_all_acked(Duration(seconds=WAIT))
        return sent

    return send


def recorded(folder, message_type, topic):
    from rclpy.serialization import deserialize_message

    return [deserialize_message(m.data, message_type) for m in BagReader(folder).messages([topic])]


def bytes_in(folder):
    return sum(file.stat().st_size for file in folder.glob('*.mcap'))


def test_all_that_comes_is_in_the_bag_after_ctrl_c(record, microphone, probe, tmp_path):
    from rclpy.duration import Duration
    from sensor_msgs.msg import Image

    from smern_ros import msg
    from smern_ros.ros import qos, topics

    camera = probe.publisher(Image, topics.IMAGE, qos.IMAGES)  # best effort, as cameras publish
    states = probe.publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    states.publish(msg.EmotionState(label='happy', model='before'))  # a late joiner still gets it
    process = record()
    sent = microphone(100)
    probe.wait_for_listener(camera, states)
    image = Image(height=300, width=400, step=1200, encoding='bgr8', data=bytes(360_000))
    probe.wait_for(lambda: camera.publish(image) or bytes_in(tmp_path / 'bag') > 2e6, 'pictures on the disk', WAIT)
    states.publish(msg.EmotionState(label='sad', model='during'))
    assert states.wait_for_all_acked(Duration(seconds=WAIT))
    assert process.end() == 0, process.text
    assert recorded(tmp_path / 'bag', msg.AudioChunk, '/audio') == sent
    assert [s.model for s in recorded(tmp_path / 'bag', msg.EmotionState, '/emotion_state')] == ['before', 'during']
    images = recorded(tmp_path / 'bag', Image, '/image_raw')
    assert images and all(one == image for one in images)
    assert 'pictures and voices' in process.text and '100 messages' in process.text
    with (tmp_path / 'bag/bag.mcap').open('rb') as file:
        assert make_reader(file).get_summary().statistics.message_count == 102 + len(images)


@pytest.mark.faults
def test_a_recorder_that_hangs_keeps_no_sound_from_the_others(record, microphone, probe):
    from smern_ros import msg
    from smern_ros.ros import qos, topics

    process = record()
    microphone(1)
    heard = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    process.process.send_signal(signal.SIGSTOP)
    sent = []
    for first in range(1, 801, 200):  # more than the publisher keeps for who has not got them
        sent += microphone(200, 20_000, first=first, wait=False)
        probe.wait_for(lambda count=len(sent): len(heard) == count, 'all sound', WAIT)
    assert heard == sent


def test_only_what_was_asked_for_is_recorded(record, microphone, probe, tmp_path):
    from sensor_msgs.msg import Image

    from smern_ros.ros import qos, topics

    camera = probe.publisher(Image, topics.IMAGE, qos.IMAGES)
    process = record('--no-images', '--topics', 'audio', 'image_raw', '/emotion_state')
    microphone(5)
    assert camera.get_subscription_count() == 0
    assert process.end() == 0, process.text
    assert {name: t.count for name, t in BagReader(tmp_path / 'bag').topics.items()} == {'/audio': 5}


@pytest.mark.faults
def test_a_full_queue_costs_messages_and_says_which(record, microphone, tmp_path):
    process = record('--queue', '0.01')
    large = microphone(3, 50_000)
    small = microphone(4, 1000, first=3)
    assert process.end() == 0, process.text
    from smern_ros import msg

    assert recorded(tmp_path / 'bag', msg.AudioChunk, '/audio') == small
    assert f'{len(large)} dropped' in process.text and 'the disk is too slow' in process.text


@pytest.mark.faults
def test_a_full_disk_ends_it_with_its_reason_and_a_bag_that_is_whole(record, microphone, tmp_path):
    from smern_ros import msg

    process = record(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000)))
    sent = microphone(60, 100_000)
    assert process.code() == 1, process.text
    assert 'cannot grow: File too large' in process.text and 'Traceback' not in process.text
    got = recorded(tmp_path / 'bag', msg.AudioChunk, '/audio')
    assert 0 < len(got) < len(sent) and got == sent[:len(got)]


@pytest.mark.faults
def test_a_recorder_that_is_killed_leaves_what_it_had_written(record, microphone, probe, tmp_path):

    process = record()
    sent = microphone(40, 100_000)
    probe.wait_for(lambda: bytes_in(tmp_path / 'bag') > 3e6, 'three chunks on the disk', WAIT)
    process.end(signal.SIGKILL)
    with pytest.raises(McapError), (tmp_path / 'bag/bag.mcap').open('rb') as file:
        list(make_reader(file).iter_messages())
    bag, got = BagReader(tmp_path / 'bag'), []
    with pytest.raises(CutOff):
        got.extend(bag.messages(['/audio']))
    assert 20 < len(got) <= len(sent)


@pytest.mark.parametrize('arguments, told', [
    (['--topics', 'audio', 'mood'], 'no topic mood; it has image_raw,'),
    (['--no-images', '--topics', 'image_raw'], 'no topic is left'),
    (['--queue', '0'], '--queue is 0 MB'),
])
def test_what_cannot_be_recorded_is_refused_before_anything_is_made(tmp_path, capsys, arguments, told):
    assert main(['record', '--out', str(tmp_path / 'bag'), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / 'bag').exists()


def test_an_older_recording_is_never_overwritten(record, tmp_path):
    (tmp_path / 'bag').mkdir()
    process = record()
    assert process.code() == 2
    assert 'exists' in process.text and os.listdir(tmp_path / 'bag') == []


def test_help_says_that_it_records_people(capsys):
    with pytest.raises(SystemExit):
        main(['record', '--help'])
    assert 'PICTURES AND VOICES' in capsys.readouterr().out


def test_it_says_so_if_the_network_may_hear_it(record, probe, tmp_path, monkeypatch):
    monkeypatch.setenv(dds.RANGE, 'SUBNET')
    monkeypatch.setenv(dds.VARIABLE, str(tmp_path / 'none.xml'))
    process = record()
    probe.wait_for(lambda: 'which is not there: Fast DDS runs with its own settings' in process.text, 'the warning')
    assert process.end() == 0, process.text
