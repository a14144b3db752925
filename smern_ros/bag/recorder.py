# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscribes to the graph's topics and writes the serialized messages to a bag."""
from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)

from smern_ros.bag.errors import BagError
from smern_ros.bag.queue import BoundedQueue, Received
from smern_ros.bag.writer import BagWriter
from smern_ros.deploy import dds_in_force, stop_signals
from smern_ros.ros import executor
from smern_ros.ros.streams import Stream

DRAIN_TIMEOUT, DRAIN_CHECKS = 2.0, 3
"""On closing: most s to receive messages that arrived already; it ends after so many checks without a message."""
CHECK_PERIOD = 0.2
"""s between two checks of the publishers' QoS."""


class BagRecorder:
    """Records from its creation until `close`. Not thread-safe; another thread writes the bag.

    :param folder: of the bag; must not exist.
    :param namespace: of the graph.
    :param queue: most bytes that wait for the disk.
    :raises BagError: if the bag cannot be created.
    """

    def __init__(
        self, folder: Path, streams: Sequence[Stream], *, namespace: str, queue: int, about: dict[str, str],
    ) -> None:
        self.failure: BagError | None = None
        self._size = self._received = 0
        self._writer = BagWriter(folder, about=about)
        self._queue = BoundedQueue(queue)
        self._thread = threading.Thread(target=self._write, name='bag', daemon=True)
        self._context = Context()
        rclpy.init(context=self._context)
        self._node = Node('recorder', context=self._context, namespace=namespace.strip('/'))
        if wrong := dds_in_force.problem(rclpy.get_rmw_implementation_identifier()):
            self._node.get_logger().error(wrong)
        self._executor = executor.create(self._context)
        self._executor.add_node(self._node)
        self._profiles: dict[str, QoSProfile] = {}
        self._types: dict[str, str] = {}
        self._subscriptions: dict[str, Any] = {}
        self._streams = {self._node.resolve_topic_name(stream.topic): stream for stream in streams}
        self._checked_at = -math.inf
        for topic, stream in self._streams.items():
            self._types[topic] = stream.type_name
            self._subscribe(topic, stream.qos)
        self._thread.start()

    def spin_until(self, condition: Callable[[], Any], *, timeout: float = math.inf) -> None:
        """Record until the condition holds, writing fails or `timeout` s passed."""
        deadline = time.monotonic() + timeout
        while not (condition() or self.failure is not None) and time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.1)
            self._adapt_reliability()

    def close(self) -> None:
        """Write the messages that arrived and close the bag. :raises BagError: if it cannot be written."""
        self._drain()
        self._executor.shutdown(timeout_sec=1.0)
        self._queue.close()
        self._thread.join()  # the bag is complete before ROS shuts down, which may hang
        with stop_signals.closing():
            self._node.destroy_node()
            rclpy.try_shutdown(context=self._context)
        if self.failure is not None:
            raise self.failure

    def _drain(self) -> None:
        """Receive the messages in the queues of the middleware."""
        until, idle = time.monotonic() + DRAIN_TIMEOUT, 0
        while idle < DRAIN_CHECKS and time.monotonic() < until and self.failure is None:
            before = self._received
            self._executor.spin_once(timeout_sec=0.05)
            idle = idle + 1 if self._received == before else 0

    @property
    def counts(self) -> dict[str, int]:
        """Messages written, by topic."""
        return self._writer.counts

    @property
    def dropped(self) -> Counter[str]:
        """Messages dropped because the queue was full, by topic."""
        return self._queue.dropped

    @property
    def size(self) -> int:
        """Bytes of the bag's file; up to 1 MiB more is buffered in memory."""
        return self._size

    # --- from the network ---------------------------------------------------------------------------------------

    def _subscribe(self, topic: str, profile: QoSProfile) -> None:
        def on_message(data: bytes) -> None:
            self._received += 1
            self._queue.put(Received(topic, time.time_ns(), data))

        stream = self._streams[topic]
        self._profiles[topic] = profile
        # No event callbacks: the events executor may crash when such a subscription is destroyed.
        self._subscriptions[topic] = self._node.create_subscription(
            stream.type, stream.topic, on_message, profile, raw=True,
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
        )

    def _adapt_reliability(self) -> None:
        """Subscribe as best effort and volatile to topics with a publisher that does not match the graph's QoS."""
        if time.monotonic() < self._checked_at + CHECK_PERIOD:
            return
        self._checked_at = time.monotonic()
        for topic, stream in self._streams.items():
            if self._profiles[topic] is stream.qos and any(
                qos_check_compatible(publisher.qos_profile, stream.qos)[0] == QoSCompatibility.ERROR
                for publisher in self._node.get_publishers_info_by_topic(topic)
            ):
                self._node.destroy_subscription(self._subscriptions[topic])
                self._subscribe(topic, _compatible(stream.qos))

    # --- to the disk, on its thread -----------------------------------------------------------------------------

    def _write(self) -> None:
        writer = self._writer
        try:
            with writer:
                while (received := self._queue.take()) is not None:
                    if received.topic not in writer.counts:
                        profile = _to_metadata(self._profiles[received.topic])
                        writer.add_topic(received.topic, self._types[received.topic], profile)
                    writer.write(received.topic, received.time_ns, received.data)
                    self._size = writer.size
                self._size = writer.size
        except BagError as error:
            self.failure = error
        except Exception as error:  # an exception would end the thread unnoticed
            self.failure = BagError(f'{writer.folder} cannot be written: {error}')
        finally:
            self._queue.close()


def _compatible(profile: QoSProfile) -> QoSProfile:
    """A profile that matches all publishers, though messages may be lost."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=profile.depth,
        reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE,
    )


def _to_metadata(profile: QoSProfile) -> dict[str, Any]:
    """The profile in the format of metadata.yaml."""
    def seconds(duration: Any) -> dict[str, int]:
        return dict(zip(('sec', 'nsec'), divmod(duration.nanoseconds, 10**9), strict=True))

    return {
        'history': profile.history.name.lower(), 'depth': profile.depth,
        'reliability': profile.reliability.name.lower(), 'durability': profile.durability.name.lower(),
        'deadline': seconds(profile.deadline), 'lifespan': seconds(profile.lifespan),
        'liveliness': profile.liveliness.name.lower(),
        'liveliness_lease_duration': seconds(profile.liveliness_lease_duration),
        'avoid_ros_namespace_conventions': profile.avoid_ros_namespace_conventions,
    }
