# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether the DDS profile that was chosen is the one that a process runs with. Needs no ROS.

Where Fast DDS does not read the variable or cannot read the file it goes on with its own settings, open to the network.
"""
from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from pathlib import Path

from smern_ros.deploy import dds
from smern_ros.deploy.dds_multi_host import EPROSIMA, is_address

_SELF = Path('/proc/self')


def problem(middleware: str, env: Mapping[str, str] | None = None) -> str:
    """Of a process in which a ROS node has been made, and that has no other sockets yet.

    :param middleware: that it runs with, as rclpy tells it.
    :param env: by default this process's.
    :return: what is wrong and what to do; empty if nothing is, or if nobody wanted a profile.
    """
    env = os.environ if env is None else env
    name = next((name for name in (*dds.variables(env), dds.VARIABLE, dds.OLD_VARIABLE) if env.get(name)), None)
    if name is None:
        return ''
    file = Path(env[name])
    kept_by_ros = env.get(dds.RANGE) == 'LOCALHOST'
    if not middleware.startswith(dds.FAST_DDS):
        text = (f'{name} is for Fast DDS, but the middleware is {middleware}: its own settings tell whether anything '
                f'leaves this computer. Set RMW_IMPLEMENTATION={middleware}, and it is kept here')
        return '' if kept_by_ros else text
    open_to_all = 'Fast DDS runs with its own settings, open to the network'
    if not file.is_file():
        return f'{name} names {file}, which is not there: {open_to_all}'
    try:
        allowed = _allowed(file)
    except (OSError, ElementTree.ParseError) as error:
        return f'{name} names {file}, which cannot be read as XML ({error}): {open_to_all}'
    if kept_by_ros:  # ROS adds sockets of its own that are bound to all network cards
        return ''
    outside = sorted({a for a in _bound_addresses() if not _is_allowed(a, allowed)}) if allowed else []
    if outside:
        return (f'the DDS profile {file} that {name} names is not in force: it allows {", ".join(sorted(allowed))}, '
                f'but sockets are bound to {", ".join(outside)}. What this node says and hears may leave this computer')
    return ''


def _allowed(file: Path) -> set[str]:
    """Addresses to which the profile binds; none if it does not say, or names network cards."""
    lists = ElementTree.parse(file).iter(f'{{{EPROSIMA}}}interfaceWhiteList')
    found = {(address.text or '').strip() for allowed in lists for address in allowed}
    return found if all(map(is_address, found)) else set()


def _is_allowed(address: str, allowed: set[str]) -> bool:
    ip = ipaddress.ip_address(address)
    return address in allowed or ip.is_loopback or ip.is_multicast


def _bound_addresses() -> Iterator[str]:
    """Local addresses of this process's UDP sockets; none where the system does not tell."""
    with contextlib.suppress(OSError):
        ours = set()
        for handle in os.listdir(_SELF / 'fd'):
            with contextlib.suppress(OSError):
                ours.add(os.readlink(_SELF / 'fd' / handle))
        for table in ('udp', 'udp6'):
            for line in (_SELF / 'net' / table).read_text().splitlines()[1:]:
                fields = line.split()  # number ADDRESS:PORT ... inode, addresses in words of the machine
                if f'socket:[{fields[9]}]' in ours:
                    yield _address(bytes.fromhex(fields[1].partition(':')[0]))


def _address(words: bytes) -> str:
    packed = struct.pack(f'>{len(words) // 4}I', *struct.unpack(f'={len(words) // 4}I', words))
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
