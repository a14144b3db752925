# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The wheel holds all that a robot needs: messages, nodes, networks, configuration, and no ROS."""
import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest

from smern_ros.deploy import graph
from smern_ros.emotion import shipped_checkpoints

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope='module')
def wheel(clean_source, tmp_path_factory, bare_environment):
    folder = tmp_path_factory.mktemp('wheel')
    pip = [sys.executable, '-m', 'pip', 'wheel', '--no-build-isolation', '--no-deps', '--no-index']
    command = [*pip, '-w', folder, clean_source]
    built = subprocess.run(command, env=bare_environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.iterdir()
    return zipfile.ZipFile(path)


@pytest.fixture(scope='module')
def names(wheel):
    return set(wheel.namelist())


@pytest.fixture(scope='module')
def data(wheel, names):
    """What goes to the prefix: share/, lib/."""
    start = f'smern_ros-{metadata(wheel)["Version"]}.data/data/'
    return {name.removeprefix(start) for name in names if name.startswith(start)}


def metadata(wheel):
    (name,) = (n for n in wheel.namelist() if n.endswith('.dist-info/METADATA'))
    return Parser().parsestr(wheel.read(name).decode())


def test_every_module_is_in_it(names, clean_source):
    ours = {str(p.relative_to(clean_source)) for p in clean_source.glob('smern_ros/**/*.py')}
    training = {f'smern_ros/{p.relative_to(clean_source)}' for p in clean_source.glob('training/**/*.py')}
    assert ours | training <= names


def test_every_file_beside_the_modules_is_in_it(names, clean_source):
    files = [p for p in clean_source.glob('smern_ros/**/*') if p.is_file()]
    assert {str(p.relative_to(clean_source)) for p in files} <= names
    pages = [p for kind in ('html', 'css') for p in clean_source.glob(f'training/**/*.{kind}')]
    assert pages and {f'smern_ros/{p.relative_to(clean_source)}' for p in pages} <= names


@pytest.mark.parametrize('checkpoint', shipped_checkpoints.names())
def test_every_checkpoint_is_in_it_with_its_card(names, checkpoint):
    assert {f'smern_ros/checkpoints/{checkpoint}/{name}' for name in (
        'config.json', 'model.safetensors', 'README.md')} <= names


@pytest.mark.parametrize('kind', ['msg', 'srv'])
def test_every_message_and_service_is_compiled_and_described(names, data, clean_source, kind):
    interfaces = [p.stem for p in clean_source.glob(f'{kind}/*.{kind}')]
    package = '\n'.join(n for n in names if n.startswith(f'smern_ros/{kind}/_')).replace('_', '').lower()
    assert interfaces
    for interface in interfaces:
        assert f'/{kind}/{interface.lower()}.py' in package
        assert f'share/smern_ros/{kind}/{interface}.{kind}' in data
    assert sum(n.startswith('smern_ros/smern_ros_s__') and n.endswith('.so') for n in names) == 3
    assert 'lib/libsmern_ros__rosidl_typesupport_c.so' in data


def test_ros_finds_package_launch_file_configuration_and_executables(data):
    assert {
        'share/ament_index/resource_index/packages/smern_ros',
        'share/smern_ros/package.xml',
        'share/smern_ros/launch/emotion.launch.py',
        'share/smern_ros/config/emotion.yaml',
        'share/smern_ros/config/dds/local.xml',
        'share/smern_ros/config/dds/multi_host.xml',
        'share/smern_ros/security/policies/fusion.policy.xml',
    } <= data
    assert {n.executable for n in graph.NODES} == {
        n.removeprefix('lib/smern_ros/') for n in data if n.startswith('lib/smern_ros/')
    }


def test_it_carries_no_trace_of_where_it_was_built(wheel, clean_source):
    for name in wheel.namelist():
        if not name.endswith(('.so', '.safetensors')):
            assert str(clean_source).encode() not in wheel.read(name), name


def test_ros_wheels_come_only_when_asked_for(wheel):
    required = metadata(wheel).get_all('Requires-Dist')
    ros = [r for r in required if r.startswith('ros-')]
    assert ros
    assert all('extra == "ros"' in r for r in ros)


def test_it_is_for_this_python_and_platform_alone(wheel):
    assert f'-cp{sys.version_info.major}{sys.version_info.minor}-' in wheel.filename
    assert 'none-any' not in wheel.filename
