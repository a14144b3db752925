"""Waiting until other nodes are there: active by their own word, not by a guess at how long that takes."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState

from smern_ros.nodes.base import SmernNode

LOOK_EVERY = 0.05
"""Seconds between two looks."""

SAY_AFTER = 2.0
"""Seconds after which it is said who is waited for."""


class RollCall:
    """Asks managed nodes for their states until all are active.

    :param names: of the nodes, in the asking node's namespace.
    :param also_missing: names what else is not there yet, such as a subscriber.
    :param on_done: called once with what is still missing: nothing, or after `timeout` seconds what did not come.
    """

    def __init__(
        self,
        node: SmernNode,
        names: Iterable[str],
        *,
        also_missing: Callable[[], list[str]],
        timeout: float,
        on_done: Callable[[list[str]], None],
    ):
        self._node = node
        self._also_missing = also_missing
        self._on_done = on_done
        self._give_up_at = time.monotonic() + timeout
        self._say_at = time.monotonic() + SAY_AFTER
        self._absent = set(names)
        self._clients = {name: node.create_client(GetState, f'{name}/get_state') for name in sorted(self._absent)}
        self._cancel = node.after(0.0, self._look)

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
            if self._clients[name].service_is_ready():
                answer = self._clients[name].call_async(GetState.Request())
                answer.add_done_callback(lambda future, name=name: self._note(name, future))
        self._cancel = self._node.after(LOOK_EVERY, self._look)

    def _note(self, name: str, future) -> None:
        if future.exception() is None and future.result().current_state.id == State.PRIMARY_STATE_ACTIVE:
            self._absent.discard(name)
