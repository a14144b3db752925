"""`python -m smern_ros.nodes NAME --ros-args ...` and the installed executables: a node as a process of its own."""
from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import NoReturn

from smern_ros import graph
from smern_ros.supervisor import EXIT_CONFIGURATION


def start(name: str) -> NoReturn:
    """Runs a node's `main` and ends the process with what it returns.

    It ends at once: tearing down torch and its like takes seconds on a busy machine.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # read when torch is loaded
    gc.disable()  # what is imported is no garbage
    with _end_quietly_when_asked():
        try:
            module = importlib.import_module(graph.node(name).module)
        except ImportError as error:  # it is not there at the next start either
            traceback.print_exc()
            print(f'{name}: smern_ros is not installed with all that it needs: {error}', file=sys.stderr, flush=True)
            os._exit(EXIT_CONFIGURATION)
    gc.freeze()
    gc.enable()
    try:
        code = module.main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    gc.collect()  # rclpy's node is part of a cycle, and only its end makes the DDS participant say goodbye
    os._exit(code)


@contextlib.contextmanager
def _end_quietly_when_asked() -> Iterator[None]:
    """SIGINT and SIGTERM during imports, before there is anything to shut down, are no reason for a traceback."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: os._exit(0)) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(f'which node? One of {", ".join(n.name for n in graph.NODES)}')
    try:
        node = graph.node(sys.argv[1])
    except ValueError as error:
        sys.exit(str(error))
    start(node.name)
