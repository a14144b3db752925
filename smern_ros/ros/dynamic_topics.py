# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Topics created and destroyed while a node is active: those of one person, body or voice."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

from smern_ros.ros.node import SmernNode
from smern_ros.ros.subscriptions import subscribe


def warn_of_other_publishers(node: SmernNode, topic: str, advice: str) -> None:
    """Log a warning if another node publishes the topic, too."""
    if node.publishers_of(topic) > 1:
        node.log_error(topic, f'another node publishes it, too: {advice}')


class DynamicEndpoints:
    """Publishers and subscriptions of one node that are destroyed together."""

    def __init__(self, node: SmernNode) -> None:
        self._node = node
        self._ends: list[Callable[[], object]] = []

    def add_subscription(
        self, message_type: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile, *, label: str,
        while_inactive: bool = False,
    ) -> None:
        """Create a subscription. Exceptions of `callback` are logged.

        :param label: name in the diagnostics, shared by all topics of this kind; names that come and go would add up.
        :param while_inactive: receive messages also while the node is not active.
        """
        node = self._node

        def guarded(message: Any) -> None:
            if not ((node.active or while_inactive) and self._ends):  # closed in the meantime
                return
            node.health.received(label)
            node.record_age(label, message)
            try:
                callback(message)
            except Exception as error:
                node.log_error(label, error)

        self._ends.append(subscribe(node, message_type, topic, guarded, profile))

    def add_publisher(
        self, message_type: type, topic: str, profile: QoSProfile, *, label: str
    ) -> Callable[[Any], None]:
        """Create a publisher.

        :param label: see `add_subscription`.
        :return: function that publishes a message.
        """
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
