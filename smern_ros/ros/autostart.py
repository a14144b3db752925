# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How a node that starts itself becomes active: when those that take what it gives are there to take it."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from rclpy.lifecycle import TransitionCallbackReturn

from smern_ros.ros.wait_for_nodes import NodeReadinessWaiter

if TYPE_CHECKING:
    from smern_ros.ros.node import SmernNode

START_TIMEOUT = 120.0
"""s after which a node goes on without those it waits for: a part of the graph is better than none."""


def configure_and_activate(
    node: SmernNode, spin_until: Callable[[Callable[[], bool]], None], *,
    loading: Callable[[], AbstractContextManager] = nullcontext,
) -> TransitionCallbackReturn:
    """Configures the node, waits for those in its parameter start_after, and activates it.

    The nodes load their models at the same time and become active in order. A lifecycle manager may step in while
    this one waits: then the node is the manager's.

    :param spin_until: runs the node's callbacks until something holds or the process is to end.
    :param loading: makes what surrounds the node's configuration.
    :return: of the transition that did not succeed, if one did not.
    """
    with loading():
        result = node.trigger_configure()
    if result != TransitionCallbackReturn.SUCCESS:
        return result
    names = [name.strip() for name in node.value('start_after').split(',') if name.strip()]
    if names and not _wait(node, names, spin_until):
        return result
    result = node.trigger_activate()
    if result == TransitionCallbackReturn.SUCCESS:
        node.get_logger().info('active')
    return result


def _wait(node: SmernNode, names: list[str], spin_until: Callable[[Callable[[], bool]], None]) -> bool:
    """:return: False if the process is to end, or somebody else has taken the node on."""
    results: list[list[str]] = []
    node.waits_for = names
    readiness = NodeReadinessWaiter(node, names, timeout=START_TIMEOUT, on_done=results.append)
    spin_until(lambda: bool(results) or node.state != 'inactive')
    readiness.close()
    node.waits_for = []
    if not results or node.state != 'inactive':
        return False
    for missing in results[0]:
        node.log_error('start_after', f'{missing} is not active after {START_TIMEOUT:.0f} s; starting without it')
    return True
