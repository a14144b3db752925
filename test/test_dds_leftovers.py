"""Who is killed leaves nothing in shared memory for long; who lives is left alone."""
import os
import signal
import subprocess
import sys

import pytest

from smern_ros import dds
from smern_ros.dds_leftovers import SEGMENT, SHARED_MEMORY, sweep

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
def test_what_a_killed_participant_leaves_is_removed_and_a_living_ones_is_not(participant):
    pytest.importorskip('rclpy')
    killed, left = participant()
    _, living = participant()
    assert left and living and not left & living
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert left <= segments(), 'nobody else cleans up'
    assert sweep(young=3600.0) == 0 and left <= segments(), 'what is young may still be on its way to life'
    assert sweep(young=0.0) >= len(left)
    assert not left & segments() and living <= segments()


def test_what_is_not_a_participants_is_left_alone(tmp_path):
    for name in ('fastdds_port7410', 'fastdds_port7410_el', 'fastdds_0123456789abcdef_el', 'fastdds_mine', 'other'):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / 'fastrtps_0123456789abcde0').touch()  # without a lock nobody knows whether it lives
    os.utime(tmp_path / 'fastrtps_0123456789abcde0', (0, 0))
    before = set(tmp_path.iterdir())
    assert sweep(tmp_path) == 0 and set(tmp_path.iterdir()) == before
