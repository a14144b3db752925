# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which Fast DDS profile the nodes use, so that camera images reach other processes whole. Needs no ROS.

With the default profile a raw image is split into more UDP packets than the sockets take at once, and most images are
lost. The profiles in config/dds give shared memory room for whole images.
"""
from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from smern_ros.deploy import dds_multi_host, temp_file
from smern_ros.utils.paths import expand
from smern_ros.utils.resources import share

LOCAL, MULTI_HOST, NONE = PROFILES = ('local', 'multi_host', 'none')
CHOICE = 'SMERN_DDS'
"""Environment variable with one of PROFILES, for whoever gives no argument."""
DEFAULT = LOCAL
"""Voice and pictures of people leave this host only if somebody chooses so. Other nodes of the host are heard and hear
all the same, with whatever profile they run."""
VARIABLE, OLD_VARIABLE = 'FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'
"""Where Fast DDS looks for profiles, from version 3 and up to 2. ROS warns of the old one where the new one is read."""
OF_THE_OLD_VARIABLE = ('humble', 'iron', 'jazzy')
_INSTALLED = {'share/fastdds': VARIABLE, 'share/fastrtps': OLD_VARIABLE}
"""Folders of either version below a prefix."""
LAST_DOMAIN = 232
"""Further ones would have ports beyond 65535."""
_SOCKETS = Path('/proc/net/udp'), Path('/proc/net/udp6')

FAST_DDS = 'rmw_fastrtps'
"""What all ROS middlewares with Fast DDS begin with: profiles are for them. Another one is kept to this host by ROS."""
RANGE = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
DISCOVERY = {RANGE: 'SYSTEM_DEFAULT'}
"""Beside several hosts: ROS adds no multicast and takes no interface away; whom to call is in the profile."""


def environment(
    profile: str | None = None, env: Mapping[str, str] | None = None, *, peers: str = '', interface: str = ''
) -> dict[str, str]:
    """Variables to set before a node starts; none if the user has chosen a profile file already.

    :param profile: one of PROFILES; by default what SMERN_DDS says, else `local`.
    :param env: the environment to look in, by default this process's.
    :param peers: of `multi_host`: the other computers, names or addresses with commas between.
    :param interface: of `multi_host`: network cards or own addresses; by default those that lead to the peers.
    :raises ValueError: if there is no such profile, computer, card or ROS domain.
    """
    env = os.environ if env is None else env
    profile = profile or env.get(CHOICE) or DEFAULT
    if profile not in PROFILES:
        raise ValueError(f'unknown DDS profile {profile!r} (argument dds or {CHOICE}); expected one of {PROFILES}')
    domain = env.get('ROS_DOMAIN_ID', '')
    if domain and not (domain.isdecimal() and int(domain) <= LAST_DOMAIN):
        raise ValueError(f'ROS_DOMAIN_ID is {domain!r}, but must be 0 to {LAST_DOMAIN}')
    if profile != MULTI_HOST and (peers or interface):
        raise ValueError(f'dds_peers and dds_interface are for the DDS profile {MULTI_HOST}, but it is {profile}')
    middleware = env.get('RMW_IMPLEMENTATION') or FAST_DDS
    if profile == MULTI_HOST and not middleware.startswith(FAST_DDS):
        raise ValueError(f'the DDS profile {MULTI_HOST} is for {FAST_DDS}, but RMW_IMPLEMENTATION is {middleware}: set '
                         f'it up for several hosts yourself and choose {NONE}')
    read = variables(env)
    if profile != NONE and read == (OLD_VARIABLE,) and env.get(VARIABLE) and not env.get(OLD_VARIABLE):
        raise ValueError(f'{VARIABLE} names a profile, {env[VARIABLE]}, but the Fast DDS that is installed here reads '
                         f'{OLD_VARIABLE}: set that instead')
    if theirs := next((name for name in (VARIABLE, OLD_VARIABLE) if env.get(name)), None):
        if peers or interface:
            raise ValueError(f'{theirs} names a profile, {env[theirs]}, which would win over dds_peers and '
                             'dds_interface: unset it')
        return {theirs: str(expand(env[theirs]))} if env[theirs].startswith('~') else {}
    if profile == NONE:
        return {CHOICE: NONE}  # for the nodes, which would choose for themselves
    if not middleware.startswith(FAST_DDS):
        return {RANGE: 'LOCALHOST'}
    if profile == MULTI_HOST:
        file = temp_file.write(dds_multi_host.multi_host(peers, interface), '-dds.xml')
        return {**dict.fromkeys(read, file), **DISCOVERY}
    return dict.fromkeys(read, str(share('config', 'dds', f'{profile}.xml')))


def variables(env: Mapping[str, str]) -> tuple[str, ...]:
    """Those that the installed Fast DDS reads; both if nothing tells which it is, or if ROS_DISTRO tells another."""
    if (distribution := env.get('ROS_DISTRO')) in OF_THE_OLD_VARIABLE:
        return (OLD_VARIABLE,)  # ROS gives it to a newer Fast DDS, too
    prefixes = [*env.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]  # the wheels are in the latter
    found = {_variable_below(prefixes), VARIABLE if distribution else None}
    return tuple(name for name in (VARIABLE, OLD_VARIABLE) if name in found) or (VARIABLE, OLD_VARIABLE)


def _variable_below(prefixes: Sequence[str]) -> str | None:
    return next((variable for prefix in prefixes if prefix
                 for folder, variable in _INSTALLED.items() if Path(prefix, folder).is_dir()), None)


def free_domain() -> int:
    """A ROS domain in which nobody of this host is, and probably nobody else: what runs there and a robot do not hear
    each other."""
    taken, ours = _domains_here(), os.environ.get('ROS_DOMAIN_ID', '0')
    return random.SystemRandom().choice([n for n in range(1, 102) if n not in taken and str(n) != ours])


def _domains_here() -> set[int]:
    """Those of which ports are open: domain n has the ports from 7400 + 250 n on (DDSI-RTPS 2.5, 9.6.2.3)."""
    lines = [line for table in _SOCKETS if table.exists() for line in table.read_text().splitlines()[1:]]
    ports = [int(line.split()[1].rpartition(':')[2], 16) for line in lines]  # number ADDRESS:PORT ...
    return {(port - 7400) // 250 for port in ports}
