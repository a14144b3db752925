# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`python -m smern_ros.nodes NAME --ros-args ...` and the installed executables: a node as a process of its own."""
from __future__ import annotations

from smern_ros.deploy import stop_signals

stop_signals.begin()  # before the rest is imported: that takes seconds

import gc  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
from typing import NoReturn  # noqa: E402

from smern_ros.deploy import graph  # noqa: E402
from smern_ros.deploy.supervisor import EXIT_CONFIGURATION  # noqa: E402


def start(name: str) -> NoReturn:
    """Runs a node's `main` and ends the process with what it returns.

    It ends at once: tearing down torch and its like takes seconds on a busy machine.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # read when torch is loaded
    gc.disable()  # what is imported is no garbage
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
    with stop_signals.closing():
        gc.collect()  # of a node that could not be made: its end makes the DDS participant say goodbye
    os._exit(code)


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(f'which node? One of {", ".join(n.name for n in graph.NODES)}')
    try:
        node = graph.node(sys.argv[1])
    except ValueError as error:
        sys.exit(str(error))
    start(node.name)
