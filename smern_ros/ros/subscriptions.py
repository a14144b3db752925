# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions whose reliability follows their publishers.

A reliable subscription does not match a best-effort publisher; a best-effort one loses messages larger than a socket's
buffer, which is nearly every raw image. So a best-effort subscription becomes reliable while all publishers are.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

if TYPE_CHECKING:
    from smern_ros.ros.lifecycle import ManagedNode

CHECK_PERIOD = 1.0
"""s between two checks of the publishers."""
SILENT_CHECKS = 10
"""Checks without any message, with a best-effort publisher present, before a warning."""


WINDOW = 10
"""Checks over which loss is counted."""
FEW, SOME = 0.5, 5
"""Loss is reported if less than this share of the messages arrived, and at least so many are missing."""
MOST_PUBLISHERS = 64


class ArrivalCounter:
    """Counts lost messages by gaps in the sequence numbers, which a slow or pausing publisher does not leave."""

    def __init__(self) -> None:
        self._newest: dict[bytes, int] = {}  # number, by publisher
        self._past: deque[tuple[int, int]] = deque(maxlen=WINDOW)
        self._received = self._missing = 0

    @property
    def any(self) -> bool:
        return bool(self._newest)

    def record(self, publisher: bytes, number: int) -> None:
        """Count a received message. :param number: sequence number of this publisher."""
        newest = self._newest.get(publisher)
        if newest is None and len(self._newest) >= MOST_PUBLISHERS:
            self._newest.clear()
        self._newest[publisher] = number
        self._received += 1
        if newest is not None:
            self._missing += max(number - newest - 1, 0)

    def recent_loss(self) -> tuple[int, int] | None:
        """Call once per check. :return: numbers of messages received and sent lately, if too many are lost."""
        self._past.append((self._received, self._missing))
        self._received = self._missing = 0
        received, missing = (sum(counts) for counts in zip(*self._past, strict=True))
        return (received, received + missing) if missing >= SOME and received < FEW * (received + missing) else None


def subscribe(
    node: ManagedNode, message_type: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile
) -> Callable[[], object]:
    """Create a subscription. With a best-effort profile its reliability follows the publishers; loss is reported.

    :return: function that destroys it.
    """
    if profile.reliability == ReliabilityPolicy.BEST_EFFORT:
        return _AdaptiveSubscription(node, message_type, topic, callback, profile).close
    subscription = node.create_subscription(message_type, topic, callback, profile)
    return lambda: node.destroy_subscription(subscription)


class _AdaptiveSubscription:
    def __init__(
        self, node: ManagedNode, message_type: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile
    ) -> None:
        self._node, self._type, self._topic, self._callback = node, message_type, topic, callback
        self._best_effort = profile
        self._reliable = QoSProfile(
            history=profile.history, depth=profile.depth, durability=profile.durability,
            reliability=ReliabilityPolicy.RELIABLE,
        )
        self._publishers = 0
        self._profile = self._select_profile()
        self._subscription = self._subscribe()
        self._timer = node.create_timer(CHECK_PERIOD, self._check, clock=node.steady)

    def close(self) -> None:
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)
        self._node.health.warn(f'loss of {self._topic}', '')

    def _select_profile(self) -> QoSProfile:
        offered = [info.qos_profile.reliability for info in self._node.get_publishers_info_by_topic(self._topic)]
        self._publishers = len(offered)
        reliable = offered and all(r == ReliabilityPolicy.RELIABLE for r in offered)
        return self._reliable if reliable else self._best_effort

    def _subscribe(self) -> Subscription:
        self._arrivals, self._silent_checks = ArrivalCounter(), 0
        # No event callbacks, not even rclpy's: the events executor may crash when such a subscription is destroyed.
        subscription = self._node.create_subscription(
            self._type, self._topic, self._receive, self._profile,
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
        )
        # rclpy would pass the message alone by the signature; with two parameters its events executor fails.
        subscription._callback_type = Subscription.CallbackType.WithMessageInfo
        return subscription

    def _receive(self, *given: Any) -> None:
        """:param given: message and info; as one pair from the events executor."""
        message, info = given[0] if len(given) == 1 else given
        number = info.get('publication_sequence_number')  # None if the middleware has none
        publisher = (info.get('publisher_gid') or {}).get('data')  # not in every release
        if number is not None and (publisher is not None or self._publishers == 1):
            self._arrivals.record(publisher or b'', number)
        self._callback(message)

    def _check(self) -> None:
        if not self._node.context.ok():
            return
        try:
            profile = self._select_profile()
            if profile is not self._profile:
                self._profile = profile
                self._node.destroy_subscription(self._subscription)
                self._subscription = self._subscribe()
        except Exception as error:  # an exception in a timer would end the process
            self._node.log_error(self._topic, error)
        self._node.health.warn(f'loss of {self._topic}', self._loss())

    def _loss(self) -> str:
        name, loss = self._node.resolve_topic_name(self._topic), self._arrivals.recent_loss()
        advice = 'let its driver publish reliably, or run with the DDS profile of this package (README, your camera)'
        if loss is not None:
            return f'only {loss[0]} of {loss[1]} messages of {name} arrived in the last {WINDOW} s: {advice}'
        nothing = self._publishers and not self._arrivals.any and self._profile is self._best_effort
        self._silent_checks = self._silent_checks + 1 if nothing and self._node.active else 0
        if self._silent_checks < SILENT_CHECKS:
            return ''
        return f'{name} is published best effort, and no message has arrived yet; if its driver is running, {advice}'
