# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every test shares: where the real data is, and DDS kept to this host and to one test process."""
import fcntl
import os
import socket
from pathlib import Path

import pytest

from smern_ros.deploy import dds
from smern_ros.utils.paths import expand


def own_domain() -> socket.socket:
    """Chooses a ROS domain. :return: what keeps it from others: a port of it (DDSI-RTPS uses 0, 1 and 10 to 249)."""
    while True:
        domain = dds.free_domain()
        keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            keeper.bind(('127.0.0.1', 7400 + 250 * domain + 9))
        except OSError:  # another test process was faster
            keeper.close()
            continue
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        return keeper


if 'PYTEST_XDIST_WORKER' in os.environ:
    os.environ.setdefault('OMP_NUM_THREADS', '1')  # each process has a core
# Before any rclpy.init(): two test processes on one machine never hear each other.
DOMAIN = own_domain()
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
os.environ.update(dds.environment(dds.LOCAL))  # room for whole images between processes, as in the graph


def pytest_addoption(parser):
    parser.addoption('--messages', type=int, default=100, help='how many each node is fuzzed with')
    parser.addoption('--silence', type=int, default=40, help='s that nobody speaks, before somebody does')
    parser.addoption('--kills', type=int, default=2, help='how often a node of the running graph is killed')
    parser.addoption('--whole-within', type=float, default=60.0,
                     help='s in which a killed node must be back, beside the processor time of its start')


def pytest_collection_modifyitems(config, items):
    """Of several processes none shall begin with something long when the others are done: files of slow tests first."""
    if hasattr(config, 'workerinput'):
        slow = {item.path for item in items if item.get_closest_marker('slow') or item.get_closest_marker('timeout')}
        items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """While a test runs that is marked `alone` no other process runs one."""
    if not hasattr(item.config, 'workerinput'):
        return (yield)
    alone = item.get_closest_marker('alone') is not None
    # Whoever wants to be alone holds the door while it waits for those inside, or others would go on entering.
    with open(__file__) as door, open(Path(__file__).with_name('support') / '__init__.py') as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            fcntl.flock(room, fcntl.LOCK_UN)  # processes that the test forked have the file, too


@pytest.fixture(scope='session')
def messages(request) -> int:
    """How many messages of garbage each node gets."""
    return request.config.getoption('messages')


@pytest.fixture(scope='session')
def silence(request) -> int:
    """s of silence."""
    return request.config.getoption('silence')


@pytest.fixture(scope='session')
def kills(request) -> int:
    """How often a node is killed."""
    return request.config.getoption('kills')


@pytest.fixture(scope='session')
def whole_within(request) -> float:
    """s in which it must be back, beside its own cold start: by default what a busy machine may need."""
    return request.config.getoption('whole_within')


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """The folder of real speech, text, motion and video; the test is skipped where it is absent."""
    path = expand(os.environ.get('SMERN_SHARED_DATA', Path(__file__).resolve().parents[2] / 'shared/data'))
    if not path.is_dir():
        pytest.skip(f'no data in {path}; point SMERN_SHARED_DATA at it')
    return path


@pytest.fixture
def probe():
    """The test's own node: see support/probe.py."""
    from support.probe import Probe

    probe = Probe()
    yield probe
    probe.close()


@pytest.fixture
def give_interfaces(monkeypatch):
    """give_interfaces(interfaces.ROS4HRI): nodes that are started from now on find this message package of others.

    With here=True this process does, too; of two packages of one name it can find but one.
    """
    from support.interfaces import Interfaces

    def give(*packages, here=False):
        for package in map(Interfaces, packages):
            for name, value in package.environment.items():
                monkeypatch.setenv(name, value)
            if here:
                package.load()

    return give


@pytest.fixture
def start_node():
    """Starts one of our nodes as a process: start_node('fusion', {'speaker': 'p1'}). All end with the test."""
    from support.probe import NodeProcess

    started = []

    def start(module, parameters=None, **kwargs):
        started.append(NodeProcess(module, parameters, **kwargs))
        return started[-1]

    yield start
    for process in started:
        process.stop()
