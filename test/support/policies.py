# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""SROS2 policies as the files in security/policies have them, and what a running node really has."""
from __future__ import annotations

import fnmatch
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from rclpy.node import Node

RULES = {('topics', 'publish'): 'topic', ('topics', 'subscribe'): 'topic',
         ('services', 'reply'): 'service', ('services', 'request'): 'service',
         ('actions', 'execute'): 'action', ('actions', 'call'): 'action'}
"""Element, permission and item of SROS2's schema 0.2.0."""
PERMISSIONS = tuple(permission for _, permission in RULES)
AT_THE_ROOT = (
    '/rosout', '/parameter_events', '/diagnostics', '/clock', '/audio/audio', '/audio/audio_info', '/humans/*',
)
"""Topics that no namespace moves, and those below a name that none moves."""


@dataclass
class Policy:
    """What a node may do; names relative, `~/...` for the node's own, or absolute."""

    node: str
    namespace: str
    enclave: str
    names: dict[str, set[str]] = field(default_factory=lambda: {permission: set() for permission in PERMISSIONS})

    def allows(self, permission: str, name: str) -> bool:
        """By name or, as DDS has it, by a pattern with `*`."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.names[permission])

    def unused(self, seen: Policy) -> list[str]:
        """What it allows and the node that was seen had not."""
        return [
            f'{permission} {pattern}' for permission in PERMISSIONS for pattern in sorted(self.names[permission])
            if not any(fnmatch.fnmatchcase(name, pattern) for name in seen.names[permission])
        ]

    def broken(self, seen: Policy) -> list[str]:
        """What the node that was seen had and it does not allow."""
        return [
            f'{permission} {name}' for permission in PERMISSIONS for name in sorted(seen.names[permission])
            if not self.allows(permission, name)
        ]


def read(file: Path) -> Policy:
    """:raises ValueError: if the file is no policy that SROS2 reads, of one enclave with one node."""
    root = ElementTree.parse(file).getroot()
    enclaves, profiles = root.findall('enclaves/enclave'), root.findall('enclaves/enclave/profiles/profile')
    if (root.tag, root.get('version'), len(enclaves), len(profiles)) != ('policy', '0.2.0', 1, 1):
        raise ValueError(f'{file} is no SROS2 policy 0.2.0 of one enclave with one profile')
    (profile,) = profiles
    policy = Policy(profile.attrib['node'], profile.attrib['ns'], enclaves[0].attrib['path'])
    for rule in profile:
        for permission, effect in rule.attrib.items():
            if (rule.tag, permission) not in RULES or effect != 'ALLOW':
                raise ValueError(f'{file} has the rule {rule.tag} {permission}={effect!r}')
            items = [(item.text or '').strip() for item in rule.findall(RULES[rule.tag, permission])]
            if not items or len(items) != len(rule) or len(set(items)) != len(items):
                raise ValueError(f'{file} has an empty, doubled or unknown item in {rule.tag} {permission}')
            policy.names[permission].update(items)
    return policy


def add_what_it_has(policy: Policy, observer: Node) -> None:
    """What the node has now, by what ROS tells of it, beside what it had.

    :param policy: of the node and the namespace in which it runs.
    """
    for permission, ask in (
        ('publish', observer.get_publisher_names_and_types_by_node),
        ('subscribe', observer.get_subscriber_names_and_types_by_node),
        ('reply', observer.get_service_names_and_types_by_node),
        ('request', observer.get_client_names_and_types_by_node),
    ):
        for name, _ in ask(policy.node, policy.namespace):
            policy.names[permission].add(_as_in_a_policy(name, policy))


def _as_in_a_policy(name: str, policy: Policy) -> str:
    base = policy.namespace.rstrip('/')
    own = f'{base}/{policy.node}/'
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in AT_THE_ROOT):
        return name
    return f'~/{name.removeprefix(own)}' if name.startswith(own) else name.removeprefix(f'{base}/')
