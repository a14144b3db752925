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

__all__ = ['ConfigurationError', 'CountingPublisher', 'SmernNode']

JOB_WITHIN, LAST_JOB_WITHIN = 2.0, 0.5
"""s to wait for a worker's running job: before what it uses is freed; when the process ends."""
Item = TypeVar('Item')


class CountingPublisher:
    """A publisher that counts its messages for the diagnostics. Publishes only while the node is active."""

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
    def subscription_count(self) -> int:
        return self._publisher.get_subscription_count()


class SmernNode(ManagedNode):
    """A managed node. Subclasses implement `load`, `start`, `stop` and `unload`; an exception fails the transition."""

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

    # --- for subclasses to override --------------------------------------------------------------------------

    def check(self, values: dict[str, Any]) -> None:
        """Validate the combination of live parameters before those of a configured node change.

        :param values: all parameters of the node by name.
        :raises ValueError: if they are refused; the text is the reason given to the caller.
        """

    def reconfigure(self) -> None:
        """Called after live parameters changed: apply those that are not read by `value` at each use."""

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """All parameters that the node declares."""
        return (*cls.COMMON_PARAMETERS, *cls.PARAMETERS)

    # --- for subclasses to call ------------------------------------------------------------------------------

    def value(self, name: str) -> Any:
        """Value of a parameter; in a path, ~ is expanded.

        :raises ConfigurationError: if a path begins with ~ and the user has no home folder.
        """
        value = self.get_parameter(name).value
        if name in self._paths and value.startswith('~'):
            try:
                return str(paths.expand(value))
            except ValueError as error:
                raise ConfigurationError(f'{name}: {error}') from error
        return value

    def add_cleanup(self, free: Callable[[], object]) -> None:
        """Register a function called when the node is cleaned up, to free what `load` created."""
        self._cleanups.append(free)

    def add_publisher(self, message_type: type, topic: str, profile: QoSProfile) -> CountingPublisher:
        """Create a publisher, destroyed when the node is cleaned up."""
        publisher: LifecyclePublisher = self.create_lifecycle_publisher(message_type, topic, profile)
        self.add_cleanup(lambda: self.destroy_lifecycle_publisher(publisher))
        self.health.track_publisher(topic, publisher.get_subscription_count)
        return CountingPublisher(self, publisher, topic)

    def add_subscription(
        self, message_type: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile
    ) -> None:
        """Create a subscription. Exceptions of `callback` are logged. See `subscribe` about best effort.

        While the node is not active, messages are ignored; with a transient local profile the last ones, up to its
        depth, are kept and passed to `callback` on activation.
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

        def replay_kept() -> None:
            while kept_messages:
                guarded(kept_messages.popleft())

        self.health.track_subscription(topic)
        self.add_cleanup(subscribe(self, message_type, topic, guarded, profile))
        self._on_activated.append(replay_kept)

    def record_age(self, topic: str, message: Any) -> None:
        """Report the age of the stamp to the diagnostics: a large one means that a sensor uses another clock."""
        header, now_ns = getattr(message, 'header', None), self.get_clock().now().nanoseconds
        if header is not None and now_ns and (stamp_ns := to_ns(header.stamp)):  # 0 without /clock
            self.health.record_stamp_age(topic, (now_ns - stamp_ns) / SECOND)

    def add_service(self, service_type: type, name: str, callback: Callable[[Any], str]) -> None:
        """Create a service whose response has `success` and `message`.

        :param callback: gets the request and returns the message of a success, on the executor's thread; the text of
            what it raises is the message of a failure.
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

    def add_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        """Create a periodic timer on the steady clock; `callback` is called only while the node is active."""

        def guarded() -> None:
            if not self.active:
                return
            try:
                callback()
            except Exception as error:
                self.log_error(f'timer {callback.__name__}', error)

        timer = self.create_timer(seconds, guarded, clock=self.steady)
        self.add_cleanup(lambda: self.destroy_timer(timer))

    def call_later(
        self, seconds: float, callback: Callable[[], None], *, while_inactive: bool = False
    ) -> Callable[[], None]:
        """Call `callback` once, after `seconds` of the steady clock, on the executor's thread, if the node is active.

        :param while_inactive: call it also if the node is not active.
        :return: function that cancels the call.
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
        """Call `callback` on the executor's thread; a worker uses it to change the node's state."""

        def guarded() -> None:
            try:
                callback()
            except Exception as error:
                self.log_error(f'result {callback.__name__}', error)

        if self.executor is not None:
            self.executor.create_task(guarded)

    def each(self, subject: str, items: Iterable[Item], do: Callable[[Item], object]) -> None:
        """Call `do` with each item. What it raises is logged, and the next item follows."""
        for item in items:
            try:
                do(item)
            except Exception as error:
                self.log_error(subject, error)

    def publishers_of(self, topic: str) -> int:
        """Number of publishers of the topic, by its remapped name; rclpy's `count_publishers` does not remap."""
        return self.count_publishers(self.resolve_topic_name(topic))

    def worker(self, name: str, *, capacity: int, waiting: Callable[[], int] | None = None) -> Worker:
        """Start a thread for long computations, stopped when the node is cleaned up.

        :param waiting: number of waiting items for the diagnostics; None: the jobs in its queue.
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
