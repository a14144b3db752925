# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Listens to the graph's topics and writes what comes to a bag, as it is: nothing is unpacked, nobody is held up."""
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

REST_WITHIN, REST_LOOKS = 2.0, 3
"""At the end: s to take what has arrived already, and looks in vain after which that was all."""
LOOK_EVERY = 0.2
"""s between two looks at who publishes with less than was asked for."""


class BagRecorder:
    """Records from its making until it is closed. For one thread; the bag is written by another.

    :param folder: of the bag; must not exist.
    :param namespace: of the graph.
    :param queue: bytes that may wait for the disk.
    :raises BagError: if the bag cannot be made.
    """

    def __init__(
        self, folder: Path, streams: Sequence[Stream], *, namespace: str, queue: int, about: dict[str, str],
    ) -> None:
        self.failure: BagError | None = None
        self._size = self._came = 0
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
        self._looked_at = -math.inf
        for topic, stream in self._streams.items():
            self._types[topic] = stream.type_name
            self._subscribe(topic, stream.qos)
        self._thread.start()

    def spin_until(self, condition: Callable[[], Any], *, timeout: float = math.inf) -> None:
        """Records until the condition holds, the disk is full or so many seconds are over."""
        deadline = time.monotonic() + timeout
        while not (condition() or self.failure is not None) and time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.1)
            self._ask_for_what_is_offered()

    def close(self) -> None:
        """Takes what has arrived, writes what waits and closes the bag. :raises BagError: if it cannot be written."""
        self._take_the_rest()
        self._executor.shutdown(timeout_sec=1.0)
        self._queue.close()
        self._thread.join()  # the bag is whole before what may hang
        with stop_signals.closing():
            self._node.destroy_node()
            rclpy.try_shutdown(context=self._context)
        if self.failure is not None:
            raise self.failure

    def _take_the_rest(self) -> None:
        """What is in the middleware's own queues."""
        until, idle = time.monotonic() + REST_WITHIN, 0
        while idle < REST_LOOKS and time.monotonic() < until and self.failure is None:
            before = self._came
            self._executor.spin_once(timeout_sec=0.05)
            idle = idle + 1 if self._came == before else 0

    @property
    def counts(self) -> dict[str, int]:
        """Messages written, by topic."""
        return self._writer.counts

    @property
    def dropped(self) -> Counter[str]:
        """Messages that found the queue full, by topic."""
        return self._queue.dropped

    @property
    def size(self) -> int:
        """Bytes of the bag's file by now; what comes last stays in memory until it is a mebibyte."""
        return self._size

    # --- from the network ---------------------------------------------------------------------------------------

    def _subscribe(self, topic: str, profile: QoSProfile) -> None:
        def take(data: bytes) -> None:
            self._came += 1
            self._queue.put(Received(topic, time.time_ns(), data))

        stream = self._streams[topic]
        self._profiles[topic] = profile
        # Without callbacks of events: the events executor may crash when a subscription that has some ends.
        self._subscriptions[topic] = self._node.create_subscription(
            stream.type, stream.topic, take, profile, raw=True,
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
        )

    def _ask_for_what_is_offered(self) -> None:
        """A subscription is as the graph publishes; if somebody publishes with less, then so."""
        if time.monotonic() < self._looked_at + LOOK_EVERY:
            return
        self._looked_at = time.monotonic()
        for topic, stream in self._streams.items():
            if self._profiles[topic] is stream.qos and any(
                qos_check_compatible(publisher.qos_profile, stream.qos)[0] == QoSCompatibility.ERROR
                for publisher in self._node.get_publishers_info_by_topic(topic)
            ):
                self._node.destroy_subscription(self._subscriptions[topic])
                self._subscribe(topic, _undemanding(stream.qos))

    # --- to the disk, on its thread -----------------------------------------------------------------------------

    def _write(self) -> None:
        writer = self._writer
        try:
            with writer:
                while (received := self._queue.take()) is not None:
                    if received.topic not in writer.counts:
                        profile = _described(self._profiles[received.topic])
                        writer.add_topic(received.topic, self._types[received.topic], profile)
                    writer.write(received.topic, received.time_ns, received.data)
                    self._size = writer.size
                self._size = writer.size
        except BagError as error:
            self.failure = error
        except Exception as error:  # a thread's error would be nobody's
            self.failure = BagError(f'{writer.folder} cannot be written: {error}')
        finally:
            self._queue.close()


def _undemanding(profile: QoSProfile) -> QoSProfile:
    """That hears everybody, though not every message."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=profile.depth,
        reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE,
    )


def _described(profile: QoSProfile) -> dict[str, Any]:
    """As metadata.yaml tells it, so that whoever plays the bag publishes in the same way."""
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
