"""A topic whose last message holds until the next one, such as who speaks, from whoever publishes it."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from smern_ros.ros import qos
from smern_ros.ros.dynamic_topics import DynamicEndpoints
from smern_ros.ros.node import SmernNode


class LatchedSubscription:
    """Hears it from any publisher: what was said before we came, too, where all publishers keep that, and what was said
    while the node was not active."""

    def __init__(
        self, node: SmernNode, message_type: type, topic: str, take: Callable[[Any], None], gone: Callable[[], None]
    ) -> None:
        """
        :param take: called with what is said, and when the node becomes active with what holds.
        :param gone: called when something was said, and nobody is left who could take it back.
        """
        self._node, self._type, self._topic, self._take, self._gone = node, message_type, topic, take, gone
        self._last: Any = None
        self._lines = DynamicEndpoints(node)
        node.add_cleanup(self._lines.close)
        node.health.track_subscription(topic)
        self._listen(qos.EVIDENCE)

    def start(self) -> None:
        if self._last is not None:
            self._take(self._last)

    def follow(self) -> None:
        """Now and then while the node is active: publishers come and go."""
        publishers = [info.qos_profile for info in self._node.get_publishers_info_by_topic(self._topic)]
        if not publishers and self._last is not None:
            self._last = None
            self._gone()
        kept = all(
            p.durability == DurabilityPolicy.TRANSIENT_LOCAL and p.reliability == ReliabilityPolicy.RELIABLE
            for p in publishers
        )
        profile = qos.LATCHED if publishers and kept else qos.EVIDENCE
        if profile is not self._profile:
            self._lines.close()
            self._listen(profile)

    def _listen(self, profile: QoSProfile) -> None:
        self._profile = profile
        self._lines.listen(self._type, self._topic, self._hear, profile, label=self._topic, asleep=True)

    def _hear(self, message: Any) -> None:
        self._last = message
        if self._node.active:
            self._take(message)
