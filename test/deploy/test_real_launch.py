# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The launch file under the real launch, where that is installed: nodes end for good or are started again."""
from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from smern_ros.deploy import graph
from smern_ros.utils.resources import share

pytest.importorskip('launch_ros', reason='launch comes with a sourced ROS 2, not as a wheel')
pytestmark = [pytest.mark.ros, pytest.mark.timeout(300)]

LAUNCH = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs in the background inherits that it is ignored
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
file, *arguments = sys.argv[1:]
service = LaunchService()
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
    PythonLaunchDescriptionSource(file), launch_arguments=[argument.split(':=', 1) for argument in arguments])]))
sys.exit(service.run())
"""


class Launched:
    """One `ros2 launch` of some of the nodes."""

    def __init__(self, nodes, arguments):
        switches = [f'{n.name}:={str(n.name in nodes).lower()}' for n in graph.NODES]
        command = [sys.executable, '-u', '-c', LAUNCH, str(share('launch', 'emotion.launch.py')), *switches, *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                         start_new_session=True)
        self.output = ''
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                self.output += line
                self._changed.notify_all()

    def wait_for(self, pattern, times=1):
        """:return: the last match."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(re.findall(pattern, self.output)) >= times, 120), self.output
            return re.findall(pattern, self.output)[times - 1]

    def wait(self):
        code = self._process.wait(120)
        self._reader.join()
        return code

    def stop(self):
        """Ctrl-C."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        return self.wait()


@pytest.fixture
def launch():
    started = []

    def start(*nodes, **arguments):
        started.append(Launched(nodes, [f'{name}:={value}' for name, value in arguments.items()]))
        return started[-1]

    yield start
    for launched in started:
        launched.stop()


@pytest.fixture
def parameters(tmp_path):
    def write(text):
        path = tmp_path / 'mine.yaml'
        path.write_text(text)
        return path

    return write


def test_a_node_that_is_configured_wrongly_ends_the_launch_with_its_reason_after_one_start(launch):
    launched = launch('fusion', 'skeleton_filter', checkpoint='/no/such/folder: 007')
    assert launched.wait() == 1
    assert 'the checkpoint /no/such/folder: 007 cannot be used' in launched.output
    assert 'fusion cannot run as it is configured' in launched.output
    assert len(re.findall(r'fusion-\d+\]: process started', launched.output)) == 1


@pytest.mark.parametrize('wrong', ['text_timeout: soon', 'text_wiat: 2', 'speaker: [a, 2]'])
def test_so_does_a_wrong_value_in_a_parameter_file(launch, parameters, wrong):
    launched = launch('fusion', params_file=parameters(f'fusion: {{ros__parameters: {{{wrong}}}}}'))
    assert launched.wait() == 1
    assert wrong.partition(':')[0] in launched.output
    assert launched.output.count('process started') == 1


def test_a_parameter_file_that_is_not_there_starts_nothing(launch):
    launched = launch('fusion', params_file='/no/such.yaml')
    assert launched.wait() == 1
    assert 'no parameter file /no/such.yaml' in launched.output and 'process started' not in launched.output


def test_one_that_can_be_left_out_is_and_one_that_broke_is_started_again(launch, parameters):
    file = parameters('fusion: {ros__parameters: {text_timeout: 2}}\nmedia_source: {ros__parameters: {media: 2026}}')
    launched = launch('fusion', 'media_source', params_file=file)
    launched.wait_for('media_source cannot run as it is configured .*going on without it')
    assert '2026' in launched.wait_for(r'\[FATAL\] .*')
    pid = launched.wait_for(r'fusion-\d+\]: process started with pid \[(\d+)\]')
    launched.wait_for(r'\[fusion\]: active')
    os.kill(int(pid), signal.SIGKILL)
    launched.wait_for(r'fusion-\d+\]: process started', times=2)
    launched.wait_for(r'\[fusion\]: active', times=2)
    assert launched.stop() == 0
    assert len(re.findall(r'media_source-\d+\]: process started', launched.output)) == 1
