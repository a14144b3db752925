# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every node promises: states, refusals, errors that are said once, and a clean end."""
import os
import textwrap
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.parameter import Parameter as RosParameter
from std_msgs.msg import String
from support.lifecycle import Manager

from smern_ros.deploy import dds
from smern_ros.ros import qos, topics

pytestmark = pytest.mark.ros

TOY = textwrap.dedent("""
    import sys
    from std_msgs.msg import String
    from smern_ros.ros import qos
    from smern_ros.ros.main import run
    from smern_ros.ros.node import ConfigurationError, SmernNode
    from smern_ros.ros.parameters import Parameter

    class Toy(SmernNode):
        NAME = 'toy'
        PARAMETERS = (
            Parameter('mode', 'good', 'what to do', choices=('good', 'bad')),
            Parameter('gain', 1.0, 'a factor', (0.0, 2.0), live=True),
            Parameter('breaks', '', 'the transition that breaks', live=True),
            Parameter('word', '', 'any word'),
            Parameter('folder', '', 'any folder', path=True),
        )

        def load(self):
            self.may_break('load')
            if self.value('mode') == 'bad':
                raise ConfigurationError('mode is bad; choose another')
            if self.value('breaks') == 'import':
                import not_there
            if self.value('breaks') == 'name':
                self.add_publisher(String, 'no topic!', qos.EVIDENCE)
            told = 'gain {gain}, word {word!r}, folder {folder!r}'
            self.get_logger().info(told.format(**{name: self.value(name) for name in ('gain', 'word', 'folder')}))
            self.echo = self.add_publisher(String, 'echo', qos.EVIDENCE)
            self.add_subscription(String, 'word', self.take, qos.EVIDENCE)

        def start(self):
            if self.value('breaks') == 'refuse':
                raise ConfigurationError('there is no camera; plug one in')
            self.may_break('start')

        def stop(self):
            self.may_break('stop')

        def unload(self):
            self.may_break('unload')

        def may_break(self, step):
            if self.value('breaks') == step:
                raise RuntimeError(f'{step} broke')

        def take(self, message):
            if message.data == 'wrong':
                raise ValueError('that word is wrong')
            self.echo.publish(message)

    sys.exit(run(Toy))
""")


@pytest.fixture
def start_toy(tmp_path, start_node):
    """Starts the toy node as a process."""
    script = tmp_path / 'toy.py'
    script.write_text(TOY)
    return lambda parameters=None, **kwargs: start_node(script, parameters, **kwargs)


@pytest.mark.parametrize(('parameters', 'said'), [
    ({'gain': 3.0}, 'out of range'),
    ({'mode': 'ugly'}, "mode is 'ugly'; expected one of ('good', 'bad')"),
    ({'mode': 3}, "mode is '3'; expected one of ('good', 'bad')"),
    ({'gain': 'much'}, "gain: 'much' is not a number"),
    ({'start_after': 'a-b'}, "'a-b/"),
    ({'breaks': 'import'}, "No module named 'not_there'"),
    ({'breaks': 'name'}, 'must not contain characters'),
    ({'mode': 'bad'}, 'mode is bad; choose another'),
])
def test_a_wrong_parameter_stops_the_node_and_says_why(start_toy, parameters, said):
    node = start_toy(parameters)
    assert node.wait() == 2
    assert said in node.output
    assert 'Traceback' not in node.output or parameters == {'breaks': 'import'}


def test_values_are_taken_as_the_declared_types(start_toy, probe, tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('toy: {ros__parameters: {gain: 2, folder: ~/x}}')
    node = start_toy(arguments=['--params-file', str(file), '-p', 'word:=no'])
    probe.wait_for(lambda: node.said('active'), 'the toy')
    assert f"gain 2.0, word 'no', folder '{os.path.expanduser('~/x')}'" in node.output
    whole = RosParameter('gain', value=1).to_parameter_msg()  # as ros2 param set toy gain 1
    (result,) = probe.call(SetParameters, 'toy/set_parameters', parameters=[whole]).results
    assert result.successful, result.reason
    (value,) = probe.call(GetParameters, 'toy/get_parameters', names=['gain']).values
    assert (value.type, value.double_value) == (ParameterType.PARAMETER_DOUBLE, 1.0)


def test_who_is_waited_for_may_have_another_name_and_namespace(start_toy, probe):
    node = start_toy({'start_after': 'fusion'}, arguments=['-r', 'fusion/get_state:=/robot1/mind/get_state'])
    probe.wait_for(lambda: node.said('waiting for fusion'), 'it to wait', 60.0)
    start_toy(arguments=['-r', '__node:=mind', '-r', '__ns:=/robot1'])
    probe.wait_for(lambda: node.said('active'), 'it to find the other', 60.0)


def test_a_bad_message_is_said_once_and_loses_nothing_else(start_toy, probe):
    node = start_toy()
    words, heard = probe.publisher(String, 'word', qos.EVIDENCE), probe.collect(String, 'echo', qos.EVIDENCE)
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    probe.wait_for_listener(words)
    probe.wait_for_speaker('echo')
    probe.wait_for_node('toy')
    for word in ['one', *['wrong'] * 20, 'two']:
        words.publish(String(data=word))
    probe.wait_for(lambda: [m.data for m in heard] == ['one', 'two'], 'the good words, in order')
    probe.wait_for(lambda: node.said('that word is wrong'), 'what was wrong')
    assert node.output.count('that word is wrong') == 1
    status = probe.wait_for(
        lambda: next((s for m in health for s in m.status if 'that word is wrong' in s.message), None), 'diagnostics'
    )
    assert {v.key: v.value for v in status.values}['errors'] == '20'
    assert node.stop() == 0


def test_a_lifecycle_manager_can_run_it_stop_it_and_run_it_again(start_toy, probe):
    start_toy({'autostart': False})
    toy = Manager(probe, 'toy')

    def state():
        return probe.call(GetState, 'toy/get_state').current_state.label

    words, heard = probe.publisher(String, 'word', qos.EVIDENCE), probe.collect(String, 'echo', qos.EVIDENCE)
    assert state() == 'unconfigured'
    for round_ in ('first', 'second'):
        toy.configure()
        probe.wait_for_listener(words)
        toy.activate()
        words.publish(String(data=round_))
        probe.wait_for(lambda word=round_: heard and heard[-1].data == word, f'the {round_} echo')
        toy.deactivate()
        toy.cleanup()
        probe.wait_for(lambda: not words.get_subscription_count(), 'the subscription to be gone')
    assert state() == 'unconfigured'


class Toy:
    """The toy node under a lifecycle manager."""

    def __init__(self, probe):
        self.probe = probe
        self.health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        self.words = probe.publisher(String, 'word', qos.EVIDENCE)

    def transition(self, number) -> bool:
        return self.probe.call(ChangeState, 'toy/change_state', transition=Transition(id=number)).success

    @property
    def state(self) -> str:
        return self.probe.call(GetState, 'toy/get_state').current_state.label

    def set(self, **values):
        messages = [RosParameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        answer = self.probe.call(SetParameters, 'toy/set_parameters', parameters=messages)
        assert all(result.successful for result in answer.results), answer.results

    def wait_for_status(self, *, level, said):
        self.probe.wait_for(
            lambda: self.health and self.health[-1].status[0].level == level
            and said in self.health[-1].status[0].message, f'{said!r} in diagnostics',
        )


CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = 1, 2, 3, 4


def test_what_is_refused_leaves_the_node_as_it_was_and_what_breaks_frees_everything(start_toy, probe):
    node = start_toy({'autostart': False})
    toy = Toy(probe)
    toy.set(mode='bad')
    assert not toy.transition(CONFIGURE) and toy.state == 'unconfigured'
    toy.wait_for_status(level=DiagnosticStatus.ERROR, said='mode is bad; choose another')
    toy.set(mode='good', breaks='refuse')
    assert toy.transition(CONFIGURE)
    assert not toy.transition(ACTIVATE) and toy.state == 'inactive'
    toy.wait_for_status(level=DiagnosticStatus.ERROR, said='there is no camera; plug one in')
    toy.set(breaks='')
    assert toy.transition(ACTIVATE) and toy.state == 'active'

    # Each of these breaks in its own way; nothing of the node is left, and it can be configured again.
    ways = {'load': [CONFIGURE], 'start': [CONFIGURE, ACTIVATE], 'stop': [CONFIGURE, ACTIVATE, DEACTIVATE]}
    assert toy.transition(DEACTIVATE) and toy.transition(CLEANUP)
    for step, (*before, breaking) in ways.items():
        for number in before:
            assert toy.transition(number)
        toy.set(breaks=step)
        assert not toy.transition(breaking)
        assert toy.state == 'unconfigured', step
        toy.wait_for_status(level=DiagnosticStatus.ERROR, said=f'{step} broke')
        probe.wait_for(lambda: not toy.words.get_subscription_count(), f'the subscription to be gone after {step}')
        toy.set(breaks='')
    assert toy.transition(CONFIGURE)
    toy.set(breaks='unload')
    assert not toy.transition(CLEANUP) and toy.state == 'finalized'  # what cannot be freed twice is beyond help
    assert node.alive


@pytest.mark.parametrize(('breaks', 'code'), [('load', 1), ('start', 1), ('refuse', 2)])
def test_what_breaks_at_the_start_may_be_started_again_and_what_is_refused_may_not(start_toy, breaks, code):
    assert start_toy({'breaks': breaks}).wait() == code


def test_it_becomes_active_after_those_it_gives_to_and_tells_whom_it_waits_for(start_toy, probe):
    toy = Toy(probe)
    start_toy({'start_after': 'listener, other'})
    toy.wait_for_status(level=DiagnosticStatus.OK, said='inactive, waiting for listener, other')
    start_toy(arguments=['-r', '__node:=listener'])
    other = start_toy({'autostart': False}, arguments=['-r', '__node:=other'])
    assert probe.call(ChangeState, 'other/change_state', transition=Transition(id=CONFIGURE)).success
    probe.wait_for(lambda: probe.call(GetState, 'listener/get_state').current_state.label == 'active', 'the listener')
    assert toy.state == 'inactive'
    assert probe.call(ChangeState, 'other/change_state', transition=Transition(id=ACTIVATE)).success
    probe.wait_for(lambda: toy.state == 'active', 'the toy')
    assert other.alive


def test_an_argument_that_ros_cannot_parse_is_a_wrong_configuration(start_toy, tmp_path):
    broken = tmp_path / 'broken.yaml'
    broken.write_text('toy: [unclosed')
    node = start_toy(arguments=['--params-file', str(broken)])
    assert node.wait() == 2
    assert str(broken) in node.output and 'Traceback' not in node.output


def without_default(profile, tmp_path):
    """It is read, but no participant takes it."""
    path = tmp_path / 'mine.xml'
    path.write_text(Path(profile).read_text().replace('is_default_profile="true"', ''))
    return path


@pytest.mark.parametrize(('make', 'said'), [
    (without_default, 'is not in force: it allows 127.0.0.1, but sockets are bound to 0.0.0.0'),
    (lambda profile, tmp_path: tmp_path / 'none.xml', 'none.xml, which is not there'),
    (lambda profile, tmp_path: __file__, 'cannot be read as XML'),
])
def test_a_profile_that_does_not_keep_the_node_on_this_computer_is_told(
    start_toy, probe, tmp_path, monkeypatch, make, said
):
    profile = os.environ[dds.VARIABLE]
    monkeypatch.setenv(dds.RANGE, 'SUBNET')
    monkeypatch.setenv(dds.VARIABLE, str(make(profile, tmp_path)))
    node = start_toy()
    probe.wait_for(lambda: node.said('active'), 'the toy')
    assert said in node.output and '[ERROR]' in node.output


@pytest.mark.parametrize('profile', [dds.LOCAL, dds.MULTI_HOST])
def test_nothing_is_told_of_ours(start_toy, probe, monkeypatch, profile):
    peers = '127.0.0.1' if profile == dds.MULTI_HOST else ''
    for name, value in ({dds.RANGE: 'SUBNET'} | dds.environment(profile, {}, peers=peers)).items():
        monkeypatch.setenv(name, value)
    node = start_toy()
    probe.wait_for(lambda: node.said('active'), 'the toy')
    assert 'network' not in node.output
