# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and other signals that ask a process to end, as something that it asks for when it is ready to. Needs no ROS.

Python's own answer to SIGINT is an exception wherever the main thread happens to be. In a callback below C++, such as
those of rclpy's events executor, that aborts the process; and rclpy's answer, to invalidate the context, leaves a node
without the means to say goodbye. Import this first: what is imported next may take seconds.
"""
from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECOND_SIGNAL_AFTER = 1.0
"""s after the first signal from which a SIGINT is a second Ctrl-C: one may arrive from the terminal and the parent."""
CLOSE_TIMEOUT = 8.0
"""s after which a process that hangs while it closes its node is ended; `ros2 launch` would kill it after 10."""
EXIT_OK, EXIT_INTERRUPTED = 0, 130


class Interrupted(BaseException):
    """The process is to end. No Exception: nobody who carries on after errors shall carry on after this."""


class Stop:
    """The handler of the signals. Create it in the main thread.

    Until `close_first` is called a signal ends the process at once, with exit code 0: nothing is open. From then on
    `requested` becomes true, and whoever runs the process closes it. Ctrl-C a second later ends it in any case.
    """

    def __init__(self) -> None:
        self.requested = False
        self._requested_at = 0.0
        self._closes_first = self._interruptible = False
        self._wake: Callable[[], object] = lambda: None
        # Python runs handlers between two steps of the main thread only; the byte in the pipe comes at once.
        ours, its = os.pipe()
        os.set_blocking(its, False)
        signal.set_wakeup_fd(its, warn_on_full_buffer=False)
        self.listen()
        threading.Thread(target=self._read, args=(ours,), name='stopping', daemon=True).start()

    def listen(self) -> None:
        """Takes the signals (again, after a library that took them for itself)."""
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._handle)

    def close_first(self, wake: Callable[[], object] | None = None) -> None:
        """Something is open from here on. :param wake: called on another thread when the process is to end."""
        self._closes_first = True
        if wake is not None:
            self._wake = wake

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """What takes long in the main thread and may be left half done, such as the loading of a model.

        :raises Interrupted: from anywhere within when the process is to end.
        """
        try:
            self._interruptible = True
            if self.requested:
                raise Interrupted
            yield
        finally:
            self._interruptible = False

    def _handle(self, *_: object) -> None:
        if self._interruptible:
            self._interruptible = False
            self.requested = True
            raise Interrupted

    def _read(self, pipe: int) -> None:
        while numbers := os.read(pipe, 1):
            if numbers[0] not in SIGNALS:
                continue
            if not self._closes_first:
                os._exit(EXIT_OK)
            if not self._requested_at:
                self.requested, self._requested_at = True, time.monotonic()
                with contextlib.suppress(Exception):
                    self._wake()
            elif numbers[0] == signal.SIGINT and time.monotonic() > self._requested_at + SECOND_SIGNAL_AFTER:
                os._exit(EXIT_INTERRUPTED)


_stop: Stop | None = None


def begin() -> Stop:
    """The one of this process, made at the first call."""
    global _stop
    if _stop is None:
        _stop = Stop()
    return _stop


def requested() -> bool:
    """Whether this process should end."""
    return _stop is not None and _stop.requested


@contextlib.contextmanager
def closing() -> Iterator[None]:
    """What closes a node. If that hangs the process ends all the same, with exit code 1, and tells where.

    Fast DDS locks itself up now and then when several nodes end at once, below rclpy, which keeps Python's lock
    meanwhile: neither a thread nor a signal handler of Python would run.
    """
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(CLOSE_TIMEOUT, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
