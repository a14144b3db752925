"""A lifecycle manager, as a robot's launch has one: it moves a node from state to state through its services."""
from __future__ import annotations

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from support.probe import Probe


class Manager:
    """Of one node that was started with autostart false; ready when the node's services are."""

    def __init__(self, probe: Probe, node: str, *, timeout: float = 60.0) -> None:
        self._probe, self._node, self._timeout = probe, node, timeout
        self._client = probe.node.create_client(ChangeState, f'{node}/change_state')
        probe.wait_for(self._client.service_is_ready, f'the lifecycle services of {node}', timeout)

    def configure(self) -> None:
        self._change(Transition.TRANSITION_CONFIGURE)

    def activate(self) -> None:
        self._change(Transition.TRANSITION_ACTIVATE)

    def deactivate(self) -> None:
        self._change(Transition.TRANSITION_DEACTIVATE)

    def cleanup(self) -> None:
        self._change(Transition.TRANSITION_CLEANUP)

    def _change(self, number: int) -> None:
        request = ChangeState.Request()
        request.transition.id = number
        answer = self._client.call_async(request)
        self._probe.wait_for(answer.done, f'transition {number} of {self._node}', self._timeout)
        assert answer.result().success, f'{self._node} refused transition {number}'
