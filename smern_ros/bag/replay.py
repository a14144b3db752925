# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Node that publishes the camera and audio of a bag, and collects the new output of the graph."""
from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.serialization import deserialize_message
from rosgraph_msgs.msg import Clock

from smern_ros import msg
from smern_ros.audio import pcm
from smern_ros.bag import input_topics
from smern_ros.bag.contents import Message
from smern_ros.bag.errors import BagError
from smern_ros.bag.player import Player, TimedMessage
from smern_ros.bag.reader import BagReader
from smern_ros.bag.states import FinalState, RunStates
from smern_ros.media.back_pressure import BackPressure
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import stamp_of, to_ns
from smern_ros.ros.node import SmernNode
from smern_ros.ros.replay_acks import AUDIO_NODE, FUSION_NODE, POSE_NODE, ReplayAcks
from smern_ros.ros.sim_clock import SimulatedTime
from smern_ros.ros.streams import STREAMS, Role, Stream
from smern_ros.ros.wait_for_nodes import NodeReadinessWaiter
from smern_ros.values import SECOND

GRAPH_NODES = (POSE_NODE, 'skeleton_filter', AUDIO_NODE, 'asr', FUSION_NODE)
"""Nodes that process a replay."""
ALWAYS_SUBSCRIBED = (topics.AUDIO, topics.ROBOT_SPEAKING, topics.SPEAKER)
"""Inputs besides the camera that the graph subscribes to in any configuration."""
ACK_TIMEOUT = 10.0
"""s without acknowledgement of the graph after which the next message is published nevertheless."""


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """What to replay, and how."""

    bag: BagReader
    inputs: dict[str, Stream]     # of the graph, by the name of the topic in the bag
    rate: float = 1.0             # 0: as fast as the graph can follow
    clock: bool = False           # publish /clock, for use_sim_time
    wait_for: Sequence[str] = GRAPH_NODES  # nodes that must be active before the first message
    wait: float = 60.0            # s to wait for them


class ReplayNode(SmernNode):
    """Publishes the recorded messages with their stamps, not faster than the graph acknowledges them.

    `finished` is set when all messages are published and acknowledged. `refused` is the reason why none will be,
    `problem` why some were not.
    """

    NAME = 'replay'

    def __init__(self, plan: ReplayOptions, **kwargs: Any) -> None:
        """:param kwargs: as of rclpy's Node."""
        self._plan = plan
        self.finished = False
        self.refused = self.problem = ''
        self.sent = 0                     # messages
        self.states = RunStates()         # new output of the graph
        self.last_output_at = time.monotonic()  # s, steady clock; of the graph
        super().__init__(**kwargs)

    def load(self) -> None:
        plan = self._plan
        self._outputs = {s.topic: self.add_publisher(s.type, s.topic, s.qos) for s in plan.inputs.values()}
        self._time = SimulatedTime(self.add_publisher(Clock, '/clock', qos.STREAM).publish) if plan.clock else None
        self._acks = ReplayAcks(self)
        for stream in STREAMS:
            for collect in (collect for topic, collect in COLLECTORS if topic == stream.topic):
                self.add_subscription(stream.type, stream.topic, self._collecting(collect), qos.STREAM)
        self._to_stop: list[Callable[[], object]] = []

    def start(self) -> None:
        readiness = NodeReadinessWaiter(
            self, self._plan.wait_for, also_missing=self._unsubscribed_inputs, timeout=self._plan.wait,
            on_done=self._play,
        )
        self._to_stop.append(readiness.close)

    def stop(self) -> None:
        while self._to_stop:
            self._to_stop.pop()()
        self._acks.clear_target()

    def _unsubscribed_inputs(self) -> list[str]:
        """Inputs without a subscription; for the camera one to raw or compressed images is enough."""
        subscribed = {topic for topic, output in self._outputs.items() if output.subscription_count}
        images = [s.topic for s in self._plan.inputs.values() if s.role is Role.IMAGES]
        sound = [topic for topic in self._outputs if topic in ALWAYS_SUBSCRIBED]
        missing = [] if subscribed.intersection(images) else images[:1]
        return [f'a subscriber of {topic}' for topic in (*missing, *sound) if topic not in subscribed]

    def _play(self, missing: list[str]) -> None:
        others = [t for t in self._outputs if self.publishers_of(t) > 1]
        if others:
            self.refused = f'another node publishes {", ".join(others)}; stop it, or replay in another ROS domain'
            return
        if missing:
            self.log_error('graph', f'timed out waiting for {", ".join(missing)}; starting without')
        available = set(self._plan.wait_for) - set(missing)
        roles = {s.role for s in self._plan.inputs.values()}
        pressure = BackPressure(
            frames=POSE_NODE in available and Role.IMAGES in roles,
            audio=AUDIO_NODE in available and topics.AUDIO in self._outputs,
            states=FUSION_NODE in available,
            patience=ACK_TIMEOUT,
            on_stall=lambda text: self.log_error('graph', text),
        )
        self._acks.set_target(pressure, 0)
        player = Player(
            self._messages(Role.IMAGES), self._messages(Role.SOUND), send=self._send, rate=self._plan.rate,
            pressure=pressure, on_end=self._end, on_error=self._on_error,
        )
        self._to_stop.append(player.stop)
        self.get_logger().info(f'playing {self._plan.bag.path}')
        player.start()

    def _end(self) -> None:
        self.finished = True

    def _on_error(self, error: Exception) -> None:
        self.problem = self.problem or str(error)
        if not isinstance(error, BagError):  # a defect of this program
            self.log_error('replay', error)

    # --- messages, on the player's threads ------------------------------------------------------------------------

    def _messages(self, role: Role) -> Iterator[TimedMessage]:
        streams = {name: s for name, s in self._plan.inputs.items() if s.role is role}
        if not streams:
            return
        for message in self._plan.bag.messages(streams):
            try:
                piece = _to_timed(streams[message.topic.name], message)
            except ValueError as error:
                self.log_error(message.topic.name, f'ignoring a message: {error}')
            else:
                yield piece

    def _send(self, piece: TimedMessage) -> None:
        if self._time is not None and piece.start_ns is not None:
            self._time.advance(piece.end_ns or piece.start_ns)
        self._outputs[piece.topic].publish(piece.message)
        self.sent += 1

    def _collecting(self, collect: Callable[[RunStates, Any], None]) -> Callable[[Any], None]:
        def callback(message: Any) -> None:
            self.last_output_at = time.monotonic()
            collect(self.states, message)

        return callback


def recorded(plan: ReplayOptions) -> RunStates:
    """Output of the graph in the bag.

    :raises BagError: if the bag has no emotion_state.
    """
    bag, near = plan.bag, input_topics.namespaces(plan.inputs)
    collectors = {
        name: (stream, collect) for stream in STREAMS for topic, collect in COLLECTORS if topic == stream.topic
        for name in input_topics.of(bag, stream, near)
    }
    if not any(stream.topic == topics.EMOTION_STATE for stream, _ in collectors.values()):
        raise BagError(f'{bag.path} has no {topics.EMOTION_STATE} to compare with. {input_topics.has(bag)}')
    input_topics.require_same_version(bag, list(collectors))
    states = RunStates()
    with contextlib.suppress(BagError):  # compare what is readable; the player reports the rest
        for message in bag.messages(collectors):
            stream, collect = collectors[message.topic.name]
            with contextlib.suppress(ValueError):  # invalid, so no node understood it either
                collect(states, _deserialize(stream, message))
    return states


def add_state(states: RunStates, state: msg.EmotionState) -> None:
    if state.is_final:
        states.finals[state.utterance_id] = FinalState(
            state.utterance_id, to_ns(state.window_start), to_ns(state.window_end), state.person_id, state.label,
            tuple(state.labels), tuple(state.probabilities), tuple(state.modalities),
        )


def add_transcript(states: RunStates, transcript: msg.Transcript) -> None:
    if transcript.is_final:
        states.words[transcript.utterance_id] = transcript.text


def add_skeletons(states: RunStates, skeletons: msg.SkeletonArray) -> None:
    states.add_frame(stamp_of(skeletons.header))


COLLECTORS: tuple[tuple[str, Callable[[RunStates, Any], None]], ...] = (
    (topics.EMOTION_STATE, add_state),
    (topics.TRANSCRIPT, add_transcript),
    (topics.SKELETON_RAW, add_skeletons),
)
"""What is collected of the output of the graph."""


def _to_timed(stream: Stream, message: Message) -> TimedMessage:
    """:raises ValueError: if it is no valid message of its type."""
    content = _deserialize(stream, message)
    if stream.role is Role.IMAGES:
        return TimedMessage(stream.topic, content, message.time_ns, stamp_of(content.header))
    if stream.topic != topics.AUDIO:
        return TimedMessage(stream.topic, content, message.time_ns)
    stamp_ns = stamp_of(content.header)
    pcm.require_rate(content.sample_rate)
    samples = len(pcm.decode(content.data, encoding=content.encoding, channels=content.channels))
    return TimedMessage(
        stream.topic, content, message.time_ns, stamp_ns, stamp_ns + samples * SECOND // content.sample_rate
    )


def _deserialize(stream: Stream, message: Message) -> Any:
    """:raises ValueError: if it is no message of its type."""
    try:
        return deserialize_message(message.data, stream.type)
    except Exception as error:  # of the middleware
        text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ValueError(f'{len(message.data)} bytes are no {stream.type_name}: {text}') from None
