"""Node parameters as a table: declared, described and checked from one place."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node


@dataclass(frozen=True)
class Parameter:
    """One parameter of a node."""

    name: str
    default: bool | int | float | str
    description: str                             # with its unit
    bounds: tuple[float, float] | None = None    # inclusive
    choices: tuple[str, ...] = ()
    live: bool = False                           # may be changed while the node runs

    def descriptor(self) -> ParameterDescriptor:
        descriptor = ParameterDescriptor(description=self.description, read_only=not self.live)
        if self.choices:
            descriptor.additional_constraints = 'one of: ' + ', '.join(self.choices)
        if self.bounds is not None:
            low, high = self.bounds
            if isinstance(self.default, float):
                descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
            else:
                descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
        return descriptor


def declare(node: Node, parameters: Sequence[Parameter]) -> None:
    """Declares them all; a value outside its choices is refused, now and later.

    :raises rclpy.exceptions.ParameterException: if a given value (file, command line) is refused.
    """
    choices = {p.name: p.choices for p in parameters if p.choices}

    def check(changes) -> SetParametersResult:
        for change in changes:
            allowed = choices.get(change.name)
            if allowed and change.value not in allowed:
                return SetParametersResult(
                    successful=False, reason=f'{change.name} is {change.value!r}, but must be one of {allowed}'
                )
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(check)
    for p in parameters:
        node.declare_parameter(p.name, p.default, p.descriptor())
