# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Starts the graph: `ros2 launch smern_ros emotion.launch.py`, with --show-args for the arguments."""
from launch import LaunchDescription, Substitution
from launch.actions import DeclareLaunchArgument, EmitEvent, LogInfo, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from smern_ros.deploy import dds, graph, parameter_file
from smern_ros.deploy.supervisor import CANNOT_RUN
from smern_ros.utils.paths import expand

RESPAWN_DELAY = 0.2
"""s after which a node that broke is started again."""


class OnInThisPart(Substitution):
    """`true` if the node belongs to the part of the graph that runs on this computer."""

    def __init__(self, node: graph.GraphNode) -> None:
        super().__init__()
        self._node = node

    def describe(self) -> str:
        return ' or '.join(f'{part}: {graph.starts(self._node, part)}'.lower() for part in graph.PARTS)

    def perform(self, context) -> str:
        return str(graph.starts(self._node, LaunchConfiguration('part').perform(context))).lower()


def generate_launch_description() -> LaunchDescription:
    """One argument for what all nodes share, and one for each node of `smern_ros.deploy.graph`: whether it runs."""
    default_params = PathJoinSubstitution([FindPackageShare('smern_ros'), 'config', 'emotion.yaml'])
    arguments = [
        DeclareLaunchArgument('params_file', default_value=default_params,
                              description='YAML file with the parameters of the nodes'),
        DeclareLaunchArgument('checkpoint', default_value='',
                              description='networks of fusion: name of some that are shipped, or a folder; '
                                          'empty: as params_file says'),
        DeclareLaunchArgument('namespace', default_value='', description='put nodes and topics below this name'),
        DeclareLaunchArgument('log_level', default_value='info', choices=['debug', 'info', 'warn', 'error', 'fatal']),
        DeclareLaunchArgument('use_sim_time', default_value='false', choices=['true', 'false'],
                              description='true: follow /clock; false: as params_file says'),
        DeclareLaunchArgument('autostart', default_value='true', choices=['true', 'false'],
                              description='false: leave the nodes unconfigured, for a lifecycle manager; '
                                          'true: as params_file says'),
        DeclareLaunchArgument('part', default_value=graph.ALL, choices=list(graph.PARTS),
                              description='what of the graph runs on this computer'),
        DeclareLaunchArgument('dds', default_value='', choices=['', *dds.PROFILES],
                              description=f'Fast DDS profile; empty: what {dds.CHOICE} says, else {dds.DEFAULT}'),
        DeclareLaunchArgument('dds_peers', default_value='',
                              description=f'of {dds.MULTI_HOST}: the other computers, names or addresses, with commas '
                                          'between'),
        DeclareLaunchArgument('dds_interface', default_value='',
                              description=f'of {dds.MULTI_HOST}: network cards or own addresses; empty: those towards '
                                          'the peers'),
        *(
            DeclareLaunchArgument(n.name, default_value=OnInThisPart(n), choices=['true', 'false'],
                                  description=f'start the node: {n.purpose}')
            for n in graph.NODES
        ),
    ]
    return LaunchDescription([
        *arguments,
        SetEnvironmentVariable('OMP_WAIT_POLICY', 'PASSIVE'),
        OpaqueFunction(function=_choose_dds_profile),
        OpaqueFunction(function=_start_nodes),
    ])


def _choose_dds_profile(context):
    chosen, peers, interface = (
        LaunchConfiguration(name).perform(context) for name in ('dds', 'dds_peers', 'dds_interface')
    )
    environment = dds.environment(chosen, context.environment, peers=peers, interface=interface)
    return [SetEnvironmentVariable(*item) for item in environment.items()]


def _start_nodes(context):
    common = {'use_sim_time': True} if LaunchConfiguration('use_sim_time').perform(context) == 'true' else {}
    if LaunchConfiguration('autostart').perform(context) == 'false':
        common['autostart'] = False
    started = [n for n in graph.NODES if LaunchConfiguration(n.name).perform(context) == 'true']
    order = {n.name: graph.start_after(n, started) for n in started}
    own = {name: {'start_after': names} for name, names in order.items() if names}
    if checkpoint := LaunchConfiguration('checkpoint').perform(context):
        own.setdefault('fusion', {})['checkpoint'] = ParameterValue(checkpoint, value_type=str)
    part = LaunchConfiguration('part').perform(context)
    for name in graph.compressing(started, part):
        own.setdefault(name, {})['transport'] = 'compressed'
    if awaited := graph.awaited(started, part):
        own.setdefault(graph.SOURCE, {})['wait_for'] = awaited
    namespace = LaunchConfiguration('namespace').perform(context)
    params_file = expand(LaunchConfiguration('params_file').perform(context))
    around = '' if namespace.startswith('/') else context.launch_configurations.get('ros_namespace', '')
    parameter_file.require_for(params_file, graph.full_names(f'{around}/{namespace}'))
    return [
        Node(
            package='smern_ros',
            executable=n.executable,
            name=n.name,
            namespace=namespace,
            parameters=[str(params_file), {**common, **own.get(n.name, {})}],
            arguments=['--ros-args', '--enclave', n.enclave, '--log-level', LaunchConfiguration('log_level')],
            output='screen',
            emulate_tty=True,
            respawn=True,
            respawn_delay=RESPAWN_DELAY,
            on_exit=_ended,
            condition=IfCondition(LaunchConfiguration(n.name)),
        )
        for n in graph.NODES
    ]


def _ended(event, context):
    """Before a node that ended is started again: what `smern run` does with it."""
    node = graph.node(event.action.node_executable)
    if context.is_shutdown:
        return None
    if event.returncode in CANNOT_RUN and not node.optional:
        raise RuntimeError(f'{node.name} cannot run as it is configured (its error is above); stopping')
    if event.returncode in CANNOT_RUN:
        said = f'{node.name} cannot run as it is configured (its error is above); going on without it'
    elif event.returncode == 0 and node.optional:
        said = f'{node.name} has finished'
    else:
        return None
    return [LogInfo(msg=said), EmitEvent(event=ShutdownProcess(process_matcher=matches_action(event.action)))]
