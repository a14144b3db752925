# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A test's own end of the graph: real DDS, conditions instead of sleeps, nodes as real processes."""
from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import rclpy
from rcl_interfaces.srv import ListParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile

ASK_AGAIN = 10.0  # s


class Probe:
    """A node in this process that publishes, collects and waits until something holds."""

    def __init__(self, namespace: str = '') -> None:
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = Node('probe', context=self.context, namespace=namespace)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)

    def collect(self, message_type: type, topic: str, qos: QoSProfile) -> list[Any]:
        """A list that grows by every message heard while the probe waits."""
        heard: list[Any] = []
        self.node.create_subscription(message_type, topic, heard.append, qos)
        return heard

    def publisher(self, message_type: type, topic: str, qos: QoSProfile):
        return self.node.create_publisher(message_type, topic, qos)

    def wait_for(self, condition: Callable[[], Any], what: str, timeout: float = 20.0) -> Any:
        """Spins until the condition holds and gives its value.

        :raises AssertionError: naming `what` if it does not in time.
        """
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f'waited {timeout:.0f} s in vain for {what}')
            self._executor.spin_once(timeout_sec=0.05)
        return value

    def settle(self, seconds: float) -> None:
        """Spins for a time in which something must NOT happen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=deadline - time.monotonic())

    def wait_for_listener(self, *publishers, timeout: float = 60.0) -> None:
        """Until every publisher is heard. Loading models takes its time."""
        topics = [p.topic_name for p in publishers]
        self.wait_for(lambda: all(p.get_subscription_count() for p in publishers), f'listeners of {topics}', timeout)

    def wait_for_speaker(self, *topics: str, timeout: float = 60.0) -> None:
        self.wait_for(lambda: all(self.node.count_publishers(t) for t in topics), f'publishers of {topics}', timeout)

    def wait_for_node(self, name: str) -> None:
        """Until this node's ends of all topics know the probe's, those made so far.

        Each process learns of the other's ends in the order in which they were made. A service is called with ends
        made last: who answers knows all others, so that no message is lost on either way.
        """
        self.call(ListParameters, f'{name}/list_parameters')

    def call(self, service_type: type, name: str, timeout: float = 60.0, **request: Any) -> Any:
        """The response of a service, once it is there. Asks again: DDS may find the way back later than the way."""
        client = self.node.create_client(service_type, name)
        answers, asked_at = [], -math.inf

        def answer() -> Any:
            nonlocal asked_at
            if time.monotonic() > asked_at + ASK_AGAIN:
                asked_at = time.monotonic()
                answers.append(client.call_async(service_type.Request(**request)))
            return next((a for a in answers if a.done()), None)

        try:
            self.wait_for(client.service_is_ready, f'the service {name}', timeout)
            return self.wait_for(answer, f'an answer of {name}', timeout).result()
        finally:
            self.node.destroy_client(client)

    def add(self, node: Node) -> None:
        """Spins another node, made with this probe's context, together with the probe."""
        self._executor.add_node(node)

    def close(self) -> None:
        self._executor.shutdown(timeout_sec=1.0)
        for node in list(self._executor.get_nodes()):
            node.destroy_node()
        rclpy.try_shutdown(context=self.context)


class NodeProcess:
    """One of our nodes as the process it is in the graph; what it says is kept in `output`."""

    def __init__(
        self, module: str | Path, parameters: dict[str, Any] | None = None, *, arguments: Sequence[str] = ()
    ) -> None:
        """
        :param module: the name of a file in smern_ros/nodes, or the path of a script.
        :param arguments: further ROS arguments.
        """
        self.output = ''
        program = [str(module)] if isinstance(module, Path) else ['-m', f'smern_ros.nodes.{module}']
        command = [sys.executable, *program, '--ros-args', *arguments]
        for name, value in (parameters or {}).items():
            message = Parameter(name, value=value).get_parameter_value()
            text = {1: str(value).lower(), 4: f'"{value}"'}.get(message.type, str(value))
            command += ['-p', f'{name}:={text}']
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, 'PYTHONUNBUFFERED': '1'},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.output += line

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def said(self, text: str) -> bool:
        """Whether the node has printed this."""
        return text in self.output

    def wait(self, timeout: float = 60.0) -> int:
        """The exit code of a node that ends by itself."""
        self._process.wait(timeout)
        self._reader.join(timeout)
        return self._process.returncode

    def stop(self, timeout: float = 60.0) -> int:
        """Ctrl-C, and the exit code. By default it may take long: all cores may be busy."""
        if self.alive:
            self._process.send_signal(signal.SIGINT)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.wait()
            raise AssertionError(f'no end {timeout} s after SIGINT; it said:\n{self.output}') from None


def wait_until_loaded(probe: Probe, node: NodeProcess) -> None:
    """Some libraries come in the background: until the node's memory has not grown for a second."""
    process, largest, since = psutil.Process(node.pid), 0, time.monotonic()

    def loaded() -> bool:
        nonlocal largest, since
        if (size := process.memory_info().rss) > largest + 2**20:
            largest, since = size, time.monotonic()
        return time.monotonic() > since + 1.0

    probe.wait_for(loaded, 'all libraries', 60.0)
