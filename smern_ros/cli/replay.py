# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern replay`: a recording into the graph again, and whether the graph says the same of it."""
from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from smern_ros.bag.errors import BagError
from smern_ros.cli import graph_options
from smern_ros.cli.progress import StatusLine
from smern_ros.deploy import dds, dds_in_force, graph, stop_signals
from smern_ros.deploy.processes import Override, children
from smern_ros.deploy.supervisor import EXIT_CONFIGURATION, Supervisor
from smern_ros.utils.paths import expand

if TYPE_CHECKING:
    from smern_ros.bag.replay import ReplayNode, ReplayOptions
    from smern_ros.bag.states import RunStates

EXIT_DONE, EXIT_DIFFERS = 0, 1
QUIET_FOR, LAST_STATE_WITHIN = 2.0, 30.0
"""s after the end of the bag: without output of the graph, after which the run is complete; at most."""
READY_WITHIN = 120.0
"""s to wait for a graph started here, which loads its models."""
EXACT = (
    Override('pose_estimation', 'drop_frames', 'false'),
    Override('skeleton_filter', 'late_frame_wait', '10.0'),
    Override('fusion', 'skeleton_timeout', '10.0'),
    Override('fusion', 'text_timeout', '30.0'),
)
"""Parameters with which no evidence is late and no frame is skipped, since nobody waits for the results."""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'replay',
        help='replay a bag into the graph',
        description='Play the camera and the sound of a bag into the running graph, or into one that is started here, '
        'not faster than the graph can follow, with the recorded stamps. BAG is a folder or file that smern record or '
        'ros2 bag wrote (MCAP or sqlite3). The recorded output of the nodes is not played.',
    )
    parser.add_argument('bag', type=expand, metavar='BAG')
    parser.add_argument('--rate', type=float, default=1.0, metavar='R',
                        help='1 for the recorded speed, 2 twice as fast, 0 as fast as the graph can follow; '
                             'default: %(default)g')
    parser.add_argument('--clock', action='store_true', help='publish /clock, for nodes with use_sim_time')
    parser.add_argument('--compare', action='store_true',
                        help='print a table of the final states beside the recorded ones; exit code 1 if not equal')
    parser.add_argument('--wait-for', metavar='NODE,...', help='nodes that must be active before the start; default: '
                        'all from camera and audio to states')
    parser.add_argument('--wait', type=float, metavar='S',
                        help='longest time to wait for them; default: 60, with --run 120')
    names = parser.add_argument_group('topics of the bag', 'Needed where their names differ from those of the graph.')
    names.add_argument('--image', default='', metavar='TOPIC', help='the camera, raw or compressed')
    names.add_argument('--audio', default='', metavar='TOPIC', help='audio (smern_ros/msg/AudioChunk)')
    names.add_argument('--robot-speaking', default='', metavar='TOPIC',
                       help='mutes the audio while the robot speaks (std_msgs/msg/Bool)')
    started = parser.add_argument_group('graph for this replay')
    started.add_argument('--run', action='store_true', dest='start',
                         help='start the graph for this replay, with simulated time, and stop it at the end')
    graph_options.add_domain_option(started)
    graph_options.add_start_options(started)
    graph_options.add_network_options(parser)


def run(args: argparse.Namespace) -> int:
    """:return: 0 if all was played and, with --compare, the states are equal; 1 if not; 2 if it cannot be played."""
    try:
        plan, overrides = _prepare(args)
        from smern_ros.bag import replay

        before = replay.recorded(plan) if args.compare else None
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        with ExitStack() as stack:
            supervisor = stack.enter_context(_graph(args, plan, overrides)) if args.start else None
            node = stack.enter_context(_ReplayRunner(plan, args.namespace))
            refused = _play(node, supervisor, stop)
            states, problem = node.replay.states, node.replay.problem
            nothing = not node.replay.sent
    except (BagError, ValueError, FileNotFoundError, ImportError) as error:
        refused = str(error)
    if refused:
        print(f'smern replay: {refused}', file=sys.stderr)
        return EXIT_CONFIGURATION
    same = before is None or _print_comparison(before, states)
    if problem:
        print(f'smern replay: {problem}; the readable messages were played', file=sys.stderr)
    if nothing:
        print('smern replay: no message was played', file=sys.stderr)
    return EXIT_DONE if same and not problem and not nothing else EXIT_DIFFERS


def _prepare(args: argparse.Namespace) -> tuple[ReplayOptions, list[Override]]:
    """Options of the replay, and parameters of a graph started for it. Sets the environment of DDS.

    :raises BagError, ValueError: if it cannot be played, or the arguments contradict each other.
    """
    os.environ.update(dds.environment(args.dds))
    if args.start:
        os.environ['ROS_DOMAIN_ID'] = str(dds.free_domain() if args.domain is None else args.domain)
    elif args.domain is not None or args.checkpoint or args.overrides:
        raise ValueError('--domain, --checkpoint and --set need --run: they apply to a graph started here')
    if not 0 <= args.rate < math.inf:
        raise ValueError(f'--rate is {args.rate:g}; give 0 or more')
    from smern_ros.bag import input_topics, replay  # after setting the environment: they load DDS
    from smern_ros.bag.reader import BagReader

    bag = BagReader(args.bag)
    plan = replay.ReplayOptions(
        bag=bag,
        inputs=input_topics.find(bag, image=args.image, audio=args.audio, robot_speaking=args.robot_speaking),
        rate=args.rate, clock=args.clock or args.start,
        wait_for=replay.GRAPH_NODES if args.wait_for is None else [n for n in args.wait_for.split(',') if n],
        wait=args.wait if args.wait is not None else READY_WITHIN if args.start else 60.0,
    )
    for note in bag.notes:
        print(f'smern replay: {note}', file=sys.stderr)
    return plan, [*EXACT, *graph_options.overrides(args)]


def _graph(args: argparse.Namespace, plan: ReplayOptions, overrides: list[Override]) -> Supervisor:
    """:raises ValueError, FileNotFoundError: if the options or files are wrong."""
    from smern_ros.ros import topics

    published = {stream.topic for stream in plan.inputs.values()}
    if topics.IMAGE_COMPRESSED in published and topics.IMAGE not in published:
        overrides.insert(0, Override.text('pose_estimation', 'transport', 'compressed'))
    print(f'starting the graph in ROS domain {os.environ["ROS_DOMAIN_ID"]}', flush=True)
    return Supervisor(children(
        graph.select(), overrides=overrides, namespace=args.namespace, log_level='warn', use_sim_time=True,
        dds_profile=args.dds,
    ))


class _ReplayRunner:
    """The replay node, spun by this thread; a context manager."""

    def __init__(self, plan: ReplayOptions, namespace: str) -> None:
        import rclpy
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor

        from smern_ros.bag.replay import ReplayNode

        self._context = Context()
        rclpy.init(context=self._context)
        self.replay: ReplayNode = ReplayNode(plan, context=self._context, namespace=namespace.strip('/'))
        if wrong := dds_in_force.problem(rclpy.get_rmw_implementation_identifier()):
            self.replay.get_logger().error(wrong)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.replay)

    def __enter__(self) -> _ReplayRunner:
        from rclpy.lifecycle import TransitionCallbackReturn

        for transition in (self.replay.trigger_configure, self.replay.trigger_activate):
            if transition() != TransitionCallbackReturn.SUCCESS:
                raise ValueError('the replay node cannot start (its error is above)')
        return self

    def spin_once(self) -> None:
        self._executor.spin_once(timeout_sec=0.1)

    def __exit__(self, *_: object) -> None:
        import rclpy

        self.replay.close()
        self._executor.shutdown(timeout_sec=1.0)
        with stop_signals.closing():
            self.replay.destroy_node()
            rclpy.try_shutdown(context=self._context)


def _play(node: _ReplayRunner, supervisor: Supervisor | None, stop: threading.Event) -> str:
    """Play to the end or until `stop` is set. :return: why the bag cannot be played, else empty."""
    line, replay = StatusLine(), node.replay

    def over() -> bool:
        return stop.is_set() or bool(replay.refused) or (supervisor is not None and supervisor.wait(0) is not None)

    while not replay.finished and not over():
        node.spin_once()
        if line.terminal:
            line.show(f'{replay.sent} messages played, {len(replay.states.finals)} final states')
    deadline = time.monotonic() + LAST_STATE_WITHIN
    while not over() and time.monotonic() < deadline and time.monotonic() - replay.last_output_at < QUIET_FOR:
        node.spin_once()
    line.end()
    print(f'{replay.sent} messages played, {len(replay.states.finals)} final states', flush=True)
    if supervisor is not None and supervisor.wait(0) == EXIT_CONFIGURATION:
        return 'the graph cannot run (its error is above)'
    return replay.refused


def _print_comparison(before: RunStates, after: RunStates) -> bool:
    from smern_ros.bag import states

    rows = states.compare(before, after)
    print('\n'.join(states.table(rows)))
    return bool(rows) and all(row.same for row in rows)
