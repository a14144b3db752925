# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscription to a topic whose last message is valid until the next one, such as `speaker`."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from smern_ros.ros import qos
from smern_ros.ros.dynamic_topics import DynamicEndpoints
from smern_ros.ros.node import SmernNode


class LatchedSubscription:
    """Receives latched messages if all publishers are transient local, and messages while the node is inactive."""

    def __init__(
        self, node: SmernNode, message_type: type, topic: str, callback: Callable[[Any], None], lost: Callable[[], None]
    ) -> None:
        """
        :param callback: called with each message, and with the last one when the node is activated.
        :param lost: called after a message when the topic has no publisher any more.
        """
        self._node, self._type, self._topic, self._callback, self._lost = node, message_type, topic, callback, lost
        self._last: Any = None
        self._endpoints = DynamicEndpoints(node)
        node.add_cleanup(self._endpoints.close)
        node.health.track_subscription(topic)
        self._subscribe(qos.EVIDENCE)

    def start(self) -> None:
        if self._last is not None:
            self._callback(self._last)

    def check_publishers(self) -> None:
        """Call periodically while the node is active: adapts the QoS to the publishers."""
        publishers = [info.qos_profile for info in self._node.get_publishers_info_by_topic(self._topic)]
        if not publishers and self._last is not None:
            self._last = None
            self._lost()
        kept = all(
            p.durability == DurabilityPolicy.TRANSIENT_LOCAL and p.reliability == ReliabilityPolicy.RELIABLE
            for p in publishers
        )
        profile = qos.LATCHED if publishers and kept else qos.EVIDENCE
        if profile is not self._profile:
            self._endpoints.close()
            self._subscribe(profile)

    def _subscribe(self, profile: QoSProfile) -> None:
        self._profile = profile
        self._endpoints.add_subscription(
            self._type, self._topic, self._receive, profile, label=self._topic, while_inactive=True
        )

    def _receive(self, message: Any) -> None:
        self._last = message
        if self._node.active:
            self._callback(message)
