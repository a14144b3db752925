# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of every node: described, bounded, and changed while the node runs, or refused with what to do."""
from __future__ import annotations

import math

import pytest
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.parameter import Parameter as RosParameter
from support import interfaces
from support.lifecycle import Manager

from smern_ros import assets
from smern_ros.deploy import graph
from smern_ros.ros.node import SmernNode
from smern_ros.ros.parameters import WHEN_CONFIGURED, Parameter

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # those of the bridges compile messages first

NEEDS = {'pose_estimation': 'pose-landmarker-full', 'asr': 'whisper-tiny.en'}
"""Assets without which a node cannot be configured."""
PACKAGES = {'ros4hri_bridge': [interfaces.ROS4HRI], 'audio_bridge': [interfaces.MGONZS13]}
"""Message packages of others, likewise."""


def tables() -> dict[str, tuple[Parameter, ...]]:
    import importlib

    found = {}
    for node in graph.NODES:
        classes = vars(importlib.import_module(node.module)).values()
        (table,) = {c.PARAMETERS for c in classes
                    if isinstance(c, type) and issubclass(c, SmernNode) and getattr(c, 'NAME', None) == node.name}
        found[node.name] = (*SmernNode.COMMON_PARAMETERS, *table)
    return found


TABLES = tables()


@pytest.mark.parametrize('name', TABLES)
def test_each_has_a_description_and_each_number_its_bounds(name):
    for p in TABLES[name]:
        assert len(p.description) > 8, p.name
        number = isinstance(p.default, int | float) and not isinstance(p.default, bool)
        assert (p.bounds is not None) == number, f'{p.name}: bounds {p.bounds}'
        assert p.bounds is None or p.bounds[0] <= p.default <= p.bounds[1], p.name
        assert not p.choices or p.default in p.choices, p.name
        assert not (p.live and p.fixed), p.name


class Remote:
    """The parameter services of a node, as `ros2 param` calls them."""

    def __init__(self, probe, name: str) -> None:
        self._probe, self._name = probe, name

    def describe(self, names):
        return self._call(DescribeParameters, 'describe_parameters', names=list(names)).descriptors

    def names(self) -> set[str]:
        return set(self._call(ListParameters, 'list_parameters').result.names)

    def values(self, names) -> list:
        from rclpy.parameter import parameter_value_to_python

        return [parameter_value_to_python(v) for v in self._call(GetParameters, 'get_parameters', names=names).values]

    def set(self, values: dict) -> dict[str, str | None]:
        """Each by itself. :return: by name, the reason of a refusal; None if it was set."""
        messages = [RosParameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        assert all(isinstance(message, ParameterMessage) for message in messages)
        results = self._call(SetParameters, 'set_parameters', parameters=messages).results
        return {name: None if r.successful else r.reason for name, r in zip(values, results, strict=True)}

    def _call(self, service_type, service, **request):
        return self._probe.call(service_type, f'{self._name}/{service}', **request)


def another(p: Parameter):
    """A value that is allowed and is not the default."""
    if p.choices:
        return next((choice for choice in p.choices if choice != p.default), p.default)
    match p.default:
        case bool():
            return not p.default
        case int():
            return p.default + 1 if p.default < p.bounds[1] else p.default - 1
        case float():
            low, high = p.bounds
            return 0.95 * p.default + 0.05 * (low if p.default > low else high)
        case str():
            return 'another'
    raise AssertionError(f'{p.name}: a parameter of type {type(p.default)}')


def beyond(p: Parameter) -> list:
    low, high = p.bounds
    values = [low - 1, 2 * high + 1, *([math.nan] if isinstance(p.default, float) else [])]
    return [type(p.default)(value) for value in values]


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=[pytest.mark.weights] if name in NEEDS else []) for name in TABLES
])
def test_a_change_works_or_is_refused_with_a_reason_that_says_what_to_do(probe, start_node, give_interfaces, name):
    if name in NEEDS:
        try:
            assets.path(NEEDS[name])
        except assets.MissingAsset as error:
            pytest.skip(str(error))
    give_interfaces(*PACKAGES.get(name, ()))
    start_node(name, {'autostart': False})
    manager, remote = Manager(probe, name), Remote(probe, name)
    table = {p.name: p for p in TABLES[name]}
    defaults = {p.name: p.default for p in table.values()} | {'autostart': False}
    assert set(table) <= remote.names()

    for descriptor in remote.describe(table):
        p = table[descriptor.name]
        assert descriptor.description == p.description
        assert descriptor.read_only == p.fixed
        assert (WHEN_CONFIGURED in descriptor.additional_constraints) == (not p.live and not p.fixed)
        assert all(choice in descriptor.additional_constraints for choice in p.choices)
        ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
        assert [(r.from_value, r.to_value) for r in ranges] == ([p.bounds] if p.bounds else [])

    # Unconfigured: all but what only a start reads.
    changes = {p.name: another(p) for p in table.values()}
    for parameter, reason in remote.set(changes).items():
        assert reason is None if not table[parameter].fixed else 'read-only' in reason, f'{parameter}: {reason}'
    assert set(remote.set({n: v for n, v in defaults.items() if not table[n].fixed}).values()) == {None}

    manager.configure()
    for parameter, reason in remote.set(changes).items():
        if table[parameter].live:
            assert reason is None, f'{parameter}: {reason}'
        elif not table[parameter].fixed:
            assert parameter in reason and 'deactivate and clean up' in reason and 'parameter file' in reason
        else:
            assert parameter in reason and 'read-only' in reason
    now = dict(zip(table, remote.values(list(table)), strict=True))
    assert now == {n: changes[n] if p.live else defaults[n] for n, p in table.items()}

    for p in table.values():
        for value in beyond(p) if p.bounds and p.live else []:
            (reason,) = remote.set({p.name: value}).values()
            assert reason is not None and f'{p.name} out of range' in reason and 'Min' in reason, f'{p.name}: {reason}'
        wrong = 1 if isinstance(p.default, str) else 'text'
        (reason,) = remote.set({p.name: wrong}).values()
        assert reason is not None and ('expected' in reason or p.fixed), f'{p.name}: {reason}'
    assert dict(zip(table, remote.values(list(table)), strict=True)) == now


def test_values_that_do_not_go_together_are_refused_with_the_reason(probe, start_node):
    start_node('skeleton_filter')
    manager = Remote(probe, 'skeleton_filter')
    probe.wait_for_speaker('skeleton/window')
    assert manager.set({'history': 5, 'gesture_window': 4.0}) == {'history': None, 'gesture_window': None}
    (reason,) = manager.set({'history': 3.0}).values()
    assert 'gesture_window is 4.0 s, but history keeps only 3.0 s; increase history' in reason
