# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the launch file would start, compared with the list of nodes and with what `smern run` starts.

`launch` and `launch_ros` are in no registry of Python packages: the modules here are fakes that keep what they are
given. They show what the file asks for, not that launch understands it: test_real_launch.py does, where it is there.
"""
from __future__ import annotations

import importlib.util
import itertools
import os
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from smern_ros.deploy import dds, graph, processes
from smern_ros.utils.resources import share

PARAMS = str(share('config', 'emotion.yaml'))


# --- fakes ----------------------------------------------------------------------------------------------------


class FakeSubstitution:
    def perform(self, context: FakeContext) -> str:
        raise NotImplementedError


class FakeConfiguration(FakeSubstitution):
    def __init__(self, name: str) -> None:
        self._name = name

    def perform(self, context):
        return context.arguments[self._name]  # a KeyError is an argument that was never declared


class FakePackageShare(FakeSubstitution):
    def __init__(self, package: str) -> None:
        self._package = package

    def perform(self, context):
        assert self._package == 'smern_ros'
        return str(share('config').parent)


class FakePathJoin(FakeSubstitution):
    def __init__(self, parts: list) -> None:
        self._parts = parts

    def perform(self, context):
        return '/'.join(text(part, context) for part in self._parts)


@dataclass
class FakeArgument:
    name: str
    default_value: Any
    description: str = ''
    choices: list[str] | None = None


@dataclass
class FakeSetVariable:
    name: str
    value: str


@dataclass
class FakeOpaqueFunction:
    function: Any


@dataclass
class FakeCondition:
    predicate: FakeSubstitution


@dataclass
class FakeNode:
    package: str
    executable: str
    name: str
    namespace: Any
    parameters: list
    arguments: list
    output: str
    emulate_tty: bool
    respawn: bool
    respawn_delay: float
    on_exit: Any
    condition: FakeCondition

    @property
    def node_executable(self) -> str:
        return self.executable


@dataclass
class FakeLogInfo:
    msg: str


@dataclass
class FakeEmitEvent:
    event: Any


@dataclass
class FakeShutdownProcess:
    process_matcher: Any


@dataclass
class FakeParameterValue:
    value: Any
    value_type: type


@dataclass
class FakeProcessExited:
    action: FakeNode
    returncode: int


@dataclass
class FakeContext:
    arguments: dict[str, str]
    environment: dict[str, str]
    is_shutdown: bool = False

    @property
    def launch_configurations(self) -> dict[str, str]:
        return self.arguments


@dataclass
class Launched:
    """What one `ros2 launch` would start."""

    context: FakeContext
    nodes: list[FakeNode] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.nodes]

    def text(self, value: Any) -> str:
        return text(value, self.context)

    def parameters(self, name: str) -> dict:
        """Of that node, beside those of the file."""
        (node,) = (node for node in self.nodes if node.name == name)
        assert node.parameters[0] == os.path.expanduser(self.context.arguments['params_file'])  # the first: ours win
        (own,) = node.parameters[1:]
        return own


def text(value: Any, context: FakeContext) -> str:
    return value.perform(context) if isinstance(value, FakeSubstitution) else value


FAKES = {
    'launch': {'LaunchDescription': list, 'Substitution': FakeSubstitution},
    'launch.actions': {'DeclareLaunchArgument': FakeArgument, 'OpaqueFunction': FakeOpaqueFunction,
                       'SetEnvironmentVariable': FakeSetVariable, 'LogInfo': FakeLogInfo, 'EmitEvent': FakeEmitEvent},
    'launch.conditions': {'IfCondition': FakeCondition},
    'launch.events': {'matches_action': lambda action: ('is', action)},
    'launch.events.process': {'ShutdownProcess': FakeShutdownProcess},
    'launch.substitutions': {'LaunchConfiguration': FakeConfiguration, 'PathJoinSubstitution': FakePathJoin},
    'launch_ros': {},
    'launch_ros.actions': {'Node': FakeNode},
    'launch_ros.parameter_descriptions': {'ParameterValue': FakeParameterValue},
    'launch_ros.substitutions': {'FindPackageShare': FakePackageShare},
}


@pytest.fixture
def description(monkeypatch) -> list:
    """The launch file's, made of fakes."""
    for name, content in FAKES.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location('emotion_launch', share('launch', 'emotion.launch.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_launch_description()


@pytest.fixture
def launch(description):
    """`ros2 launch` with these arguments: launch(fusion='false')."""
    def start(environment=None, **arguments) -> Launched:
        around = {name: arguments.pop(name) for name in ['ros_namespace'] if name in arguments}
        context = FakeContext(around, dict(environment or {}))
        pending = list(description)
        launched = Launched(context)
        while pending:
            match pending.pop(0):
                case FakeArgument() as argument:
                    value = arguments.pop(argument.name, None)
                    value = text(argument.default_value, context) if value is None else value
                    assert argument.choices is None or value in argument.choices
                    context.arguments[argument.name] = value
                case FakeSetVariable(name, value):
                    context.environment[name] = value
                case FakeOpaqueFunction(function):
                    pending = [*function(context), *pending]
                case FakeNode() as node:
                    if text(node.condition.predicate, context) == 'true':
                        launched.nodes.append(node)
        assert not arguments, f'the launch file has no argument {set(arguments)}'
        return launched

    return start


def own_parameters(child: processes.Child) -> dict:
    """That `smern run` gives one node beside the file's."""
    files = [child.command[i + 1] for i, word in enumerate(child.command) if word == '--params-file']
    own = {}
    for path in files[1:]:
        with open(path) as file:
            own |= yaml.safe_load(file).get(f'/{child.name}', {}).get('ros__parameters', {})
    return own


# --- claims ---------------------------------------------------------------------------------------------------


def test_by_default_it_starts_what_smern_run_starts_with_the_same_parameters(launch):
    launched = launch()
    children = processes.children(graph.select())
    assert launched.names == [child.name for child in children]
    for node, child in zip(launched.nodes, children, strict=True):
        assert (node.package, node.executable) == ('smern_ros', graph.node(child.name).executable)
        order = graph.start_after(graph.node(node.name), graph.select())
        assert launched.parameters(node.name) == own_parameters(child) == ({'start_after': order} if order else {})
        assert launched.text(node.namespace) == ''
        enclave = graph.node(node.name).enclave
        words = [launched.text(word) for word in node.arguments]
        assert words == ['--ros-args', '--enclave', enclave, '--log-level', 'info']
        assert child.command[child.command.index('--enclave') + 1] == enclave
        assert node.output == 'screen'
    assert launched.context.arguments['params_file'] == PARAMS


@pytest.mark.parametrize('part', graph.PARTS)
def test_every_set_of_nodes_is_that_of_smern_run_and_a_source_waits_for_those_that_are_there(launch, part, tmp_path):
    short = tmp_path / 'short.yaml'  # it is read again for each
    short.write_text('/**: {ros__parameters: {}}')
    for switches in itertools.product([True, False], repeat=len(graph.NODES)):
        chosen = {n.name: on for n, on in zip(graph.NODES, switches, strict=True)}
        launched = launch(part=part, params_file=str(short), **{name: str(on).lower() for name, on in chosen.items()})
        nodes = graph.select(chosen, part)
        assert launched.names == [n.name for n in nodes]
        for child in processes.children(nodes, part=part, params_file=short):
            assert launched.parameters(child.name) == own_parameters(child)


@pytest.mark.parametrize('part', graph.PARTS)
def test_a_part_of_the_graph_is_that_of_smern_run(launch, part):
    launched = launch(part=part)
    nodes = graph.select(part=part)
    assert launched.names == [n.name for n in nodes]
    for child in processes.children(nodes, part=part):
        assert launched.parameters(child.name) == own_parameters(child)


def test_a_node_is_off_or_on_by_default_as_the_list_says(description):
    defaults = {part.name: part for part in description if isinstance(part, FakeArgument)}
    for node in graph.NODES:
        argument = defaults[node.name]
        assert text(argument.default_value, FakeContext({'part': graph.ALL}, {})) == str(node.default).lower()
        assert argument.choices == ['true', 'false'] and node.purpose in argument.description


def test_the_checkpoint_goes_to_fusion_alone(launch):
    launched = launch(checkpoint='/models/a: b')
    given = {name: launched.parameters(name).get('checkpoint') for name in launched.names}
    as_text = FakeParameterValue('/models/a: b', value_type=str)  # launch would take it for YAML
    assert {name: checkpoint for name, checkpoint in given.items() if checkpoint} == {'fusion': as_text}


def test_simulated_time_goes_to_every_node_as_smern_run_gives_it(launch):
    launched = launch(use_sim_time='true', media_source='true')
    children = processes.children(graph.select({'media_source': True}), use_sim_time=True)
    for child in children:
        assert launched.parameters(child.name) == own_parameters(child)
        assert launched.parameters(child.name)['use_sim_time'] is True


def test_all_nodes_are_left_to_a_lifecycle_manager_as_smern_run_leaves_them(launch):
    launched = launch(autostart='false')
    for child in processes.children(graph.select(), autostart=False):
        assert launched.parameters(child.name) == own_parameters(child)
        assert launched.parameters(child.name)['autostart'] is False


def test_namespace_log_level_and_parameter_file_reach_every_node(launch, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'mine.yaml').write_text('/robot/fusion: {ros__parameters: {text_timeout: 1}}')
    launched = launch(namespace='robot', log_level='debug', params_file='~/mine.yaml')
    for node in launched.nodes:
        assert launched.text(node.namespace) == 'robot'
        assert launched.text(node.arguments[-1]) == 'debug'
        assert node.parameters[0] == str(tmp_path / 'mine.yaml')


def test_a_parameter_file_that_is_not_there_or_for_others_is_refused(launch, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no parameter file /no/such\.yaml'):
        launch(params_file='/no/such.yaml')
    (tmp_path / 'mine.yaml').write_text('/robot/fusion: {ros__parameters: {text_timeout: 1}}')
    with pytest.raises(ValueError, match=r'none of the nodes .*/fusion.*but for /robot/fusion'):
        launch(params_file=str(tmp_path / 'mine.yaml'))
    launch(params_file=str(tmp_path / 'mine.yaml'), ros_namespace='/robot')  # included in a group with that namespace


@pytest.fixture
def ended(launch):
    """What launch is told to do when a node has ended so."""
    def end(name, code, *, is_shutdown=False):
        launched = launch(**{n.name: 'true' for n in graph.NODES})
        launched.context.is_shutdown = is_shutdown
        (node,) = (node for node in launched.nodes if node.name == name)
        assert node.respawn
        return node.on_exit(FakeProcessExited(node, code), launched.context)

    return end


@pytest.mark.parametrize('name', [n.name for n in graph.NODES])
def test_a_node_that_broke_is_started_again_and_one_that_is_configured_wrongly_is_not_as_by_smern_run(ended, name):
    assert ended(name, 1) is None and ended(name, -9) is None
    assert ended(name, 2, is_shutdown=True) is None
    if graph.node(name).optional:
        for code, why in ((2, 'as it is configured'), (102, 'as it is configured'), (0, f'{name} has finished')):
            said, event = ended(name, code)
            assert why in said.msg
            assert event.event.process_matcher[1].name == name
    else:
        for code in (2, 102):
            with pytest.raises(RuntimeError, match=f'{name} cannot run as it is configured'):
                ended(name, code)
        assert ended(name, 0) is None


def test_its_log_levels_are_those_of_smern_run(description):
    (argument,) = (part for part in description if isinstance(part, FakeArgument) and part.name == 'log_level')
    assert argument.choices == list(processes.LOG_LEVELS)


@pytest.mark.parametrize('given', [{}, {dds.CHOICE: dds.NONE}, {dds.VARIABLE: '/mine.xml'}, {'ROS_DISTRO': 'jazzy'}])
@pytest.mark.parametrize('chosen', ['', *dds.PROFILES])
def test_the_environment_is_that_of_smern_run(launch, monkeypatch, chosen, given):
    for name in (dds.CHOICE, dds.VARIABLE, dds.OLD_VARIABLE, 'ROS_DISTRO'):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    network = {'dds_peers': '127.0.0.1', 'dds_interface': 'lo'} if chosen == dds.MULTI_HOST else {}
    if network and dds.VARIABLE in given:  # the user's own would win
        with pytest.raises(ValueError, match='unset it'):
            launch(given, dds=chosen, **network)
        return
    (child,) = processes.children([graph.node('fusion')], dds_profile=chosen or None, **network)
    changed = {k: v for k, v in launch(given, dds=chosen, **network).context.environment.items() if given.get(k) != v}
    by_run = {k: v for k, v in child.env.items() if given.get(k) != v}
    del by_run['PYTHONUNBUFFERED']  # launch unbuffers by a tty
    assert {k: content(v) for k, v in changed.items()} == {k: content(v) for k, v in by_run.items()}


def content(value: str) -> str:
    """Of the file that a variable names: each process writes one of its own."""
    return Path(value).read_text() if value.endswith('.xml') and Path(value).exists() else value
