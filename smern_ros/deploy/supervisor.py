# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Keeps child processes alive, shows their output, and leaves none behind. Knows nothing of ROS or of the graph."""
from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

EXIT_CONFIGURATION = 2
"""A child that ends so cannot run as it was told to; starting it again would not help."""
CANNOT_RUN = (EXIT_CONFIGURATION, 102)
"""The latter is rcl's, where the middleware that RMW_IMPLEMENTATION names is not there."""
EXIT_OTHERWISE = 1
_WRONG_COMMAND = FileNotFoundError, PermissionError, NotADirectoryError
"""Others may be over at the next start: no memory, too many processes or files."""
LONGEST_LINE = 1 << 16
"""Bytes of a line that are kept for its end; of a longer one what has come is shown."""
TERMINATE_TIMEOUT = 2.3
"""Seconds from SIGTERM to SIGKILL: with the time to reap, everything has ended within three seconds."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Child:
    """A process to keep running."""

    name: str
    command: Sequence[str]
    command_again: Sequence[str] = ()                     # after it has died; by default the same
    env: Mapping[str, str] = field(default_factory=dict)  # added to this process's environment
    optional: bool = False                                # the others go on without it if it cannot be configured
    may_finish: bool = False                              # an end with exit code 0 is its job done


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a dead child is started again, in seconds."""

    first: float = 0.1
    factor: float = 2.0
    longest: float = 30.0
    healthy_after: float = 10.0  # a child that ran so long starts at `first` again

    def delay(self, failures: int) -> float:
        """Before the restart that follows so many deaths in a row (1 or more)."""
        return min(self.first * self.factor ** min(failures - 1, 64), self.longest)


def print_line(name: str, line: str) -> None:
    """The usual output: each line after the name of who wrote it."""
    print(f'[{name}] {line}', flush=True)


class Supervisor:
    """Runs children until they are stopped, one of them cannot be configured, or all have finished.

    A child dies with this process, however that ends. All children are started by one thread, since Linux ties a
    child's life to the thread that made it.

        with Supervisor(children) as graph:
            ...              # graph.wait(timeout) returns the exit code when it is over
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        output: Callable[[str, str], None] = print_line,
        backoff: Backoff | None = None,
        name: str = 'smern',
    ) -> None:
        """:param output: called with a child's name and each line it writes, and with `name` for what is said here.

        :raises ValueError: if two children have one name.
        """
        names = [child.name for child in children]
        if len(set(names)) < len(names):
            raise ValueError(f'every child needs a name of its own, got {names}')
        self._children = tuple(children)
        self._output = output
        self._backoff = backoff or Backoff()
        self._name = name
        self._pids: dict[str, int] = {}
        self._exit_code: int | None = None
        self._stopping = asyncio.Event()
        self._stop_asked = False  # perhaps before the loop runs
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._main, name=f'{name}.supervisor', daemon=True)

    # --- for whoever uses it ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts all children and returns; output and restarts go on in a thread."""
        self._thread.start()
        self._started.wait()

    def wait(self, timeout: float | None = None) -> int | None:
        """Waits until it is over; signal handlers run meanwhile.

        :return: 0 after a stop that was asked for or when all have finished, 2 if a child could not be configured,
            None if the time ran out.
        """
        self._thread.join(timeout)
        return None if self._thread.is_alive() else self._exit_code

    def request_stop(self) -> None:
        """Begins to stop all children and returns at once. May be called from any thread and from signal handlers."""
        self._stop_asked = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is over already
                self._loop.call_soon_threadsafe(self._stopping.set)

    def stop(self) -> int:
        """Stops all children within three seconds. :return: as `wait`."""
        self.request_stop()
        code = self.wait()
        return 1 if code is None else code

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the children that run now."""
        return dict(self._pids)

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- the thread -------------------------------------------------------------------------------------------

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        finally:
            self._started.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._stop_asked:
            self._stopping.set()
        tasks = [asyncio.create_task(self._supervise(child)) for child in self._children]
        self._loop.call_soon(self._started.set)
        try:
            await asyncio.gather(*tasks)
            self._exit_code = self._exit_code or 0
        finally:
            self._stopping.set()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _supervise(self, child: Child) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                code = await self._run_once(child, (failures and child.command_again) or child.command)
            except OSError as error:
                self._log(f'{child.name} cannot be started: {error}')
                code = EXIT_CONFIGURATION if isinstance(error, _WRONG_COMMAND) else EXIT_OTHERWISE
            if self._stopping.is_set():
                return
            if code == 0 and child.may_finish:
                self._log(f'{child.name} has finished')
                return
            if code in CANNOT_RUN:
                self._configuration_failed(child)
                return
            failures = 1 if time.monotonic() - began >= self._backoff.healthy_after else failures + 1
            delay = self._backoff.delay(failures)
            self._log(f'{child.name} died ({describe_exit(code)}); starting it again in {delay:g} s')
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    async def _run_once(self, child: Child, command: Sequence[str]) -> int:
        """Starts the child and shows its output until it ends or everything stops; returns its exit code."""
        supervisor = os.getpid()
        # A pipe of our own: of one that it made asyncio awaits the end, too, and whoever inherited it may hold it open
        # for ever.
        ours, its = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), ('rb', 'wb'), strict=True))
        with ours, its:
            process = await asyncio.create_subprocess_exec(
                *command,
                env={**os.environ, **child.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=its,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal reaches this process alone, which passes it on once
                preexec_fn=lambda: _kill_with_parent(supervisor),
            )
            its.close()
            return await self._watch(child, process, ours)

    async def _watch(self, child: Child, process: asyncio.subprocess.Process, output: IO[bytes]) -> int:
        self._pids[child.name] = process.pid
        stream = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), output
        )
        shown = asyncio.create_task(self._show(child.name, stream))
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                _signal_group(process, signal.SIGTERM)
                await asyncio.wait((ended,), timeout=TERMINATE_TIMEOUT)
            if not ended.done():
                self._log(f'{child.name} does not stop; killing it')
                _signal_group(process, signal.SIGKILL)
            code = await ended
            await asyncio.wait((shown,), timeout=0.5)  # who inherited its output may hold it open for ever
            return code
        finally:
            stopped.cancel()
            shown.cancel()
            pipe.close()
            self._pids.pop(child.name, None)

    async def _show(self, name: str, stream: asyncio.StreamReader) -> None:
        rest = b''
        while chunk := await stream.read(1 << 16):
            *lines, rest = (rest + chunk).split(b'\n')
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b''
            for line in lines:
                self._write(name, line.decode(errors='replace').rstrip('\r'))
        if rest:
            self._write(name, rest.decode(errors='replace'))

    def _configuration_failed(self, child: Child) -> None:
        if child.optional:
            self._log(f'{child.name} cannot run as it is configured (its error is above); going on without it')
            return
        self._log(f'{child.name} cannot run as it is configured (its error is above); stopping')
        self._exit_code = EXIT_CONFIGURATION
        self._stopping.set()

    def _log(self, line: str) -> None:
        self._write(self._name, line)

    def _write(self, name: str, line: str) -> None:
        """A line that cannot be written (a full disk, a closed terminal, letters that it lacks) is lost and no more: a
        child whose output nobody reads would wait for ever."""
        with contextlib.suppress(OSError, ValueError):
            self._output(name, line)


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f'exit code {code}'
    with contextlib.suppress(ValueError):
        return f'killed by {signal.Signals(-code).name}'
    return f'killed by signal {-code}'


def _kill_with_parent(parent: int) -> None:
    """In the child, before its program: the kernel kills it when its parent's thread ends, even by SIGKILL."""
    if sys.platform == 'linux':
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)


def _signal_group(process: asyncio.subprocess.Process, number: int) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
