# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two computers on one: each with a network, shared memory and identity of its own, and a wire between them.

They are namespaces that a process holds whose standard input is ours: whatever way the tests end, it ends, and with it
the namespaces and their wires. Nothing is written outside them.
"""
from __future__ import annotations

import ctypes
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from smern_ros.deploy import dds

PREPARE = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /dev/shm
echo {identity} > /dev/shm/machine-id
[ ! -e /etc/machine-id ] || mount --bind /dev/shm/machine-id /etc/machine-id
ip link set lo up
echo ready
exec cat
"""
CHOSEN_BY_TESTS = (dds.CHOICE, dds.VARIABLE, dds.OLD_VARIABLE, *dds.DISCOVERY, 'ROS_STATIC_PEERS')
"""Variables that each process in a host chooses for itself."""


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_the_tests() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A command that runs; lines that are JSON objects are reports, the last of which counts."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str]) -> None:
        self.said: list[str] = []
        self.report: dict[str, Any] = {}
        self._process = subprocess.Popen(
            command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=_die_with_the_tests,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            if line.startswith('{'):
                self.report = json.loads(line)
            else:
                self.said.append(line.rstrip())

    def tell(self, line: str) -> None:
        """Writes to its standard input."""
        self._process.stdin.write(line + '\n')
        self._process.stdin.flush()

    def wait_for(self, condition: Callable[[dict[str, Any]], Any], what: str, timeout: float = 180.0) -> dict[str, Any]:
        """Until a report fulfils the condition. :return: the report."""
        deadline = time.monotonic() + timeout
        while not ((report := self.report) and condition(report)):
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                why = f'it ended with {self._process.returncode}' if ended else f'waited {timeout:.0f} s in vain'
                said = '\n'.join(self.said[-40:])
                raise AssertionError(f'{why} for {what}; last report: {report}; it said:\n{said}')
            time.sleep(0.05)
        return report

    def ask_to_stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Asked, and after some time forced."""
        self.ask_to_stop()
        try:
            self._process.wait(20.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Host:
    """A computer: processes in it see its interfaces and shared memory only. A context manager.

    :param memory_of: a computer whose shared memory and identity it has, as a container may that runs on it.
    """

    def __init__(self, *, memory_of: Host | None = None) -> None:
        script = PREPARE.format(identity=uuid.uuid4().hex)
        self._memory_of = memory_of
        self._started: list[Process] = []
        self._holder = subprocess.Popen(
            ['unshare', '--net', '--ipc', '--mount', 'sh', '-c', script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        if self._holder.stdout.readline().strip() != 'ready':
            self._holder.wait()
            raise OSError(self._holder.stderr.read().strip() or 'no reason given')

    @property
    def pid(self) -> int:
        """Of a process inside."""
        return self._holder.pid

    def command(self, *words: str) -> list[str]:
        """The command line that runs this one inside."""
        memory = (self._memory_of or self).pid
        return ['nsenter', f'--net=/proc/{self.pid}/ns/net', f'--ipc=/proc/{memory}/ns/ipc',
                f'--mount=/proc/{memory}/ns/mnt', '--', *words]

    def do(self, *words: str) -> str:
        """Runs a command inside to its end. :return: what it printed."""
        return subprocess.run(self.command(*words), check=True, capture_output=True, text=True).stdout

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> Process:
        """Runs a command inside until it is stopped. :param env: added to ours, which chooses no DDS profile here."""
        own = {k: v for k, v in os.environ.items() if k not in CHOSEN_BY_TESTS}
        self._started.append(Process(self.command(*words), env={**own, **(env or {})}))
        return self._started[-1]

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:  # all at once: each takes its time
            process.ask_to_stop()
        for process in self._started:
            process.stop()
        self._holder.stdin.close()
        self._holder.wait()


def join(one: Host, other: Host, addresses: Sequence[str], *, name: str = 'wire') -> None:
    """A pair of virtual network cards, one in each computer, with these IPv4 addresses of one /24 network."""
    one.do('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', str(other.pid))
    for host, address in zip((one, other), addresses, strict=True):
        host.do('ip', 'address', 'add', f'{address}/24', 'dev', name)
        host.do('ip', 'link', 'set', name, 'up')
    for host in (one, other):
        _wait_until_running(host, name)


PROFILE = """
import json, signal, sys
from smern_ros.deploy import dds
signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the profile's file goes with the process
print(json.dumps(dds.environment(dds.MULTI_HOST, peers=sys.argv[1])), flush=True)
signal.pause()
"""


def multi_host_profile(host: Host, peers: str) -> dict[str, str]:
    """The environment that `--dds multi_host --dds-peers PEERS` gives to nodes of that host."""
    return host.start(sys.executable, '-c', PROFILE, peers).wait_for(lambda report: report, 'a profile')


def join_by_lossy_wire(one: Host, other: Host, addresses: Sequence[str], *, name: str = 'lossy') -> Process:
    """As `join`, through a program that can lose and delay packets: tell it `LOSS DELAY`, a share and seconds."""
    wire = one.start(sys.executable, str(Path(__file__).with_name('lossy_wire.py')), str(other.pid), name)
    wire.wait_for(lambda report: report, 'the tunnel')
    for host, own, peer in ((one, *addresses), (other, *reversed(addresses))):
        host.do('ip', 'address', 'add', own, 'peer', peer, 'dev', name)
        host.do('ip', 'link', 'set', name, 'up')
    for host in (one, other):
        _wait_until_running(host, name)
    return wire


def _wait_until_running(host: Host, name: str) -> None:
    """The kernel takes up to a second to notice that the other end is up, too; Fast DDS looks at a card only once."""
    deadline = time.monotonic() + 60.0
    while 'LOWER_UP' not in (said := host.do('ip', '-oneline', 'link', 'show', name)) or 'state DOWN' in said:
        if time.monotonic() > deadline:
            raise OSError(f'the network card {name} does not come up: {said}')
        time.sleep(0.02)


@functools.cache
def why_not() -> str:
    """Why this machine cannot play two computers; empty if it can."""
    if not sys.platform.startswith('linux'):
        return 'network namespaces are a thing of Linux'
    try:
        with Host() as one, Host() as other:
            join(one, other, ('10.77.0.1', '10.77.0.2'))
    except FileNotFoundError as error:
        return f'no {error.filename} (Debian: iproute2, util-linux)'
    except OSError as error:
        return f'no namespaces: {error}'
    except subprocess.CalledProcessError as error:
        return f'no pair of network cards: {error.stderr.strip()}'
    return ''


def skip_if_impossible() -> None:
    if why_not():
        pytest.skip(f'two computers cannot be played here (it takes root and network namespaces): {why_not()}')
