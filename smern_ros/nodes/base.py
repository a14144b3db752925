"""What every node needs, once: lifecycle, parameters, guarded callbacks, throttled errors, diagnostics, clean exit.

A node's own file reads like its page in the README: its parameters, its topics, one method a topic.
"""
from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import (
    LifecycleNode,
    LifecyclePublisher,
    LifecycleState,
    TransitionCallbackReturn,
)
from rclpy.parameter import Parameter as RosParameter
from rclpy.qos import QoSProfile

from smern_ros.nodes import diagnostics, qos, topics
from smern_ros.nodes.parameters import Parameter, declare
from smern_ros.nodes.throttle import Throttle
from smern_ros.nodes.worker import Worker

EXIT_OK, EXIT_CONFIGURATION = 0, 2
COMPLAIN_EVERY = 5.0
"""Seconds between two lines about the same trouble."""
LONGEST_LINE = 400
"""Characters told of a trouble: a message may hold a megabyte where a word should be."""


class ConfigurationError(Exception):
    """The node cannot start as it was told to: what is wrong and what to do."""


class Output:
    """A publisher that counts, and is silent once the node is shutting down."""

    def __init__(self, node: SmernNode, publisher: LifecyclePublisher, topic: str) -> None:
        self._node = node
        self._publisher = publisher
        self._topic = topic

    def publish(self, message: Any) -> None:
        if not self._node.active or not self._node.context.ok():
            return
        self._publisher.publish(message)
        self._node.health.sent(self._topic)

    @property
    def listeners(self) -> int:
        return self._publisher.get_subscription_count()


class SmernNode(LifecycleNode):
    """A managed node. Subclasses fill in `load`, `start`, `stop` and `unload`; what they raise fails the transition."""

    NAME: ClassVar[str]
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = ()
    COMMON_PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter('autostart', True, 'configure and activate at start; else a lifecycle manager does'),
    )

    def __init__(self, **kwargs: Any) -> None:
        """:param kwargs: as of rclpy's Node (context, parameter_overrides, namespace, ...)."""
        super().__init__(self.NAME, **kwargs)
        self.health = diagnostics.Health()
        self.active = False
        self.failure = ''
        self._complaints = Throttle(COMPLAIN_EVERY)
        self._undo: list[Callable[[], object]] = []  # frees what `load` made
        self._cancels: set[Callable[[], None]] = set()  # of timers that have not fired
        declare(self, (*self.COMMON_PARAMETERS, *self.PARAMETERS))
        self._diagnostics = self.create_publisher(diagnostics.DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # beats under simulated time that stands still, too
        self.create_timer(1.0, self._publish_diagnostics, clock=steady)
        self._steady = steady

    # --- what a node fills in ---------------------------------------------------------------------------------

    def load(self) -> None:
        """Configure: load models and make publishers and subscriptions.

        :raises ConfigurationError: if a file or parameter is wrong; other errors become one.
        """

    def start(self) -> None:
        """Activate: begin to process."""

    def stop(self) -> None:
        """Deactivate: release camera and microphone, close or forget what is half done. May still publish."""

    def unload(self) -> None:
        """Clean up: free the models."""

    # --- what a node uses -------------------------------------------------------------------------------------

    def value(self, name: str) -> Any:
        """A parameter's value."""
        return self.get_parameter(name).value

    def output(self, message_type: type, topic: str, profile: QoSProfile) -> Output:
        publisher = self.create_lifecycle_publisher(message_type, topic, profile)
        self._undo.append(lambda: self.destroy_lifecycle_publisher(publisher))
        return Output(self, publisher, topic)

    def listen(self, message_type: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile) -> None:
        """Subscribes. While the node is not active messages are ignored; what `callback` raises is said, no more."""

        def guarded(message: Any) -> None:
            if not self.active:
                return
            self.health.received(topic)
            try:
                callback(message)
            except Exception as error:
                self.complain(topic, error)

        subscription = self.create_subscription(message_type, topic, guarded, profile)
        self._undo.append(lambda: self.destroy_subscription(subscription))

    def serve(self, service_type: type, name: str, callback: Callable[[Any], str]) -> None:
        """Offers a service whose response has `success` and `message`; `callback` runs on the executor's thread.

        :param callback: takes the request and gives the message of a success; what it raises is that of a refusal.
        """

        def guarded(request: Any, response: Any) -> Any:
            try:
                if not self.active:
                    raise ValueError(f'{self.get_name()} is not active')
                response.message = callback(request)
                response.success = True
            except Exception as error:
                response.success, response.message = False, str(error)[:LONGEST_LINE]
                if not isinstance(error, ValueError):
                    self.complain(name, error)
            return response

        service = self.create_service(service_type, name, guarded)
        self._undo.append(lambda: self.destroy_service(service))

    def every(self, seconds: float, callback: Callable[[], None]) -> None:
        """A timer on the steady clock, running while the node is active."""

        def guarded() -> None:
            if not self.active:
                return
            try:
                callback()
            except Exception as error:
                self.complain(f'timer {callback.__name__}', error)

        timer = self.create_timer(seconds, guarded, clock=self._steady)
        self._undo.append(lambda: self.destroy_timer(timer))

    def after(self, seconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back once, on the executor's thread, after so long on the steady clock, if the node is active then.

        :return: a function that cancels it.
        """

        def once() -> None:
            cancel()
            if not self.active:
                return
            try:
                callback()
            except Exception as error:
                self.complain(f'timer {callback.__name__}', error)

        timer = self.create_timer(max(seconds, 1e-6), once, clock=self._steady)

        def cancel() -> None:
            if cancel in self._cancels:
                self._cancels.discard(cancel)
                timer.cancel()
                self.destroy_timer(timer)

        self._cancels.add(cancel)
        return cancel

    def post(self, callback: Callable[[], None]) -> None:
        """Calls back on the executor's thread: how a worker hands over what changes the node's state."""

        def guarded() -> None:
            try:
                callback()
            except Exception as error:
                self.complain(f'result {callback.__name__}', error)

        if self.executor is not None:
            self.executor.create_task(guarded)

    def worker(self, name: str, *, capacity: int) -> Worker:
        """A thread for heavy work, closed when the node is cleaned up."""
        worker = Worker(f'{self.NAME}.{name}', capacity=capacity, on_error=lambda error: self.complain(name, error))
        self._undo.append(worker.close)
        return worker

    def complain(self, subject: str, error: Exception | str) -> None:
        """Says that something was wrong, once and then at most every few seconds for the same kind of trouble."""
        text = str(error)
        text = f'{subject}: {text[:LONGEST_LINE]}' + (' ...' if len(text) > LONGEST_LINE else '')
        self.health.failed(text)
        unsaid = self._complaints.count(subject, text)
        if unsaid is None:
            return
        more = f' ({unsaid} more like it since the last line)' if unsaid else ''
        if isinstance(error, Exception) and not isinstance(error, ValueError):  # our fault, not the message's
            text += '\n' + ''.join(traceback.format_exception(error))
        self.get_logger().error(text + more)

    # --- lifecycle --------------------------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._transition(self.load, super().on_configure, state)
        if result != TransitionCallbackReturn.SUCCESS:
            with contextlib.suppress(Exception):  # half loaded, half freed: what there is must not be made twice
                self._free()
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._transition(self.start, super().on_activate, state)
        self.active = result == TransitionCallbackReturn.SUCCESS
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._transition(self.stop, super().on_deactivate, state)  # while it can still say its last
        self.active = False
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._transition(self._free, super().on_cleanup, state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._transition(self.close, super().on_shutdown, state)

    def close(self) -> None:
        """Stops and frees, from whatever state the node is in."""
        if self.active:
            self.stop()
            self.active = False
        self._free()

    def _free(self) -> None:
        for cancel in list(self._cancels):
            cancel()
        while self._undo:
            self._undo.pop()()
        self.unload()

    def _transition(self, step: Callable[[], None], rest: Callable, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            step()
        except Exception as error:
            if not self.context.ok():  # told to stop meanwhile: what is made without a context fails
                return TransitionCallbackReturn.FAILURE
            self.failure = str(error)
            self.health.failed(self.failure)
            unexpected = not isinstance(error, ConfigurationError | ValueError)
            detail = '\n' + traceback.format_exc() if unexpected else ''
            self.get_logger().fatal(f'cannot {step.__name__}: {error}{detail}')
            return TransitionCallbackReturn.FAILURE
        return rest(state)

    def _publish_diagnostics(self) -> None:
        if not self.context.ok():
            return
        status = self.health.report(self.get_fully_qualified_name(), self.active)
        self._diagnostics.publish(diagnostics.array(self.get_clock().now().to_msg(), status))


def run(node_class: type[SmernNode], args: list[str] | None = None) -> int:
    """The main function of every node.

    :return: 0 after a shutdown that was asked for (SIGINT, SIGTERM), 2 if the node could not be configured.
    """
    # Two spinning OpenMP threads on two busy cores are many times slower than one.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    try:
        rclpy.init(args=args)
    except Exception as error:
        print(f'{node_class.NAME}: wrong ROS arguments: {error}', file=sys.stderr)
        return EXIT_CONFIGURATION
    try:
        return _serve(node_class)
    except (KeyboardInterrupt, ExternalShutdownException):
        return EXIT_OK
    except Exception:
        if rclpy.ok():
            raise
        return EXIT_OK  # told to stop while it was starting: what is made without a context fails
    finally:
        rclpy.try_shutdown()


def _serve(node_class: type[SmernNode]) -> int:
    try:
        node = node_class()
    except ParameterException as error:
        rclpy.logging.get_logger(node_class.NAME).fatal(f'wrong parameter: {error}')
        return EXIT_CONFIGURATION
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        if node.get_parameter('autostart').type_ == RosParameter.Type.BOOL and node.value('autostart'):
            for transition in (node.trigger_configure, node.trigger_activate):
                if transition() != TransitionCallbackReturn.SUCCESS:
                    return EXIT_CONFIGURATION if rclpy.ok() else EXIT_OK
        executor.spin()
        return EXIT_OK
    finally:
        node.close()
        executor.shutdown(timeout_sec=0.5)
        node.destroy_node()
