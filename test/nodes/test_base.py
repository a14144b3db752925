"""What every node promises: states, refusals, errors that are said once, and a clean end."""
import textwrap

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState, GetState
from std_msgs.msg import String

from smern_ros.nodes import qos, topics

pytestmark = pytest.mark.ros

TOY = textwrap.dedent("""
    import sys
    from std_msgs.msg import String
    from smern_ros.nodes import qos
    from smern_ros.nodes.base import ConfigurationError, SmernNode, run
    from smern_ros.nodes.parameters import Parameter

    class Toy(SmernNode):
        NAME = 'toy'
        PARAMETERS = (
            Parameter('mode', 'good', 'what to do', choices=('good', 'bad')),
            Parameter('gain', 1.0, 'a factor', (0.0, 2.0), live=True),
        )

        def load(self):
            if self.value('mode') == 'bad':
                raise ConfigurationError('mode is bad; choose another')
            self.echo = self.output(String, 'echo', qos.EVIDENCE)
            self.listen(String, 'word', self.take, qos.EVIDENCE)

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
    ({'mode': 'ugly'}, "mode is 'ugly', but must be one of ('good', 'bad')"),
    ({'mode': 3}, "'mode'"),
    ({'mode': 'bad'}, 'mode is bad; choose another'),
])
def test_a_wrong_parameter_stops_the_node_and_says_why(start_toy, parameters, said):
    node = start_toy(parameters)
    assert node.wait() == 2
    assert said in node.output
    assert 'Traceback' not in node.output


def test_a_bad_message_is_said_once_and_loses_nothing_else(start_toy, probe):
    node = start_toy()
    words, heard = probe.publisher(String, 'word', qos.EVIDENCE), probe.collect(String, 'echo', qos.EVIDENCE)
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    probe.wait_for_listener(words)
    probe.wait_for_speaker('echo')
    for word in ['one', *['wrong'] * 20, 'two']:
        words.publish(String(data=word))
    probe.wait_for(lambda: [m.data for m in heard] == ['one', 'two'], 'the good words, in order')
    assert node.output.count('that word is wrong') == 1
    status = probe.wait_for(
        lambda: next((s for m in health for s in m.status if 'that word is wrong' in s.message), None), 'diagnostics'
    )
    assert {v.key: v.value for v in status.values}['errors'] == '20'
    assert node.stop() == 0


def test_a_lifecycle_manager_can_run_it_stop_it_and_run_it_again(start_toy, probe):
    start_toy({'autostart': False})
    change = probe.node.create_client(ChangeState, 'toy/change_state')
    ask = probe.node.create_client(GetState, 'toy/get_state')
    probe.wait_for(lambda: change.service_is_ready() and ask.service_is_ready(), 'the lifecycle services')

    def transition(number):
        request = ChangeState.Request()
        request.transition.id = number
        future = change.call_async(request)
        probe.wait_for(future.done, f'transition {number}')
        assert future.result().success

    def state():
        future = ask.call_async(GetState.Request())
        probe.wait_for(future.done, 'the state')
        return future.result().current_state.label

    configure, cleanup, activate, deactivate = 1, 2, 3, 4
    words, heard = probe.publisher(String, 'word', qos.EVIDENCE), probe.collect(String, 'echo', qos.EVIDENCE)
    assert state() == 'unconfigured'
    for round_ in ('first', 'second'):
        transition(configure)
        probe.wait_for_listener(words)
        transition(activate)
        words.publish(String(data=round_))
        probe.wait_for(lambda word=round_: heard and heard[-1].data == word, f'the {round_} echo')
        transition(deactivate)
        transition(cleanup)
        probe.wait_for(lambda: not words.get_subscription_count(), 'the subscription to be gone')
    assert state() == 'unconfigured'


def test_an_argument_that_ros_cannot_parse_is_a_wrong_configuration(start_toy, tmp_path):
    broken = tmp_path / 'broken.yaml'
    broken.write_text('toy: [unclosed')
    node = start_toy(arguments=['--params-file', str(broken)])
    assert node.wait() == 2
    assert str(broken) in node.output and 'Traceback' not in node.output
