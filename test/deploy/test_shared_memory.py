# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who is killed leaves nothing in shared memory for long; who lives is left alone."""
import os
import signal
import socket
import subprocess
import sys

import pytest

from smern_ros.deploy import dds
from smern_ros.deploy.shared_memory import SEGMENT, SHARED_MEMORY, sweep

PARTICIPANT = """
import rclpy
rclpy.init()
node = rclpy.create_node('participant')
print('there', flush=True)
rclpy.spin(node)
"""


@pytest.fixture
def participant():
    """Starts one. :return: its process and the names of its memory."""
    started = []

    def start():
        before = segments()
        process = subprocess.Popen([sys.executable, '-c', PARTICIPANT], stdout=subprocess.PIPE, text=True,
                                   env={**os.environ, **dds.environment(dds.LOCAL)})
        started.append(process)
        assert process.stdout.readline() == 'there\n'
        return process, segments() - before

    yield start
    for process in started:
        process.kill()
        process.wait()
    sweep(young=0.0)


def segments():
    return {file.name for file in SHARED_MEMORY.glob('fast*') if SEGMENT.fullmatch(file.name)}


@pytest.mark.ros
@pytest.mark.faults
@pytest.mark.alone  # a participant that starts elsewhere has memory that is young, too
def test_what_a_killed_participant_leaves_is_removed_and_a_living_ones_is_not(participant):
    pytest.importorskip('rclpy')
    killed, left = participant()
    _, living = participant()
    assert left and living and not left & living
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert left <= segments(), 'nobody else cleans up'
    assert sweep(young=3600.0) == 0 and left <= segments(), 'what is young may still be on its way to life'
    sweep(young=0.0)  # or a node that starts meanwhile
    assert not left & segments() and living <= segments()


def test_what_is_not_a_participants_is_left_alone(tmp_path):
    for name in ('fastdds_port7410', 'fastdds_port7410_el', 'fastdds_0123456789abcdef_el', 'fastdds_mine', 'other'):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / 'fastrtps_0123456789abcde0').touch()  # without a lock nobody knows whether it lives
    os.utime(tmp_path / 'fastrtps_0123456789abcde0', (0, 0))
    before = set(tmp_path.iterdir())
    assert sweep(tmp_path) == 0 and set(tmp_path.iterdir()) == before


SPECIAL = {
    'a pipe': os.mkfifo,
    'a folder': os.mkdir,
    'a link to a file': lambda path: (path.with_name('elsewhere').touch(), path.symlink_to('elsewhere')),
    'a link to nothing': lambda path: path.symlink_to('nowhere'),
    'a link to a pipe': lambda path: (os.mkfifo(path.with_name('pipe')), path.symlink_to('pipe')),
    'a socket': lambda path: socket.socket(socket.AF_UNIX).bind(str(path)),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize('what', SPECIAL)
@pytest.mark.parametrize('place', ['lock', 'memory'])
def test_nothing_but_files_is_opened_or_removed_and_nothing_holds_a_node_up(tmp_path, what, place):
    """Everybody may write into the folder of shared memory."""
    memory = tmp_path / 'fastdds_0123456789abcdef'
    lock = tmp_path / f'{memory.name}_el'
    (memory if place == 'lock' else lock).touch()
    SPECIAL[what](lock if place == 'lock' else memory)
    before = set(tmp_path.iterdir())
    assert sweep(tmp_path, young=-3600.0) == 0
    assert set(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.getuid() != 0, reason='only root makes files of another user')
@pytest.mark.parametrize('place', ['lock', 'memory'])
def test_another_users_memory_is_left_alone(tmp_path, place):
    memory, lock = tmp_path / 'fastdds_0123456789abcdef', tmp_path / 'fastdds_0123456789abcdef_el'
    memory.touch()
    lock.touch()
    os.chown(lock if place == 'lock' else memory, 65534, 65534)
    assert sweep(tmp_path, young=-3600.0) == 0
    assert memory.exists() and lock.exists()


def test_a_dead_participants_memory_is_removed_with_its_lock(tmp_path):
    for name in ('fastdds_0123456789abcdef', 'fastdds_0123456789abcdef_el'):
        (tmp_path / name).touch()
    assert sweep(tmp_path, young=-3600.0) == 1
    assert not list(tmp_path.iterdir())
