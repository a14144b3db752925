# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Topics that come and go while a node is active: those of one person, body or voice, which end when it leaves."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

from smern_ros.ros.node import SmernNode
from smern_ros.ros.subscriptions import subscribe


def warn_of_other_publishers(node: SmernNode, topic: str, advice: str) -> None:
    """If somebody else publishes, too, what the node publishes."""
    if node.publishers_of(topic) > 1:
        node.log_error(topic, f'another node publishes it, too: {advice}')


class DynamicEndpoints:
    """Publishers and subscriptions of one node that end together."""

    def __init__(self, node: SmernNode) -> None:
        self._node = node
        self._ends: list[Callable[[], object]] = []

    def listen(
        self, message_type: type, topic: str, take: Callable[[Any], None], profile: QoSProfile, *, label: str,
        while_inactive: bool = False,
    ) -> None:
        """Subscribes; what `take` raises is said, no more.

        :param label: what diagnostics call it, with all others of its kind: names that come and go would add up there.
        :param while_inactive: also while the node is not active.
        """
        node = self._node

        def guarded(message: Any) -> None:
            if not ((node.active or while_inactive) and self._ends):  # closed meanwhile
                return
            node.health.received(label)
            node.record_age(label, message)
            try:
                take(message)
            except Exception as error:
                node.log_error(label, error)

        self._ends.append(subscribe(node, message_type, topic, guarded, profile))

    def output(self, message_type: type, topic: str, profile: QoSProfile, *, label: str) -> Callable[[Any], None]:
        """Makes a publisher. :return: what publishes. :param label: as of `listen`."""
        node = self._node
        publisher: Publisher = node.create_publisher(message_type, topic, profile)
        self._ends.append(lambda: node.destroy_publisher(publisher))

        def publish(message: Any) -> None:
            if node.context.ok():
                publisher.publish(message)
                node.health.sent(label)

        return publish

    def close(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            end()
