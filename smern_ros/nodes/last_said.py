"""A list of ids that others publish, such as persons/tracked."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from smern_ros.nodes import qos
from smern_ros.nodes.base import SmernNode
from smern_ros.nodes.hri_messages import HriMessages
from smern_ros.nodes.lines import Lines


class TrackedList:
    """Hears it from any publisher, what was said before we came included, where the publisher keeps that."""

    def __init__(self, node: SmernNode, hri: HriMessages, topic: str, take: Callable[[Sequence[str]], None]) -> None:
        """:param take: given the ids; none of them when nobody publishes the list any more."""
        self._node, self._hri, self._topic, self._take = node, hri, topic, take
        self._lines = Lines(node)
        self._profile: QoSProfile | None = None
        self._told = False

    def start(self) -> None:
        self._listen(qos.EVIDENCE)

    def stop(self) -> None:
        self._lines.close()

    def follow(self) -> None:
        """Once a second: publishers come and go."""
        publishers = [info.qos_profile for info in self._node.get_publishers_info_by_topic(self._topic)]
        if not publishers and self._told:
            self._told = False
            self._take(())
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
        self._lines.listen(self._hri.IdsList, self._topic, self._hear, profile, label=self._topic)

    def _hear(self, message: Any) -> None:
        self._told = True
        self._take(message.ids)
