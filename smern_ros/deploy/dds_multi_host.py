# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile of a graph on several computers: who they are, and through which network cards. Needs no ROS."""
from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
import xml.etree.ElementTree as ElementTree

from smern_ros.utils.resources import share

EPROSIMA = 'http://www.eprosima.com'
_SIOCGIFADDR = 0x8915
_ANY_PORT = 9
"""Of a socket that sends nothing: it only asks the kernel for the way."""


def multi_host(peers: str, interfaces: str = '') -> str:
    """The content of config/dds/multi_host.xml for this computer. Nobody but the peers and this computer is called, and
    nothing listens but on the interfaces and the loopback.

    :param peers: the other computers, names or IPv4 addresses with commas between.
    :param interfaces: names of network cards, or addresses of this computer, with commas between; by default those
        that lead to the peers.
    :raises ValueError: if there are no peers, if one is not known or cannot be reached, or if there is no such card.
    """
    others = [_resolved(name) for name in _split(peers)]
    if not others:
        raise ValueError('dds_peers is empty; set it to the names or IPv4 addresses of the other computers')
    own = [_of_card(name) for name in _split(interfaces)] or [_on_the_way_to(address) for address in others]
    tree = ElementTree.parse(share('config', 'dds', 'multi_host.xml'))
    allowed, called = tree.find(f'.//{_tag("interfaceWhiteList")}'), tree.find(f'.//{_tag("initialPeersList")}')
    assert allowed is not None and called is not None, 'config/dds/multi_host.xml is not what it was'
    for address in dict.fromkeys(own):
        ElementTree.SubElement(allowed, _tag('address')).text = address
    for address in dict.fromkeys(others):
        locator = ElementTree.SubElement(called, _tag('locator'))
        ElementTree.SubElement(ElementTree.SubElement(locator, _tag('udpv4')), _tag('address')).text = address
    ElementTree.register_namespace('', EPROSIMA)
    ElementTree.indent(tree)
    return ElementTree.tostring(tree.getroot(), encoding='unicode', xml_declaration=True)


def _split(names: str) -> list[str]:
    return [name for name in (part.strip() for part in names.split(',')) if name]


def _tag(name: str) -> str:
    return f'{{{EPROSIMA}}}{name}'


def _resolved(name: str) -> str:
    """The IPv4 address of a computer."""
    try:
        return socket.gethostbyname(name)
    except (OSError, UnicodeError) as error:
        raise ValueError(f'dds_peers: cannot resolve {name!r} ({error}); use its IPv4 address') from error


def _on_the_way_to(address: str) -> str:
    """This computer's own address on the way there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((address, _ANY_PORT))
        except OSError as error:
            raise ValueError(f'dds_peers: no route to {address} ({error}); is the network up?') from error
        return asked.getsockname()[0]


def _of_card(name: str) -> str:
    """The IPv4 address of a network card; an address is taken as it is, if it is this computer's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            if is_address(name):
                asked.bind((name, 0))
                return name
            request = struct.pack('256s', name.encode()[:15])
            return socket.inet_ntoa(fcntl.ioctl(asked.fileno(), _SIOCGIFADDR, request)[20:24])
        except OSError as error:
            cards = ', '.join(card for _, card in socket.if_nameindex())
            raise ValueError(f'dds_interface: {name!r} is no network card with an IPv4 address and no address of this '
                             f'computer ({error}); its cards are {cards}') from error


def is_address(text: str) -> bool:
    """Whether it is an IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
