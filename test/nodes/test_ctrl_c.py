# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C as a terminal gives it: SIGINT to the whole foreground group, whose processes have SIGINT's default handler.

Jobs in the background, tests among them, inherit that SIGINT is ignored: then nothing would be seen of what it breaks.
"""
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import TransitionEvent
from support import interfaces

from smern_ros import msg
from smern_ros.deploy import graph
from smern_ros.ros import diagnostics, qos, topics

pytestmark = pytest.mark.ros

ROOT = Path(__file__).resolve().parents[2]
SOON = 10.0  # s: a node that says no goodbye stays in the lists for 20


@pytest.fixture
def foreground():
    """Starts commands in one process group, as a terminal's job: start(*command), and `press` for Ctrl-C."""
    job = Foreground()
    yield job
    job.kill()


class Foreground:
    def __init__(self):
        self.processes = {}
        self._leader = self._popen(['sleep', '600'], 0)

    def start(self, name, *command):
        self.processes[name] = self._popen(command, self._leader.pid)
        return self.processes[name]

    def press(self):
        os.killpg(self._leader.pid, signal.SIGINT)

    def ended(self):
        """Exit codes and outputs by name."""
        outputs = {name: process.communicate(timeout=60)[0] for name, process in self.processes.items()}
        return {name: process.returncode for name, process in self.processes.items()}, outputs

    def kill(self):
        for process in [*self.processes.values(), self._leader]:
            process.kill()
            process.communicate()

    def _popen(self, command, group):
        return subprocess.Popen(
            command, process_group=group, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, 'PYTHONUNBUFFERED': '1'},
            preexec_fn=_reset_signals,
        )


def _reset_signals():
    for number in (signal.SIGINT, signal.SIGHUP):  # those that a job in the background, or under nohup, ignores
        signal.signal(number, signal.SIG_DFL)


def listens_to_signals(process, _):
    caught = re.search(r'SigCgt:\s*(\w+)', Path(f'/proc/{process.pid}/status').read_text())
    return int(caught[1], 16) >> (signal.SIGHUP - 1) & 1  # Python by itself leaves that one alone


def is_importing(process, _):
    return 'numpy' in Path(f'/proc/{process.pid}/maps').read_text()


def has_rclpy(process, _):
    return '_rclpy_pybind11' in Path(f'/proc/{process.pid}/maps').read_text()


def has_participant(_, life):
    return life['seen']


def is_active(_, life):
    return life['active']


@pytest.mark.parametrize('moment', [listens_to_signals, is_importing, has_rclpy, has_participant, is_active])
@pytest.mark.weights
def test_nodes_end_cleanly_whatever_they_are_doing(foreground, probe, give_interfaces, film, moment):
    give_interfaces(interfaces.ROS4HRI, interfaces.MGONZS13)
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    people = probe.collect(msg.SkeletonArray, topics.PEOPLE, qos.EVIDENCE)
    settings = {'media_source': ['-p', f'media:={film}', '-p', 'loop:=true', '-p', 'wait_for:=pose_estimation']}
    names = [node.name for node in graph.NODES]
    events = {n: probe.collect(TransitionEvent, f'{n}/transition_event', qos.EVIDENCE) for n in names}
    for name in names:
        foreground.start(name, sys.executable, '-m', 'smern_ros.nodes', name, '--ros-args', *settings.get(name, []))

    def reached(name):
        assert foreground.processes[name].poll() is None, foreground.processes[name].communicate()[0]
        lines = [status for array in health for status in array.status if status.name.endswith(f'/{name}')]
        life = {'seen': name in probe.node.get_node_names(), 'active': any(map(diagnostics.is_active, lines))}
        return moment(foreground.processes[name], life)

    probe.wait_for(lambda: all(map(reached, names)), f'{moment.__name__} of {names}', 120.0)
    if moment is is_active:
        probe.wait_for(lambda: any(message.skeletons for message in people), 'somebody in view')
    foreground.press()
    codes, outputs = foreground.ended()
    said = '\n'.join(f'{name}: {output}' for name, output in outputs.items())
    assert codes == dict.fromkeys(names, 0), said  # a string: of other messages pytest shows the ends alone
    assert 'terminate called' not in said
    assert 'Traceback' not in said
    assert 'Fatal Python error' not in said
    left = set(names).intersection
    probe.wait_for(lambda: not left(probe.node.get_node_names()), 'the end of all nodes', SOON)
    if moment is is_active:
        probe.wait_for(lambda: people and not people[-1].skeletons, 'the word that nobody is here')
        for name in names:
            told = events[name]
            probe.wait_for(lambda: told and told[-1].goal_state.label == 'finalized', f'the end of {name}')  # noqa: B023


@pytest.mark.parametrize('moment', [listens_to_signals, has_rclpy, has_participant])
@pytest.mark.parametrize('name', ['listen', 'dialog_manager'])
def test_examples_end_as_cleanly(foreground, probe, name, moment):
    process = foreground.start(name, sys.executable, str(ROOT / f'examples/{name}.py'))
    probe.wait_for(lambda: moment(process, {'seen': name in probe.node.get_node_names()}), moment.__name__, 60.0)
    foreground.press()
    assert foreground.ended() == ({name: 0}, {name: ''})
    probe.wait_for(lambda: name not in probe.node.get_node_names(), 'the end of the node', SOON)


@pytest.fixture
def film(shared_data, tmp_path):
    from support import film

    return film.write(tmp_path / 'film.mp4', film.pictures(shared_data, 50), film.speech(shared_data, 2.0))


STUCK = textwrap.dedent("""
    import ctypes, sys, time
    from smern_ros.deploy import stop_signals
    from smern_ros.ros.main import run
    from smern_ros.ros.node import SmernNode

    class Stuck(SmernNode):
        NAME = 'stuck'

        def load(self):
            try:
                print('loading', flush=True)
                if 'load' in sys.argv:
                    time.sleep(600)
            except BaseException as error:
                if 'module' in sys.argv:
                    raise ImportError('initialization failed') from error
                raise

        def stop(self):
            print('stopping', flush=True)
            if 'locked' in sys.argv:
                stop_signals.CLOSE_TIMEOUT = 1.0
                ctypes.PyDLL(None).sleep(600)
            time.sleep(600)

    sys.exit(run(Stuck))
""")


@pytest.fixture
def stuck(tmp_path, foreground):
    """Starts a node that takes ten minutes to load, or to stop (perhaps without a chance for Python's code)."""
    script = tmp_path / 'stuck.py'
    script.write_text(STUCK)

    def start(*arguments):
        process = foreground.start('stuck', sys.executable, str(script), *arguments)
        while 'loading' not in process.stdout.readline():
            pass
        return process

    return start


def test_a_node_that_loads_for_long_does_not_wait_for_its_end(stuck, foreground):
    process = stuck('load')
    foreground.press()
    assert process.wait(60) == 0


def test_an_import_that_makes_an_error_of_its_own_of_the_end_is_no_error(stuck, foreground):
    """As modules in C do whose initialization imports others."""
    stuck('load', 'module')
    foreground.press()
    assert foreground.ended() == ({'stuck': 0}, {'stuck': ''})


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_a_node_as_well(stuck, number):
    process = stuck('load')
    process.send_signal(number)
    assert process.wait(60) == 0


def test_a_second_ctrl_c_ends_a_node_that_hangs(stuck, foreground, probe):
    process = stuck()
    while 'active' not in process.stdout.readline():
        pass
    foreground.press()
    while 'stopping' not in process.stdout.readline():
        pass
    foreground.press()  # as impatient as only a launch can be: the same press from the terminal and the parent
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_a_node_whose_middleware_hangs_at_its_end_ends_all_the_same(stuck):
    """Fast DDS may lock itself up below rclpy, which keeps Python's lock: no code of Python runs any more."""
    process = stuck('locked')
    while 'active' not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert 'stopping\n' in output and ', line ' in output  # and where it hung
