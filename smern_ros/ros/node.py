# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base class of all nodes: parameters, publishers, guarded callbacks and services, timers, workers."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from rclpy.lifecycle import LifecyclePublisher
from rclpy.qos import DurabilityPolicy, QoSProfile

from smern_ros.ros.lifecycle import MAX_MESSAGE_LENGTH, ConfigurationError, ManagedNode
from smern_ros.ros.messages import to_ns
from smern_ros.ros.parameters import Parameter, declare
from smern_ros.ros.subscriptions import subscribe
from smern_ros.ros.worker import Worker
from smern_ros.utils import paths
from smern_ros.values import SECOND

__all__ = ['ConfigurationError', 'Output', 'SmernNode']

JOB_WITHIN, LAST_JOB_WITHIN = 2.0, 0.5
"""s that a worker's running job is waited for: before what it uses is freed; when the process ends."""
Item = TypeVar('Item')


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


class SmernNode(ManagedNode):
    """A managed node. Subclasses fill in `load`, `start`, `stop` and `unload`; what they raise fails the transition."""

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = ()
    COMMON_PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter('autostart', True, 'configure and activate at startup, without a lifecycle manager', fixed=True),
        Parameter('start_after', '', 'with autostart: nodes that must be active first, comma-separated; set by the '
                                     'launch file and smern run', fixed=True),
    )

    def __init__(self, **kwargs: Any) -> None:
        """:param kwargs: as of rclpy's Node (context, parameter_overrides, namespace, ...)."""
        super().__init__(**kwargs)
        self._paths = {p.name for p in self.PARAMETERS if p.path}
        declare(
            self, self.parameters(),
            configured=lambda: self.configured, check=self.check, changed=self._parameters_changed,
        )

    # --- what a node fills in ---------------------------------------------------------------------------------

    def check(self, values: dict[str, Any]) -> None:
        """Whether live parameters may have these values together, asked before a configured node's are changed.

        :param values: all parameters of the node by name.
        :raises ValueError: why not, for whoever wants to change them.
        """

    def reconfigure(self) -> None:
        """Live parameters were changed: take over those that are not read by `value` at each use."""

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """All that it declares."""
        return (*cls.COMMON_PARAMETERS, *cls.PARAMETERS)

    # --- what a node uses -------------------------------------------------------------------------------------

    def value(self, name: str) -> Any:
        """A parameter's value; a path with its home folder.

        :raises ConfigurationError: if a path begins with ~ and there is no home folder.
        """
        value = self.get_parameter(name).value
        if name in self._paths and value.startswith('~'):
            try:
                return str(paths.expand(value))
            except ValueError as error:
                raise ConfigurationError(f'{name}: {error}') from error
        return value

    def add_cleanup(self, free: Callable[[], object]) -> None:
        """Called when the node is cleaned up: frees what `load` made."""
        self._cleanups.append(free)

    def output(self, message_type: type, topic: str, profile: QoSProfile) -> Output:
        publisher: LifecyclePublisher = self.create_lifecycle_publisher(message_type, topic, profile)
        self.add_cleanup(lambda: self.destroy_lifecycle_publisher(publisher))
        self.health.track_publisher(topic, publisher.get_subscription_count)
        return Output(self, publisher, topic)

    def listen(self, message_type: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile) -> None:
        """Subscribes. What `callback` raises is said, no more. Best effort is reliable where all publishers are.

        While the node is not active messages are ignored, but for those of publishers that keep them for late comers:
        the last ones, as many as the profile is deep, are taken when it becomes active.
        """
        kept = profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        kept_messages: deque[Any] = deque(maxlen=profile.depth if kept else 0)

        def guarded(message: Any) -> None:
            if not self.active:
                kept_messages.append(message)
                return
            self.health.received(topic)
            self.record_age(topic, message)
            try:
                callback(message)
            except Exception as error:
                self.log_error(topic, error)

        def take_kept() -> None:
            while kept_messages:
                guarded(kept_messages.popleft())

        self.health.track_subscription(topic)
        self.add_cleanup(subscribe(self, message_type, topic, guarded, profile))
        self._on_activated.append(take_kept)

    def record_age(self, topic: str, message: Any) -> None:
        """Stamps far from now tell that a sensor goes by another clock."""
        header, now_ns = getattr(message, 'header', None), self.get_clock().now().nanoseconds
        if header is not None and now_ns and (stamp_ns := to_ns(header.stamp)):  # without a clock all is of the future
            self.health.record_stamp_age(topic, (now_ns - stamp_ns) / SECOND)

    def add_service(self, service_type: type, name: str, callback: Callable[[Any], str]) -> None:
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
                response.success, response.message = False, str(error)[:MAX_MESSAGE_LENGTH]
                if not isinstance(error, ValueError):
                    self.log_error(name, error)
            return response

        service = self.create_service(service_type, name, guarded)
        self.add_cleanup(lambda: self.destroy_service(service))

    def every(self, seconds: float, callback: Callable[[], None]) -> None:
        """A timer on the steady clock, running while the node is active."""

        def guarded() -> None:
            if not self.active:
                return
            try:
                callback()
            except Exception as error:
                self.log_error(f'timer {callback.__name__}', error)

        timer = self.create_timer(seconds, guarded, clock=self.steady)
        self.add_cleanup(lambda: self.destroy_timer(timer))

    def after(
        self, seconds: float, callback: Callable[[], None], *, while_inactive: bool = False
    ) -> Callable[[], None]:
        """Calls back once, on the executor's thread, after so long on the steady clock, if the node is active then.

        :param while_inactive: also if it is not active.
        :return: a function that cancels it.
        """

        def once() -> None:
            cancel()
            if not (self.active or while_inactive):
                return
            try:
                callback()
            except Exception as error:
                self.log_error(f'timer {callback.__name__}', error)

        timer = self.create_timer(max(seconds, 1e-6), once, clock=self.steady)

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
                self.log_error(f'result {callback.__name__}', error)

        if self.executor is not None:
            self.executor.create_task(guarded)

    def each(self, subject: str, items: Iterable[Item], do: Callable[[Item], object]) -> None:
        """Does it with each; what one of them raises is said, and the others have their turn all the same."""
        for item in items:
            try:
                do(item)
            except Exception as error:
                self.log_error(subject, error)

    def publishers_of(self, topic: str) -> int:
        """How many publish the topic, by its remapped name: rclpy's `count_publishers` does not remap."""
        return self.count_publishers(self.resolve_topic_name(topic))

    def worker(self, name: str, *, capacity: int, waiting: Callable[[], int] | None = None) -> Worker:
        """A thread for heavy work, closed when the node is cleaned up.

        :param waiting: tells diagnostics how many wait for it, if those are not its jobs.
        """
        worker = Worker(f'{self.NAME}.{name}', capacity=capacity, on_error=lambda error: self.log_error(name, error))
        self.add_cleanup(lambda: worker.close(LAST_JOB_WITHIN if self.ending else JOB_WITHIN))
        self.add_cleanup(self.health.watch(waiting or (lambda: worker.queued)))
        return worker

    def _parameters_changed(self) -> None:
        try:
            self.reconfigure()
        except Exception as error:
            self.log_error('parameters', error)
