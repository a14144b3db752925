# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Node parameters as a table: declared, described and checked from one place."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

WHEN_CONFIGURED = 'read when the node is configured'


@dataclass(frozen=True)
class Parameter:
    """One parameter of a node: read when the node is configured, unless it is `live` or `fixed`."""

    name: str
    default: bool | int | float | str
    description: str                             # with its unit
    bounds: tuple[float, float] | None = None    # inclusive
    choices: tuple[str, ...] = ()
    live: bool = False                           # may be changed while the node runs
    fixed: bool = False                          # read when the process starts, and never again
    path: bool = False                           # of a file or folder: a leading ~ is the home folder

    def descriptor(self) -> ParameterDescriptor:
        descriptor = ParameterDescriptor(description=self.description, read_only=self.fixed)
        constraints = ['one of: ' + ', '.join(self.choices)] if self.choices else []
        constraints += [] if self.live or self.fixed else [WHEN_CONFIGURED]
        descriptor.additional_constraints = '; '.join(constraints)
        if self.bounds is not None:
            low, high = self.bounds
            if isinstance(self.default, float):
                descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
            else:
                descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
        return descriptor


def declare(
    node: Node,
    parameters: Sequence[Parameter],
    *,
    configured: Callable[[], bool] = lambda: False,
    check: Callable[[dict[str, Any]], None] = lambda values: None,
    changed: Callable[[], None] = lambda: None,
) -> None:
    """Declares them all; a value outside its choices is refused, now and later, and each refusal says what to do.

    :param configured: whether the node has read those that are read when it is configured.
    :param check: of a configured node: may its live parameters have these values, all of the node's by name?
        A ValueError is the reason why not.
    :param changed: called after a configured node's parameters were changed.
    :raises rclpy.exceptions.ParameterException: if a given value (file, command line) is refused.
    """
    table = {p.name: p for p in parameters}
    numbers = {p.name for p in parameters if isinstance(p.default, float)}

    def refusal(changes: list[RosParameter]) -> str:
        for change in changes:
            known = table.get(change.name)
            if known is None:
                continue
            if known.choices and change.value not in known.choices:
                return f'{change.name} is {change.value!r}; expected one of {known.choices}'
            if configured() and not known.live:
                return (f'{change.name} is {WHEN_CONFIGURED}: deactivate and clean up {node.get_name()}, set it, then '
                        'configure and activate again; or change the parameter file and restart')
        if configured():
            values = {name: node.get_parameter(name).value for name in table}
            try:
                check(values | {change.name: change.value for change in changes if change.name in table})
            except ValueError as error:
                return str(error)
        return ''

    def widen(changes: list[RosParameter]) -> list[RosParameter]:
        """A whole number is a number, too; ROS would refuse it."""
        return [
            RosParameter(change.name, value=float(change.value))
            if change.name in numbers and change.type_ == RosParameter.Type.INTEGER else change
            for change in changes
        ]

    def judge(changes: list[RosParameter]) -> SetParametersResult:
        reason = refusal(changes)
        return SetParametersResult(successful=not reason, reason=reason)

    def tell(changes: list[RosParameter]) -> None:
        if configured() and any(change.name in table for change in changes):
            changed()

    node.add_pre_set_parameters_callback(widen)
    node.add_on_set_parameters_callback(judge)
    node.add_post_set_parameters_callback(tell)
    for p in parameters:
        node.declare_parameter(p.name, p.default, p.descriptor())
