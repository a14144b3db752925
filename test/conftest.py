"""What every test shares: where the real data is, and DDS kept to this host and to one test process."""
import os
from pathlib import Path

import pytest

from smern_ros.deploy import dds
from smern_ros.utils.paths import expand

# Before any rclpy.init(): two test processes on one machine never hear each other.
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
os.environ['ROS_DOMAIN_ID'] = str(dds.free_domain())
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
os.environ.update(dds.environment(dds.LOCAL))  # room for whole images between processes, as in the graph


def pytest_addoption(parser):
    parser.addoption('--messages', type=int, default=300, help='how many each node is fuzzed with')
    parser.addoption('--silence', type=int, default=120, help='s that nobody speaks, before somebody does')
    parser.addoption('--kills', type=int, default=5, help='how often a node of the running graph is killed')
    parser.addoption('--whole-within', type=float, default=60.0,
                     help='s in which a killed node must be back, beside the processor time of its start')


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
