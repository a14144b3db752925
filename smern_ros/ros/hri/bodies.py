# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""ROS4HRI bodies: the list of ids, and the image points of each body."""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sensor_msgs.msg import CompressedImage, Image

from smern_ros import msg
from smern_ros.hri.ids import Changes, Roster
from smern_ros.media import image_size
from smern_ros.media.tracks import MAX_SIDE
from smern_ros.ros import qos, topics
from smern_ros.ros.dynamic_topics import DynamicEndpoints, warn_of_other_publishers
from smern_ros.ros.hri.messages import HriMessages
from smern_ros.ros.messages import header, skeletons_from_message, stamp_of
from smern_ros.ros.node import ConfigurationError, SmernNode

BODIES = f'{topics.HUMANS}/bodies'


class Bodies:
    """Publishes bodies/tracked and bodies/<id>/skeleton2d; an id is the person_id of our skeletons."""

    def __init__(self, node: SmernNode, hri: HriMessages, on_change: Callable[[Changes], None]) -> None:
        """:param on_change: called with added and removed ids, after the list was published."""
        self._node, self._hri, self._on_change = node, hri, on_change
        self.roster = Roster('bodies', limit=node.value('max_ids'), leave_after=node.value('leave_after'))
        self._skeletons: dict[str, tuple[DynamicEndpoints, Callable[[Any], None]]] = {}
        self._stamp_ns = 0
        self._size = ImageSize(node)
        self._tracked = node.add_publisher(hri.IdsList, f'{BODIES}/tracked', qos.LATCHED)
        node.add_subscription(msg.SkeletonArray, topics.SKELETON_RAW, self._on_skeletons, qos.STREAM)

    def start(self) -> None:
        self._size.start()

    def stop(self) -> None:
        self._size.stop()
        self.remove_all()

    def refresh(self) -> None:
        """Once a second: removes bodies that were not detected lately, and publishes the list."""
        self._apply(self.roster.update((), time.monotonic()))
        warn_of_other_publishers(self._node, f'{BODIES}/tracked', 'one robot needs one node that tracks bodies')
        stamp_ns = self._stamp_ns or self._node.get_clock().now().nanoseconds
        self._tracked.publish(self._hri.ids(self.roster.ids, header(stamp_ns, '')))

    def remove_all(self) -> None:
        self._apply(Changes((), self.roster.clear(), ()))
        self.refresh()

    def _on_skeletons(self, message: msg.SkeletonArray) -> None:
        received_at = time.monotonic()
        skeletons = skeletons_from_message(message)
        self._stamp_ns = stamp_of(message.header)
        changes = self.roster.update((s.person_id for s in skeletons), time.monotonic())
        for reason in changes.rejected:
            self._node.log_error(BODIES, reason)
        self._apply(changes)
        if changes.added or changes.removed:
            self._tracked.publish(self._hri.ids(self.roster.ids, message.header))
        size = self._size.known
        if size is None:
            return
        known = [s for s in skeletons if s.person_id in self._skeletons]
        self._node.each(BODIES, known, lambda skeleton: self._skeletons[skeleton.person_id][1](
            self._hri.skeleton(skeleton, *size, message.header)
        ))
        self._node.health.record_latency(time.monotonic() - received_at)

    def _apply(self, changes: Changes) -> None:
        for body in changes.removed:
            self._skeletons.pop(body)[0].close()
        for body in changes.added:
            endpoints = DynamicEndpoints(self._node)
            self._skeletons[body] = endpoints, endpoints.add_publisher(
                self._hri.Skeleton2D, f'{BODIES}/{body}/skeleton2d', qos.STREAM, label=f'{BODIES}/*/skeleton2d'
            )
        if changes.added or changes.removed:
            self._on_change(changes)


class ImageSize:
    """Size of the camera image: from the parameters, else from the first image."""

    def __init__(self, node: SmernNode) -> None:
        self._node = node
        self._endpoints = DynamicEndpoints(node)
        width, height = node.value('image_width'), node.value('image_height')
        if bool(width) != bool(height):
            raise ConfigurationError(f'image_width is {width} and image_height is {height}; set both or neither')
        self.known: tuple[int, int] | None = None
        """Width and height in pixels."""

    def start(self) -> None:
        width, height = self._node.value('image_width'), self._node.value('image_height')
        if width and height:
            self.known = width, height
            return
        self.known = None
        for message_type, topic in ((Image, topics.IMAGE), (CompressedImage, topics.IMAGE_COMPRESSED)):
            self._endpoints.add_subscription(message_type, topic, self._on_image, qos.IMAGES, label=topic)

    def stop(self) -> None:
        self._endpoints.close()

    def _on_image(self, message: Image | CompressedImage) -> None:
        if isinstance(message, CompressedImage):
            self.known = image_size.size(bytes(message.data))
        elif 0 < message.width <= MAX_SIDE and 0 < message.height <= MAX_SIDE:
            self.known = message.width, message.height
        else:
            raise ValueError(f'image has {message.width} x {message.height} pixels; the maximum side is {MAX_SIDE}')
        self._endpoints.close()
