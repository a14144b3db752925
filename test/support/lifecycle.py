# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A lifecycle manager, as a robot's launch has one: it moves a node from state to state through its services."""
from __future__ import annotations

import time

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

from support.probe import Probe

ANSWERED_WITHIN = 5.0
"""s; an answer that takes longer may be lost: DDS had found the way to the node, and not yet that back."""
ASK_EVERY = 0.5  # s


class Manager:
    """Of one node that was started with autostart false; ready when the node's services are."""

    def __init__(self, probe: Probe, node: str, *, timeout: float = 60.0) -> None:
        self._probe, self._node, self._timeout = probe, node, timeout
        self._change_state = probe.node.create_client(ChangeState, f'{node}/change_state')
        self._get_state = probe.node.create_client(GetState, f'{node}/get_state')
        probe.wait_for(lambda: self._change_state.service_is_ready() and self._get_state.service_is_ready(),
                       f'the lifecycle services of {node}', timeout)

    def configure(self) -> None:
        self._change(Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE)

    def activate(self) -> None:
        self._change(Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE)

    def deactivate(self) -> None:
        self._change(Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE)

    def cleanup(self) -> None:
        self._change(Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED)

    def _change(self, number: int, goal: int) -> None:
        request = ChangeState.Request()
        request.transition.id = number
        answer, states, asked_at = self._change_state.call_async(request), [], time.monotonic()

        def done() -> bool:
            nonlocal asked_at
            now = time.monotonic()
            if now > asked_at + (ASK_EVERY if states else ANSWERED_WITHIN):
                asked_at = now
                states.append(self._get_state.call_async(GetState.Request()))
            return answer.done() or any(s.done() and s.result().current_state.id == goal for s in states)

        self._probe.wait_for(done, f'transition {number} of {self._node}', self._timeout)
        assert not answer.done() or answer.result().success, f'{self._node} refused transition {number}'
