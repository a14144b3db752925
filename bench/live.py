# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The whole graph, as separate processes over DDS, on a clip at real time and as fast as it goes."""
from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.summary import row, spread
from smern_ros.deploy import dds, graph, processes
from smern_ros.deploy.processes import Override
from smern_ros.deploy.supervisor import Supervisor
from smern_ros.values import SECOND

READY_WITHIN, PLAYED_WITHIN = 120.0, 600.0  # s
LOSSLESS = (Override('pose_estimation', 'drop_frames', 'false'),)
"""For `Session`: the pose node holds up the source instead of dropping frames."""
_SOURCE = 'media_source'


@dataclass
class Heard:
    """What came from the graph, with the wall clock's time of its coming in ns."""

    decided: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # id: arrival, end, last voiced sample
    states: list[tuple[int, str, int, bool]] = field(default_factory=list)  # arrival, id, end, is_final
    skeletons: list[int] = field(default_factory=list)                      # arrivals
    frames: list[float] = field(default_factory=list)                       # a second of the camera, each second

    def latencies(self, *, final: bool, since_voice: bool) -> list[float]:
        """s from the last voiced sample, or from the decision that the utterance ended, to the first such state.

        An utterance without such a state has none: compare with `decided`.
        """
        found = []
        for utterance_id, (decided_ns, end_ns, voiced_ns) in self.decided.items():
            arrivals = [a for a, u, e, f in self.states if u == utterance_id and e == end_ns and f == final]
            if arrivals:
                found.append((min(arrivals) - (voiced_ns if since_voice else decided_ns)) / SECOND)
        return found


class Session:
    """The graph without its source, listening; a context manager. The models take seconds to load."""

    def __init__(self, overrides: Sequence[Override] = ()) -> None:
        os.environ.update(dds.environment(dds.LOCAL), ROS_DOMAIN_ID=str(dds.free_domain()),
                          ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST')
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from std_msgs.msg import Bool

        from smern_ros import msg
        from smern_ros.ros import diagnostics, qos, topics

        self._is_active = diagnostics.is_active
        self._frame_rate = f'out {topics.IMAGE} [Hz]'
        self._nodes = [n for n in graph.select() if n.name != _SOURCE]
        # Each play is a new stream with a clock of its own, which the nodes would call a fault.
        self.supervisor = Supervisor(processes.children(self._nodes, overrides=overrides, log_level='fatal'))
        self.supervisor.start()
        rclpy.init()
        self._node, self._executor = Node('bench'), SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self.heard = Heard()
        self._active: set[str] = set()
        self._finished = False
        for message_type, topic, take, profile in (
            (msg.EmotionState, topics.EMOTION_STATE, self._take_state, qos.STATE),
            (msg.Utterance, topics.UTTERANCE, self._take_utterance, qos.EVIDENCE),
            (msg.SkeletonArray, topics.SKELETON_RAW, self._take_skeletons, qos.STREAM),
            (DiagnosticArray, topics.DIAGNOSTICS, self._take_diagnostics, qos.STREAM),
            (Bool, topics.MEDIA_FINISHED, self._take_finished, qos.STATE),
        ):
            self._node.create_subscription(message_type, topic, take, profile)
        names = {n.name for n in self._nodes}
        self._spin_until(lambda: names <= self._active, READY_WITHIN, 'the nodes')

    def play(self, clip: Path, *, rate: float, lossless: bool) -> Heard:
        """Plays the clip through the graph and waits for its last state."""
        with self._source(clip, rate=rate, lossless=lossless):
            self._spin_until(lambda: self._finished, PLAYED_WITHIN, 'the end of the clip')
            self._spin_until(self._settled, 10.0, 'the last final state')
        return self.heard

    @contextlib.contextmanager
    def looping(self, clip: Path) -> Iterator[None]:
        """Meanwhile the clip is played at real time, again and again."""
        with self._source(clip, rate=1.0, loop=True):
            self._spin_until(lambda: self.heard.skeletons, READY_WITHIN, 'the first picture')
            yield

    def listen(self, seconds: float) -> None:
        """Hears what comes in that time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.supervisor.wait(0) is not None:
                raise SystemExit('bench: the graph has ended')
            self._executor.spin_once(timeout_sec=left)

    def _source(self, clip: Path, **parameters: object) -> Supervisor:
        self.heard, self._finished = Heard(), False
        source = [Override(_SOURCE, 'media', str(clip)),
                  *(Override(_SOURCE, name, str(value).lower()) for name, value in parameters.items())]
        return Supervisor(processes.children([graph.node(_SOURCE)], overrides=source, log_level='warn'))

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        import rclpy

        self._executor.shutdown(timeout_sec=1.0)
        self._node.destroy_node()
        rclpy.try_shutdown()
        self.supervisor.stop()

    def _settled(self) -> bool:
        finals = {u for _, u, _, final in self.heard.states if final}
        return set(self.heard.decided) <= finals

    def _spin_until(self, condition: Callable[[], object], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline or self.supervisor.wait(0) is not None:
                raise SystemExit(f'bench: waited in vain for {what}')
            self._executor.spin_once(timeout_sec=0.1)

    def _take_state(self, message) -> None:
        self.heard.states.append((time.time_ns(), message.utterance_id, _ns(message.window_end), message.is_final))

    def _take_utterance(self, message) -> None:
        if message.state == message.ENDED:
            self.heard.decided[message.id] = (time.time_ns(), _ns(message.end), _ns(message.last_voiced))

    def _take_skeletons(self, _message) -> None:
        self.heard.skeletons.append(time.time_ns())

    def _take_diagnostics(self, message) -> None:
        self._active |= {s.name.rpartition('/')[2] for s in message.status if self._is_active(s)}
        self.heard.frames += [float(v.value) for s in message.status for v in s.values if v.key == self._frame_rate]

    def _take_finished(self, message) -> None:
        self._finished = message.data


class Load:
    """Processor time and memory of the graph's processes over a stretch of time."""

    def __init__(self, pids: dict[str, int]) -> None:
        import psutil

        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._began = time.monotonic()
        self._before = {name: self._seconds(p) for name, p in self._processes.items()}

    def shares(self) -> dict[str, float]:
        """Of a core, since this object was made."""
        elapsed = time.monotonic() - self._began
        return {name: (self._seconds(p) - self._before[name]) / elapsed for name, p in self._processes.items()}

    def tell(self) -> None:
        for name, share in self.shares().items():
            memory = self._processes[name].memory_full_info().uss / 2**20
            row(f'{name}', f'{100 * share:5.1f} % of a core   {memory:6.0f} MB of its own')

    @staticmethod
    def _seconds(process) -> float:
        times = process.cpu_times()
        return times.user + times.system


def live(session: Session, clip: Path, *, rounds: int) -> None:
    """Latency at real time, and what each node costs meanwhile."""
    load = Load(session.supervisor.pids)
    tell_latencies([session.play(clip, rate=1.0, lossless=False) for _ in range(rounds)])
    load.tell()


def idle(session: Session, film: Path, *, settle: float = 5.0, seconds: float = 60.0) -> float:
    """What each node costs, and all of them, while a camera and a microphone show nobody and silence.

    :param film: of nobody.
    :return: of a core, all nodes together; the source stands for a robot's drivers and does not count.
    """
    with session.looping(film):
        session.listen(settle)
        load = Load(session.supervisor.pids)
        session.heard.frames.clear()
        session.listen(seconds)
        load.tell()
        total = sum(load.shares().values())
    frames = statistics.mean(session.heard.frames)
    row('all nodes, nobody in view and silence', f'{100 * total:5.1f} % of a core at {frames:.1f} frames/s')
    return total


def tell_latencies(heard: Sequence[Heard]) -> None:
    """Of all plays together, and of how many of their utterances."""
    utterances = sum(len(h.decided) for h in heard)
    for since_voice, start in ((True, 'last voiced sample'), (False, 'decision that it ended')):
        for final, state in ((False, 'provisional'), (True, 'final')):
            values = [v for h in heard for v in h.latencies(final=final, since_voice=since_voice)]
            row(f'{start} to {state} state', f'{spread(values)} of {utterances} utterances')


def throughput(session: Session, clip: Path, *, alone: float) -> None:
    """Frames per second through a graph that drops none, and how many of the clip's frames came out.

    :param alone: frames per second of the pose estimator by itself.
    """
    from smern_ros.media.reader import MediaReader

    tell_throughput(
        session.play(clip, rate=0.0, lossless=True).skeletons,
        frames=sum(1 for _ in MediaReader(clip).video()), alone=alone,
    )


def tell_throughput(arrivals: Sequence[int], *, frames: int, alone: float) -> None:
    """:param arrivals: ns, of the answers to the clip's frames."""
    came = f'{len(arrivals)} of {frames} frames'
    if len(arrivals) > 1:
        rate = (len(arrivals) - 1) * SECOND / (arrivals[-1] - arrivals[0])
        came += f', {rate:.1f} frames/s, {rate / alone:.2f} of alone'
    row('pose through the graph, as fast as it goes', came)


def _ns(stamp) -> int:
    return stamp.sec * SECOND + stamp.nanosec
