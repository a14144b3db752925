"""Two computers on one: each with a network, shared memory and identity of its own, and a wire between them.

They are namespaces that a process holds whose standard input is ours: whatever way the tests end, it ends, and with it
the namespaces and their wires. Nothing is written outside them.
"""
from __future__ import annotations

import functools
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence

import pytest

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


class Host:
    """A computer: processes in it see its interfaces and shared memory only. A context manager.

    :param machine_id: what Fast DDS tells computers apart by; by default one of its own.
    """

    def __init__(self, *, machine_id: str | None = None) -> None:
        script = PREPARE.format(identity=machine_id or uuid.uuid4().hex)
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
        return ['nsenter', '--target', str(self.pid), '--net', '--ipc', '--mount', '--', *words]

    def do(self, *words: str) -> str:
        """Runs a command inside to its end. :return: what it printed."""
        return subprocess.run(self.command(*words), check=True, capture_output=True, text=True).stdout

    def start(self, *words: str, env: Mapping[str, str]) -> subprocess.Popen:
        """:param env: the whole environment of the process."""
        return subprocess.Popen(
            self.command(*words), env=dict(env), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
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


def _wait_until_running(host: Host, name: str) -> None:
    """The kernel takes up to a second to notice that the other end is up, too; Fast DDS looks at a card only once."""
    deadline = time.monotonic() + 60.0
    while 'LOWER_UP' not in (said := host.do('ip', '-oneline', 'link', 'show', name)) or 'state UP' not in said:
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
