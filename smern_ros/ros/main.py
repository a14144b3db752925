# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The main function of every node."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable

import rclpy
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter as RosParameter
from rclpy.signals import SignalHandlerOptions

from smern_ros.deploy import dds, dds_in_force, ros_arguments, shared_memory, stop_signals
from smern_ros.ros import executor
from smern_ros.ros.autostart import configure_and_activate
from smern_ros.ros.node import SmernNode

EXIT_OK, EXIT_BROKEN, EXIT_CONFIGURATION = 0, 1, 2


def run(node_class: type[SmernNode], args: list[str] | None = None) -> int:
    """Creates a node, configures and activates it if `autostart` is true, and spins until SIGINT or SIGTERM.

    :return: 0 after a requested shutdown; 2 for a wrong parameter or argument; 1 if the start failed for another
        reason, so that a restart may help.
    """
    # Two spinning OpenMP threads on two busy cores are many times slower than one.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    try:
        os.environ.update(dds.environment())  # for a node that is not started by `smern run`
    except ValueError as error:
        print(f'{node_class.NAME}: {error}', file=sys.stderr)
        return EXIT_CONFIGURATION
    shared_memory.sweep()  # of an earlier process of this node that was killed
    stop = stop_signals.begin()
    try:
        declared = {p.name: type(p.default) for p in node_class.parameters()}
        with ros_arguments.typed(sys.argv if args is None else args, node_class.NAME, declared) as words:
            rclpy.init(args=words, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:
        print(f'{node_class.NAME}: invalid ROS arguments: {error}', file=sys.stderr)
        return EXIT_CONFIGURATION
    stop.close_first()  # a DDS participant that is not closed stays in the graph for 20 s
    try:
        return _spin(node_class, stop)
    except (stop_signals.Interrupted, ExternalShutdownException):
        return EXIT_OK
    except NameValidationException as error:
        print(f'{node_class.NAME}: {error}', file=sys.stderr)
        return EXIT_CONFIGURATION
    except Exception:
        if rclpy.ok() and not stop.requested:
            raise
        return EXIT_OK  # stopped during the start
    finally:
        with stop_signals.closing():
            rclpy.try_shutdown()


def _spin(node_class: type[SmernNode], stop: stop_signals.Stop) -> int:
    try:
        node = node_class()
    except ParameterException as error:
        rclpy.logging.get_logger(node_class.NAME).fatal(f'invalid parameter: {error}')
        return EXIT_CONFIGURATION
    if wrong := dds_in_force.problem(rclpy.get_rmw_implementation_identifier()):
        node.log_error('network', wrong)
    node_executor = executor.create()
    stop.listen()  # some releases of the events executor take the signals for themselves
    stop.close_first(lambda: node_executor.create_task(lambda: None))
    node_executor.add_node(node)

    def spin_until(condition: Callable[[], bool]) -> None:
        while rclpy.ok() and not stop.requested and not condition():
            node_executor.spin_once(timeout_sec=0.5)

    try:
        autostart = node.get_parameter('autostart').type_ == RosParameter.Type.BOOL and node.value('autostart')
        if autostart:
            result = configure_and_activate(node, spin_until, loading=stop.interrupting)
            if rclpy.ok() and not stop.requested and result != TransitionCallbackReturn.SUCCESS:
                return EXIT_CONFIGURATION if result == TransitionCallbackReturn.FAILURE else EXIT_BROKEN
        spin_until(lambda: False)
        return EXIT_OK
    finally:
        with stop_signals.closing():
            node.end()
            node_executor.shutdown(timeout_sec=0.5)
            node.destroy_node()
