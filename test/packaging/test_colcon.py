# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The same tree is a package of a colcon workspace."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from smern_ros.deploy import graph

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]

CHECK = """
import importlib.util, pathlib, sys
import smern_ros.training
from ament_index_python.packages import get_package_share_directory
from smern_ros.msg import EmotionState, Utterance
from smern_ros.srv import LabelUtterance
from smern_ros.utils.resources import share
from rclpy.serialization import deserialize_message, serialize_message

install = pathlib.Path(sys.argv[1])
assert pathlib.Path(smern_ros.__file__).is_relative_to(install), smern_ros.__file__
assert pathlib.Path(smern_ros.training.__file__).is_relative_to(install)
assert pathlib.Path(get_package_share_directory('smern_ros')).is_relative_to(install)
for path in (('config', 'emotion.yaml'), ('launch', 'emotion.launch.py')):
    assert share(*path).is_relative_to(install), share(*path)
sent = EmotionState(label='happy', probabilities=[0.25] * 4)
assert deserialize_message(serialize_message(sent), EmotionState) == sent
asked = LabelUtterance.Request(utterance_id='u1', label='happy')
assert deserialize_message(serialize_message(asked), LabelUtterance.Request) == asked
print('all in', install)
"""


@pytest.fixture(scope='module')
def workspace(clean_source, tmp_path_factory, bare_environment):
    """A workspace that was built."""
    if not shutil.which('colcon', path=str(Path(sys.executable).parent)) and not shutil.which('colcon'):
        pytest.skip('no colcon: make setup installs it for the tests (requirements/test.txt)')
    folder = tmp_path_factory.mktemp('workspace')
    env = dict(bare_environment)
    env['PATH'] = os.pathsep.join([str(Path(sys.executable).parent), env['PATH']])
    if not env.get('ROS_DISTRO'):
        env['AMENT_PREFIX_PATH'] = env['CMAKE_PREFIX_PATH'] = sys.prefix
    command = ['colcon', 'build', '--base-paths', clean_source]
    built = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert '1 package finished' in built.stdout
    return folder


def sourced(workspace: Path, *command, env) -> subprocess.CompletedProcess:
    script = f'. {workspace}/install/setup.sh && exec "$@"'
    path = os.pathsep.join([str(Path(sys.executable).parent), env['PATH']])
    return subprocess.run(
        ['bash', '-c', script, 'bash', *map(str, command)],
        cwd=workspace, env={**env, 'PATH': path}, capture_output=True, text=True, check=False,
    )


def test_messages_code_and_files_come_from_the_workspace(workspace, bare_environment):
    script = workspace / 'check.py'
    script.write_text(CHECK)
    ran = sourced(workspace, 'python', script, workspace / 'install', env=bare_environment)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith('all in')


def test_every_node_has_an_executable_and_smern_is_on_the_path(workspace, bare_environment):
    programs = workspace / 'install/smern_ros/lib/smern_ros'
    assert {p.name for p in programs.iterdir()} == {n.executable for n in graph.NODES}
    assert all(os.access(p, os.X_OK) for p in programs.iterdir())
    ran = sourced(workspace, 'smern', 'run', '--help', env=bare_environment)
    assert ran.returncode == 0, ran.stderr
    assert 'pose_estimation' in ran.stdout
