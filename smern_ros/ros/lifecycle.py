# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle of every node: what its transitions do, and what becomes of it when one fails."""
from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

from rclpy.clock import Clock, ClockType
from rclpy.exceptions import NameValidationException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from smern_ros.deploy import stop_signals
from smern_ros.ros import diagnostics, qos, topics
from smern_ros.ros.log_throttle import Throttle
from smern_ros.utils import malloc

ERROR_PERIOD = 5.0
"""Seconds between two lines about the same trouble."""
WARNING_PERIOD = 60.0
"""Seconds between two lines about what has not changed."""
MAX_MESSAGE_LENGTH = 400
"""Characters told of a trouble: a message may hold a megabyte where a word should be."""


class ConfigurationError(Exception):
    """The node cannot start as it was told to: what is wrong and what to do."""


class ManagedNode(LifecycleNode):
    """Says how it is once a second, and keeps its word to whoever manages it:

    what was refused (ConfigurationError, ValueError) leaves the node in the state in which it was; what broke releases
    and frees everything, and leaves it unconfigured.
    """

    NAME: ClassVar[str]

    def __init__(self, **kwargs: Any) -> None:
        """:param kwargs: as of rclpy's Node (context, parameter_overrides, namespace, ...)."""
        super().__init__(self.NAME, **kwargs)
        self.health = diagnostics.Health()
        self.active = False
        self.configured = False         # `load` has been done, and not undone
        self.ending = False             # with the process
        self.waits_for: list[str] = []  # names of the nodes that must be active before this one
        self._failure = ''              # of the last transition
        self._error_throttle, self._warning_throttle = Throttle(ERROR_PERIOD), Throttle(WARNING_PERIOD)
        self._cleanups: list[Callable[[], object]] = []  # frees what `load` made
        self._on_activated: list[Callable[[], None]] = []  # called on activation
        self._cancels: set[Callable[[], None]] = set()  # of timers that have not fired
        self._diagnostics = self.create_publisher(diagnostics.DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        self.steady = Clock(clock_type=ClockType.STEADY_TIME)  # beats under simulated time that stands still, too
        self.create_timer(1.0, self._publish_diagnostics, clock=self.steady)

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

    @property
    def state(self) -> str:
        """The lifecycle's: unconfigured, inactive, active, finalized."""
        return self._state_machine.current_state[1]

    def log_error(self, subject: str, error: Exception | str) -> None:
        """Says that something was wrong, once and then at most every few seconds for the same kind of trouble."""
        text = str(error)
        text = f'{subject}: {text[:MAX_MESSAGE_LENGTH]}' + (' ...' if len(text) > MAX_MESSAGE_LENGTH else '')
        self.health.failed(text)
        suppressed = self._error_throttle.count(subject, text)
        if suppressed is None:
            return
        more = f' ({suppressed} more since the last line)' if suppressed else ''
        if isinstance(error, Exception) and not isinstance(error, ValueError):  # our fault, not the message's
            text += '\n' + ''.join(traceback.format_exception(error))
        self.get_logger().error(text + more)

    # --- transitions ------------------------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._transition(self.load, super().on_configure, state)
        self.configured = result == TransitionCallbackReturn.SUCCESS
        if result == TransitionCallbackReturn.FAILURE:
            with contextlib.suppress(Exception):  # half loaded, half freed: what there is must not be made twice
                self._free()
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._transition(self.start, super().on_activate, state)
        self.active = result == TransitionCallbackReturn.SUCCESS
        if self.active:
            for callback in self._on_activated:
                callback()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._transition(self.stop, super().on_deactivate, state)  # while it can still say its last
        self.active = False
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._transition(self._free, super().on_cleanup, state)
        malloc.give_back()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._transition(self.close, super().on_shutdown, state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """A transition broke: all is released and freed, so that the node can be configured again.

        :param state: in which the transition began.
        :return: FAILURE if not all could be freed; then the node is finalized, and only a new process helps.
        """
        self.active = False
        if state.label != 'unconfigured':
            with contextlib.suppress(Exception):  # again, or for the first time: devices must not stay open
                self.stop()
        try:
            self._free()
        except Exception as error:
            self.log_error('error processing', error)
            return TransitionCallbackReturn.FAILURE
        finally:
            malloc.give_back()
        return super().on_error(state)

    def close(self) -> None:
        """Stops and frees, from whatever state the node is in."""
        try:
            if self.active:
                self.stop()
        finally:
            self.active = False
            self._free()

    def end(self) -> None:
        """The last transition, from whatever state the node is in: whoever manages it hears of it."""
        self.ending = True
        if self.context.ok() and self.state in ('unconfigured', 'inactive', 'active'):
            self.trigger_shutdown()
        else:  # in the middle of a transition, or over
            self.close()

    def destroy_node(self) -> None:
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()  # it holds the DDS participant

    def _free(self) -> None:
        self.configured = False
        steps = [*self._cancels, *reversed(self._cleanups), self.unload, self.health.unconfigured]
        self._cleanups.clear()
        self._on_activated.clear()
        first: Exception | None = None
        for step in steps:
            try:
                step()
            except Exception as error:  # the others are still to be freed
                first = first or error
        if first is not None:
            raise first

    def _transition(self, step: Callable[[], None], rest: Callable, state: LifecycleState) -> TransitionCallbackReturn:
        """:return: FAILURE if the node was told to do what it cannot, which leaves it as it was; ERROR if it broke."""
        self._failure = ''
        try:
            step()
        except Exception as error:
            begins = step in (self.load, self.start)
            # Told to stop meanwhile: what is made without a context fails, and so do imports that are left half done.
            if not self.context.ok() or (begins and stop_signals.requested()):
                return TransitionCallbackReturn.FAILURE
            self._failure = str(error) or type(error).__name__
            self.health.failed(self._failure)
            expected = isinstance(error, ConfigurationError | ValueError | NameValidationException)
            detail = '' if expected else '\n' + traceback.format_exc()
            self.get_logger().fatal(f'cannot {step.__name__.strip("_")}: {self._failure}{detail}')
            # What is not installed is not there at the next start either.
            refused = begins and (expected or isinstance(error, ImportError))
            return TransitionCallbackReturn.FAILURE if refused else TransitionCallbackReturn.ERROR
        return rest(state)

    def _publish_diagnostics(self) -> None:
        if not self.context.ok():
            return
        waiting = f', waiting for {", ".join(self.waits_for)}' if self.waits_for else ''
        status = self.health.report(
            self.get_fully_qualified_name(), self.state + waiting, failed=bool(self._failure)
        )
        for text in self.health.warnings:
            if self._warning_throttle.count('', text) is not None:
                self.get_logger().warning(text)
        self._diagnostics.publish(diagnostics.array(self.get_clock().now().to_msg(), status))
