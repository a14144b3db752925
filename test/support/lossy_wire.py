# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A wire between two computers that loses and delays packets: what the kernel's netem does where there is one.

    lossy_wire.py PID NAME     between the network of this process and that of process PID, as tunnel devices NAME

It prints `{"ready": true}` when both ends are there, and reads `LOSS DELAY` (a share, seconds) from standard input:
from then on each packet, forth or back, is lost with that probability or arrives so much later. It prints how many
passed and were lost since the line before, and ends with its input.
"""
import collections
import ctypes
import fcntl
import json
import os
import random
import select
import struct
import sys
import threading
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
LARGEST = 65536


def tunnel(name: str) -> int:
    """The file of a tunnel device in this process's network; the device goes with it."""
    file = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, TUNSETIFF, struct.pack('16sH22x', name.encode(), IFF_TUN | IFF_NO_PI))
    return file


def enter_network(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f'/proc/{pid}/ns/net') as namespace:
        if libc.setns(namespace.fileno(), 0):
            raise OSError(ctypes.get_errno(), f'cannot enter the network of process {pid}')


class Wire:
    """Between two ends, forward and back alike."""

    def __init__(self, one: int, other: int) -> None:
        self._to = {one: other, other: one}
        self._under_way: collections.deque[tuple[float, int, bytes]] = collections.deque()  # due, to whom, packet
        self._dice = random.Random(0)
        self.loss = self.delay = 0.0
        self.passed = self.lost = 0

    def run(self) -> None:
        while True:
            wait = max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else None
            for end in select.select(list(self._to), [], [], wait)[0]:
                self._take(end)
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, end, packet = self._under_way.popleft()
                with_room = select.select([], [end], [], 0)[1]
                if with_room:
                    os.write(end, packet)

    def _take(self, end: int) -> None:
        packet = os.read(end, LARGEST)
        if self._dice.random() < self.loss:
            self.lost += 1
            return
        self.passed += 1
        self._under_way.append((time.monotonic() + self.delay, self._to[end], packet))


def main() -> None:
    pid, name = int(sys.argv[1]), sys.argv[2]
    one = tunnel(name)
    enter_network(pid)
    wire = Wire(one, tunnel(name))
    threading.Thread(target=wire.run, daemon=True).start()
    print(json.dumps({'ready': True}), flush=True)
    for line in sys.stdin:
        print(json.dumps({'passed': wire.passed, 'lost': wire.lost}), flush=True)
        wire.passed = wire.lost = 0
        wire.loss, wire.delay = map(float, line.split())


if __name__ == '__main__':
    main()
