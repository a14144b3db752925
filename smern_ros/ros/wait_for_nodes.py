"""Waiting until other nodes are there: active by their own word, not by a guess at how long that takes."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.client import Client

if TYPE_CHECKING:
    from smern_ros.ros.node import SmernNode

LOOK_EVERY = 0.05
"""Seconds between two looks."""

ASK_AGAIN = 0.5
"""Seconds without an answer after which a node is asked again: it may load a model, or have died."""

SAY_AFTER = 2.0
"""Seconds after which it is said who is waited for."""


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
        self._give_up_at = time.monotonic() + timeout
        self._say_at = time.monotonic() + SAY_AFTER
        self._absent = set(names)
        self._asked_at = dict.fromkeys(self._absent, -float('inf'))
        self._clients: dict[str, Client] = {
            name: node.create_client(GetState, f'{name}/get_state') for name in sorted(self._absent)
        }
        self._cancel: Callable[[], None] | None = node.after(0.0, self._look, asleep=True)

    def close(self) -> None:
        """Ask no more."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        while self._clients:
            self._node.destroy_client(self._clients.popitem()[1])

    def _look(self) -> None:
        self._cancel = None
        missing = sorted(self._absent) + self._also_missing()
        if not missing or time.monotonic() > self._give_up_at:
            self.close()
            self._on_done(missing)
            return
        if time.monotonic() > self._say_at:
            self._say_at = float('inf')
            self._node.get_logger().info(f'waiting for {", ".join(missing)}')
        for name in self._absent:
            self._ask(name)
        self._cancel = self._node.after(LOOK_EVERY, self._look, asleep=True)

    def _ask(self, name: str) -> None:
        client = self._clients[name]
        if time.monotonic() < self._asked_at[name] + ASK_AGAIN or not client.service_is_ready():
            return
        self._asked_at[name] = time.monotonic()
        answer = client.call_async(GetState.Request())
        answer.add_done_callback(lambda future: self._note(name, future))

    def _note(self, name: str, future) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        self._asked_at[name] = -float('inf')
        if future.result().current_state.id == State.PRIMARY_STATE_ACTIVE:
            self._absent.discard(name)
