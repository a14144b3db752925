# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Waits until other nodes are active, by their lifecycle state."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.client import Client

if TYPE_CHECKING:
    from smern_ros.ros.node import SmernNode

CHECK_PERIOD = 0.05
"""Seconds between two checks."""

RETRY_PERIOD = 0.5
"""Seconds after which the request to a node is repeated: it may load a model, or have died."""

LOG_AFTER = 2.0
"""Seconds after which the missing nodes are logged."""


class NodeReadinessWaiter:
    """Asks managed nodes for their states until all are active.

    :param node: who asks, in whatever state.
    :param names: of the nodes, in the asking node's namespace.
    :param also_missing: names what else is not there yet, such as a subscriber.
    :param on_done: called once with what is still missing: nothing, or after `timeout` seconds what did not come.
    """

    def __init__(
        self,
        node: SmernNode,
        names: Iterable[str],
        *,
        also_missing: Callable[[], list[str]] = list,
        timeout: float,
        on_done: Callable[[list[str]], None],
    ):
        self._node = node
        self._also_missing = also_missing
        self._on_done = on_done
        self._deadline = time.monotonic() + timeout
        self._log_at = time.monotonic() + LOG_AFTER
        self._inactive = set(names)
        self._requested_at = dict.fromkeys(self._inactive, -float('inf'))
        self._clients: dict[str, Client] = {
            name: node.create_client(GetState, f'{name}/get_state') for name in sorted(self._inactive)
        }
        self._cancel: Callable[[], None] | None = node.call_later(0.0, self._check, while_inactive=True)

    def close(self) -> None:
        """Stops asking."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        while self._clients:
            self._node.destroy_client(self._clients.popitem()[1])

    def _check(self) -> None:
        self._cancel = None
        missing = sorted(self._inactive) + self._also_missing()
        if not missing or time.monotonic() > self._deadline:
            self.close()
            self._on_done(missing)
            return
        if time.monotonic() > self._log_at:
            self._log_at = float('inf')
            self._node.get_logger().info(f'waiting for {", ".join(missing)}')
        for name in self._inactive:
            self._request_state(name)
        self._cancel = self._node.call_later(CHECK_PERIOD, self._check, while_inactive=True)

    def _request_state(self, name: str) -> None:
        client = self._clients[name]
        if time.monotonic() < self._requested_at[name] + RETRY_PERIOD or not client.service_is_ready():
            return
        self._requested_at[name] = time.monotonic()
        response = client.call_async(GetState.Request())
        response.add_done_callback(lambda future: self._on_state(name, future))

    def _on_state(self, name: str, future) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        self._requested_at[name] = -float('inf')
        if future.result().current_state.id == State.PRIMARY_STATE_ACTIVE:
            self._inactive.discard(name)
