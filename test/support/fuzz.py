# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Garbage for every topic that a node listens to, drawn from the fields of its messages by hypothesis."""
from __future__ import annotations

import array
import copy
import functools
import importlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

import psutil
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lifecycle_msgs.srv import GetState
from rclpy.node import NodeNameNonExistentError
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message

from smern_ros.ros import diagnostics, qos, topics
from smern_ros.ros.messages import to_ns
from smern_ros.values import SECOND
from support.fusion import START

Right = Callable[[int], Any]
"""A message as it should be, whose time is the given stamp."""
FILLING, GROWTH = 160 * 2**20, 64 * 2**20
"""Bytes that a node may be larger after the second half of the messages: what allocators keep of short-lived networks
(a clock that jumps makes a new pose estimator), but no messages. A run of less than LONG still fills them."""
LONG = 2000

BATCH = 8
"""Messages on their way at once: fewer than any queue of a subscription, so that none pushes out another."""

_STRINGS = st.one_of(
    st.sampled_from(['', ' ', 'u1', 'p1', 'bgr8', 'rgb8', 's16le', 'f32le', 'en', '\0', '../../etc/passwd', '%s%n']),
    st.text(max_size=20),
    st.sampled_from(['word ' * 20_000, 'ä' * 50_000]),
)
_INTEGERS = {f'{sign}int{bits}': (0 if sign else -2 ** (bits - 1), 2 ** (bits if sign else bits - 1) - 1)
             for sign in ('', 'u') for bits in (8, 16, 32, 64)}
_CODES = dict(zip(('int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float', 'double'),
                  'bBhHiIqQfd', strict=True))
_LENGTHS = st.one_of(st.integers(0, 40), st.sampled_from([512, 1024, 3 * 64 * 48, 39 * 100, 200_000]))


@functools.cache
def _primitive(kind: str) -> st.SearchStrategy:
    if kind in ('octet', 'byte'):
        return st.binary(min_size=1, max_size=1)
    if kind == 'boolean':
        return st.booleans()
    if kind in _INTEGERS:
        low, high = _INTEGERS[kind]
        return st.one_of(st.sampled_from(sorted({low, max(low, -1), 0, 1, high})), st.integers(low, high))
    if kind in ('float', 'double'):
        return st.one_of(
            st.sampled_from([float('nan'), float('inf'), -float('inf'), 0.0, -1.0, 1e-40, 3e38, -3e38]),
            st.floats(width=32 if kind == 'float' else 64),
        )
    return _STRINGS


@functools.cache
def field(kind: str) -> st.SearchStrategy:
    """Values of a field of that ROS type, extreme ones above all."""
    if fixed := re.fullmatch(r'(.+)\[(\d+)\]', kind):
        return st.lists(field(fixed[1]), min_size=int(fixed[2]), max_size=int(fixed[2]))
    if sequence := re.fullmatch(r'sequence<([^,]+)(?:, \d+)?>', kind):
        of = sequence[1]
        if of in _CODES:
            return st.builds(lambda value, length: array.array(_CODES[of], [value]) * length, field(of), _LENGTHS)
        return st.lists(field(of), max_size=60 if '/' in of else 1000)
    if '/' in kind:
        return whole(message_class(kind))
    return _primitive(kind.partition('<')[0])


@functools.cache
def whole(message_type: type) -> st.SearchStrategy:
    """Messages of which nothing is right but by chance."""
    fields = message_type.get_fields_and_field_types()
    return st.builds(message_type, **{name: field(kind) for name, kind in fields.items()})


def message_class(kind: str) -> type:
    """:param kind: as ROS writes it, package/Name or package/msg/Name."""
    package, *_, name = kind.split('/')
    return getattr(importlib.import_module(f'{package}.msg'), name)


@st.composite
def spoilt(draw, right: Any) -> Any:
    """A right message with one to three fields that are not."""
    message = copy.deepcopy(right)
    for _ in range(draw(st.integers(1, 3))):
        target = message
        while True:
            fields = target.get_fields_and_field_types()
            name = draw(st.sampled_from(sorted(fields)))
            inner = getattr(target, name)
            if isinstance(inner, list) and inner and hasattr(inner[0], 'get_fields_and_field_types'):
                inner = draw(st.sampled_from(inner)) if draw(st.booleans()) else None
            if inner is None or not hasattr(inner, 'get_fields_and_field_types'):
                setattr(target, name, draw(field(fields[name])))
                break
            target = inner
    return message


@st.composite
def torn(draw, right: Any) -> bytes:
    """A right message in which bytes are lost or changed on their way."""
    content = bytearray(serialize_message(right))
    for _ in range(draw(st.integers(0, 4))):
        content[draw(st.integers(0, 199)) % len(content)] = draw(st.integers(0, 255))
    left = draw(st.sampled_from([1.0, 1.0, 0.99, 0.9, 0.5, 0.1, 0.0]))  # what is drawn must not depend on the message
    return bytes(content[:max(4, round(left * len(content)))])


class Fuzzer:
    """Finds out what a running node listens to and sends it what should not be sent."""

    def __init__(
        self, probe, node: str, right: Mapping[type, Sequence[Right]], intact: Collection[type] = ()
    ) -> None:
        """
        :param right: by message type; of other types nothing that is sent is right.
        :param intact: message types of which no bytes are lost or changed on their way.
        """
        self._probe = probe
        self._state = probe.node.create_client(GetState, f'/{node}/get_state')
        self._health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        self._node = node
        probe.wait_for(lambda: any(diagnostics.is_active(s) for s in self._reports()), f'{node} to be active', 120.0)
        probe.wait_for(self._state.service_is_ready, f'{node} to answer', 60.0)
        self._right, self._intact = right, intact
        self._publishers: dict[str, tuple[Any, type]] = {}
        self._now_ns = START
        self.sent = 0

    def find_topics(self, wanted: Collection[str], lossy: Collection[str] = ()) -> None:
        """What the node listens to: these topics and no other.

        :param lossy: those of which messages may be lost; of all others none may, or it would prove nothing.
        """
        names = {f'/{topic}' for topic in wanted}
        self._probe.wait_for(lambda: {topic for topic, _ in self._inputs()} >= names, f'{self._node} to listen')
        assert {topic for topic, _ in self._inputs()} == names, 'say here what else it listens to'
        for topic, (kind,) in self._inputs():
            message_type = message_class(kind)
            (asked,) = [e.qos_profile for e in self._probe.node.get_subscriptions_info_by_topic(topic)
                        if e.node_name == self._node]
            reliable = asked.reliability == ReliabilityPolicy.RELIABLE
            assert reliable or topic.lstrip('/') in lossy, f'{topic} may lose messages, which proves nothing'
            offered = QoSProfile(depth=2 * BATCH, durability=asked.durability)
            publisher = self._probe.publisher(message_type, topic, offered)
            self._publishers[topic] = publisher, message_type
        self._probe.wait_for_listener(*(publisher for publisher, _ in self._publishers.values()))

    def run(self, count: int) -> None:
        """Sends so many messages, the same ones each time."""

        @settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(st.data())
        def shoot(data) -> None:
            topic = data.draw(st.sampled_from(sorted(self._publishers)))
            publisher, message_type = self._publishers[topic]
            publisher.publish(data.draw(self._message(message_type)))
            self.sent += 1
            if self.sent % BATCH == 0:
                self.catch_up()

        while self.sent < count:  # hypothesis ends early where it finds nothing new
            count_before = self.sent
            shoot()
            assert self.sent > count_before
        self.catch_up()

    def errors(self) -> int:
        """How many the node says it has met."""
        return max((int(v.value) for s in self._reports() for v in s.values if v.key == 'errors'), default=0)

    def taken(self) -> int:
        """How many messages the node says it has taken, by its rates and the time from report to report."""
        reports = [(to_ns(m.header.stamp), s) for m in self._health for s in m.status if self._is_mine(s)]
        return round(sum(
            (now - before) / SECOND * sum(float(v.value) for v in status.values if v.key.startswith('in '))
            for (before, _), (now, status) in pairwise(reports)
        ))

    def is_quiet(self) -> bool:
        """Whether nothing came in the last report's time: what was sent is there, large messages, too."""
        return not any(float(v.value) for v in self._reports()[-1].values if v.key.startswith('in '))

    def _inputs(self) -> list:
        try:
            return self._probe.node.get_subscriber_names_and_types_by_node(self._node, '/')
        except NodeNameNonExistentError:  # its topics may be found before its name
            return []

    def _reports(self) -> list:
        return [s for m in self._health for s in m.status if self._is_mine(s)]

    def _is_mine(self, status: DiagnosticStatus) -> bool:
        return status.name.endswith(f'/{self._node}')

    def _message(self, message_type: type) -> st.SearchStrategy:
        makers = self._right.get(message_type)
        if not makers:
            return whole(message_type)

        @st.composite
        def drawn(draw):
            self._now_ns += SECOND // 30
            stamp_ns = draw(st.one_of(
                st.just(self._now_ns), st.just(self._now_ns), st.just(START), st.integers(1, 2**31 * SECOND - 1)
            ))
            message = draw(st.sampled_from(list(makers)))(stamp_ns)
            kinds = st.sampled_from(['right', 'right', 'spoilt', 'spoilt', 'spoilt', 'torn', 'whole'])
            if message_type in self._intact:
                kinds = kinds.filter(lambda kind: kind != 'torn')
            match draw(kinds):
                case 'spoilt':
                    return draw(spoilt(message))
                case 'torn':
                    return draw(torn(message))
                case 'whole':
                    return draw(whole(message_type))
            return message

        return drawn()

    def catch_up(self) -> None:
        """Until the node has taken what was sent: its callbacks are called in the order of arrival."""
        answer = self._state.call_async(GetState.Request())
        self._probe.wait_for(answer.done, f'an answer of {self._node} after {self.sent} messages', 60.0)


def survives(
    probe, node, name: str, wanted: Collection[str], right: Mapping[type, Sequence[Right]], count: int, *,
    lossy: Collection[str] = (), intact: Collection[type] = (), wrong: float = 0.05, taken: float = 0.7,
    filling: int = FILLING,
) -> Fuzzer:
    """Fuzzes a node, and checks what must hold of any.

    :param wanted: the topics that it listens to. :param right: as of `Fuzzer`. :param lossy: as of `find_topics`.
    :param intact: as of `Fuzzer`.
    :param count: of messages.
    :param wrong: the share of them, at least, that the node must complain of.
    :param taken: the share of them, at least, that it must have taken.
    :param filling: bytes by which it may grow in a run of less than LONG.
    """
    fuzzer = Fuzzer(probe, name, right, intact)
    fuzzer.find_topics(wanted, lossy)
    fuzzer.run(count // 2)
    size = psutil.Process(node.pid).memory_full_info().uss
    fuzzer.run(count)
    assert node.alive, node.output
    grown = psutil.Process(node.pid).memory_full_info().uss - size
    assert grown < (GROWTH if count >= LONG else filling), f'{grown / 2**20:.0f} MB in {count - count // 2} messages'
    probe.wait_for(lambda: fuzzer.errors() >= wrong * count, 'the node to tell of what was wrong')
    # Torn messages mostly end in the middleware.
    probe.wait_for(lambda: fuzzer.taken() > taken * count, f'{name} to have taken most of {count} messages')
    probe.wait_for(fuzzer.is_quiet, 'the last message to have come')
    assert 'Traceback' not in node.output, node.output[node.output.index('Traceback') - 500:][:3000]
    assert max(map(len, node.output.splitlines())) < 1_000
    return fuzzer
