# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node that plays a bag's camera and sound into the graph, and hears what the graph says of it now."""
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

LISTENERS = (POSE_NODE, 'skeleton_filter', AUDIO_NODE, 'asr', FUSION_NODE)
"""Nodes of the graph that a replay is for."""
ALWAYS_HEARD = (topics.AUDIO, topics.ROBOT_SPEAKING, topics.SPEAKER)
"""Inputs beside the camera that the graph listens to however it is configured."""
PATIENCE = 10.0
"""s without any answer of the graph after which the next message is played all the same."""


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """What to play, and how."""

    bag: BagReader
    inputs: dict[str, Stream]     # of the graph, by the topic's name in the bag
    rate: float = 1.0             # 0: as fast as the graph can follow
    clock: bool = False           # give the time of use_sim_time
    wait_for: Sequence[str] = LISTENERS  # nodes that must be active before the first message
    wait: float = 60.0            # s to wait for them


class ReplayNode(SmernNode):
    """Stamps stay as they were recorded. Never faster than the graph can follow, so that nothing is lost.

    For whoever spins it: `finished` when all is played and answered; `refused` tells why nothing will be, `problem`
    why not all was.
    """

    NAME = 'replay'

    def __init__(self, plan: ReplayOptions, **kwargs: Any) -> None:
        """:param kwargs: as of rclpy's Node."""
        self._plan = plan
        self.finished = False
        self.refused = self.problem = ''
        self.sent = 0                     # messages
        self.said = RunStates()                # by the graph, now
        self.stirred = time.monotonic()   # when it last said something
        super().__init__(**kwargs)

    def load(self) -> None:
        plan = self._plan
        self._outputs = {s.topic: self.add_publisher(s.type, s.topic, s.qos) for s in plan.inputs.values()}
        self._time = SimulatedTime(self.add_publisher(Clock, '/clock', qos.STREAM).publish) if plan.clock else None
        self._acks = ReplayAcks(self)
        for stream in STREAMS:
            for take in (take for topic, take in TAKES if topic == stream.topic):
                self.add_subscription(stream.type, stream.topic, self._stirring(take), qos.STREAM)
        self._to_stop: list[Callable[[], object]] = []

    def start(self) -> None:
        readiness = NodeReadinessWaiter(
            self, self._plan.wait_for, also_missing=self._unheard, timeout=self._plan.wait, on_done=self._play
        )
        self._to_stop.append(readiness.close)

    def stop(self) -> None:
        while self._to_stop:
            self._to_stop.pop()()
        self._acks.clear_target()

    def _unheard(self) -> list[str]:
        """Inputs that nobody hears yet; of pictures a listener of raw or compressed ones is enough."""
        heard = {topic for topic, output in self._outputs.items() if output.subscription_count}
        images = [s.topic for s in self._plan.inputs.values() if s.role is Role.IMAGES]
        sound = [topic for topic in self._outputs if topic in ALWAYS_HEARD]
        missing = [] if heard.intersection(images) else images[:1]
        return [f'a subscriber of {topic}' for topic in (*missing, *sound) if topic not in heard]

    def _play(self, missing: list[str]) -> None:
        others = [t for t in self._outputs if self.publishers_of(t) > 1]
        if others:
            self.refused = f'somebody else publishes {", ".join(others)}; two cameras or microphones at once are none'
            return
        if missing:
            self.log_error('graph', f'playing without what is not there: {", ".join(missing)}')
        there = set(self._plan.wait_for) - set(missing)
        roles = {s.role for s in self._plan.inputs.values()}
        pressure = BackPressure(
            frames=POSE_NODE in there and Role.IMAGES in roles,
            audio=AUDIO_NODE in there and topics.AUDIO in self._outputs,
            states=FUSION_NODE in there,
            patience=PATIENCE,
            on_stall=lambda text: self.log_error('graph', text),
        )
        self._acks.set_target(pressure, 0)
        player = Player(
            self._pieces(Role.IMAGES), self._pieces(Role.SOUND), send=self._send, rate=self._plan.rate,
            pressure=pressure, on_end=self._end, on_error=self._on_error,
        )
        self._to_stop.append(player.stop)
        self.get_logger().info(f'playing {self._plan.bag.path}')
        player.start()

    def _end(self) -> None:
        self.finished = True

    def _on_error(self, error: Exception) -> None:
        self.problem = self.problem or str(error)
        if not isinstance(error, BagError):  # ours
            self.log_error('replay', error)

    # --- what is played, on the player's threads ----------------------------------------------------------------

    def _pieces(self, role: Role) -> Iterator[TimedMessage]:
        streams = {name: s for name, s in self._plan.inputs.items() if s.role is role}
        if not streams:
            return
        for message in self._plan.bag.messages(streams):
            try:
                piece = _piece(streams[message.topic.name], message)
            except ValueError as error:
                self.log_error(message.topic.name, f'left out: {error}')
            else:
                yield piece

    def _send(self, piece: TimedMessage) -> None:
        if self._time is not None and piece.start_ns is not None:
            self._time.advance(piece.end_ns or piece.start_ns)
        self._outputs[piece.topic].publish(piece.message)
        self.sent += 1

    def _stirring(self, take: Callable[[RunStates, Any], None]) -> Callable[[Any], None]:
        def callback(message: Any) -> None:
            self.stirred = time.monotonic()
            take(self.said, message)

        return callback


def recorded(plan: ReplayOptions) -> RunStates:
    """What the graph said when the bag was recorded.

    :raises BagError: if the bag does not tell.
    """
    bag, near = plan.bag, input_topics.namespaces(plan.inputs)
    takes = {
        name: (stream, take) for stream in STREAMS for topic, take in TAKES if topic == stream.topic
        for name in input_topics.of(bag, stream, near)
    }
    if not any(stream.topic == topics.EMOTION_STATE for stream, _ in takes.values()):
        raise BagError(f'{bag.path} holds no {topics.EMOTION_STATE} to compare with. {input_topics.has(bag)}')
    input_topics.require_same_version(bag, list(takes))
    said = RunStates()
    with contextlib.suppress(BagError):  # what can be read is worth comparing; the player tells of the rest
        for message in bag.messages(takes):
            stream, take = takes[message.topic.name]
            with contextlib.suppress(ValueError):  # no message, and nobody understood it then
                take(said, _unpacked(stream, message))
    return said


def take_state(said: RunStates, state: msg.EmotionState) -> None:
    if state.is_final:
        said.finals[state.utterance_id] = FinalState(
            state.utterance_id, to_ns(state.window_start), to_ns(state.window_end), state.person_id, state.label,
            tuple(state.labels), tuple(state.probabilities), tuple(state.modalities),
        )


def take_transcript(said: RunStates, transcript: msg.Transcript) -> None:
    if transcript.is_final:
        said.words[transcript.utterance_id] = transcript.text


def take_skeletons(said: RunStates, skeletons: msg.SkeletonArray) -> None:
    said.saw(stamp_of(skeletons.header))


TAKES: tuple[tuple[str, Callable[[RunStates, Any], None]], ...] = (
    (topics.EMOTION_STATE, take_state),
    (topics.TRANSCRIPT, take_transcript),
    (topics.SKELETON_RAW, take_skeletons),
)
"""What is kept of the graph's own words."""


def _piece(stream: Stream, message: Message) -> TimedMessage:
    """:raises ValueError: if it is no message of its type, or says what cannot be."""
    content = _unpacked(stream, message)
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


def _unpacked(stream: Stream, message: Message) -> Any:
    """:raises ValueError: if it is no message of its type."""
    try:
        return deserialize_message(message.data, stream.type)
    except Exception as error:  # the middleware's own
        text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ValueError(f'{len(message.data)} bytes are no {stream.type_name}: {text}') from None
