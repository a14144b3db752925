# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Node that writes states to a file and records the data of the report."""
from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Bool

from smern_ros import msg
from smern_ros.demo.recording import ActivityRecord, DrawnSkeleton, Picture, Recording, StateRecord
from smern_ros.deploy import stop_signals
from smern_ros.ros import diagnostics, qos, topics
from smern_ros.ros.image_messages import to_bgr
from smern_ros.ros.messages import stamp_of, to_ns, transcript_from_message
from smern_ros.values import Transcript

PICTURE_WIDTH, PICTURE_QUALITY = 480, 82
"""px and JPEG quality of the recorded pictures."""
_UNDRAWN = 50
"""Most pictures that wait for their skeletons."""


class DemoRecorder:
    """Records until closed; `recording` grows while it spins. Not thread-safe.

    :param jsonl: file to which each EmotionState is written as a line.
    :param on_state: called with each EmotionState.
    :param on_words: called with the words of each utterance, once they are final.
    """

    def __init__(
        self,
        jsonl: Path,
        *,
        on_state: Callable[[StateRecord], object],
        on_words: Callable[[Transcript], object],
        domain_id: int,
    ) -> None:
        self.recording = Recording()
        self.active: set[str] = set()      # names of the active nodes
        self.finished = False              # the media is played to its end
        self._on_state, self._on_words = on_state, on_words
        self._file = jsonl.open('w', encoding='utf-8')
        self._undrawn: dict[int, Picture] = {}
        self._open: set[str] = set()       # announced utterances that did not end
        self._awaited: set[str] = set()    # ended utterances without a final state
        self._speaking = False
        self._last_message_at = time.monotonic()

        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = Node('demo_recorder', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._topics: list[str] = []
        for message_type, topic, callback, profile in (
            (msg.EmotionState, topics.EMOTION_STATE, self._receive_state, qos.STATE),
            (msg.Utterance, topics.UTTERANCE, self._receive_utterance, qos.EVIDENCE),
            (msg.Transcript, topics.TRANSCRIPT, self._receive_transcript, qos.EVIDENCE),
            (msg.VoiceActivity, topics.IS_SPEAKING, self._receive_activity, qos.STREAM),
            (msg.SkeletonArray, topics.SKELETON_RAW, self._receive_skeletons, qos.STREAM),
        ):
            self._topics.append(self._subscribe(message_type, topic, callback, profile))
        self._subscribe(Image, topics.IMAGE, self._receive_image, qos.IMAGES)
        self._subscribe(Bool, topics.MEDIA_FINISHED, self._receive_finished, qos.STATE)
        self._subscribe(DiagnosticArray, topics.DIAGNOSTICS, self._receive_diagnostics, qos.STREAM)

    # --- for the demo -----------------------------------------------------------------------------------------

    def spin_until(self, condition: Callable[[], Any], *, timeout: float = math.inf) -> Any:
        """Record until the condition holds or the time is over.

        :param timeout: s
        :return: the last value of the condition.
        """
        deadline = time.monotonic() + timeout
        while not (value := condition()) and time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.1)
        return value

    @property
    def has_all_publishers(self) -> bool:
        """Whether every topic of the graph has a publisher."""
        return all(self._node.count_publishers(topic) for topic in self._topics)

    @property
    def quiet_for(self) -> float:
        """s since the last message that a state may follow."""
        return time.monotonic() - self._last_message_at

    @property
    def is_settled(self) -> bool:
        """Whether no utterance is in progress or waits for its final state."""
        return not (self._speaking or self._open or self._awaited)

    def close(self) -> None:
        self._executor.shutdown(timeout_sec=1.0)
        self._file.close()
        with stop_signals.closing():
            self._node.destroy_node()
            rclpy.try_shutdown(context=self._context)

    # --- topics -----------------------------------------------------------------------------------------------

    def _subscribe(self, message_type: type, topic: str, callback: Callable[[Any], None], profile: Any) -> str:
        """:return: the topic's name after remapping."""
        return self._node.create_subscription(message_type, topic, callback, profile).topic_name

    def _receive_state(self, message: msg.EmotionState) -> None:
        self._file.write(to_line(message) + '\n')
        self._file.flush()
        state = StateRecord.from_json(to_fields(message))
        if state.is_final:
            self._awaited.discard(state.utterance_id)
        self._record_message(state.end_ns)
        self.recording.add(state)
        self._on_state(state)

    def _receive_utterance(self, message: msg.Utterance) -> None:
        self._record_message(to_ns(message.end))
        if message.state != msg.Utterance.ENDED:
            self._open.add(message.id)
            return
        self._open.discard(message.id)
        self._speaking = False  # the rest of its audio may never arrive
        self.recording.utterances += 1
        if all(state.utterance_id != message.id for state in self.recording.finals):
            self._awaited.add(message.id)

    def _receive_transcript(self, message: msg.Transcript) -> None:
        self._record_message(to_ns(message.end))
        transcript = transcript_from_message(message)
        self.recording.transcripts[transcript.utterance_id] = transcript
        if message.is_final:
            self._on_words(transcript)

    def _receive_activity(self, message: msg.VoiceActivity) -> None:
        stamp_ns = stamp_of(message.header)
        self._record_message(stamp_ns)
        self._speaking = message.is_speaking
        self.recording.activity.offer(ActivityRecord(stamp_ns, message.probability, message.is_speaking))

    def _receive_image(self, message: Image) -> None:
        self.recording.add_stamp(stamp_of(message.header))
        self.recording.images += 1
        picture = self._picture(message) if self.recording.pictures.keeps_next else None
        self.recording.pictures.offer(picture)

    def _picture(self, message: Image) -> Picture:
        image = to_bgr(message)
        height, width = image.shape[:2]
        if width > PICTURE_WIDTH:
            image = cv2.resize(image, (PICTURE_WIDTH, height * PICTURE_WIDTH // width), interpolation=cv2.INTER_AREA)
        _, jpeg = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])
        picture = Picture(stamp_of(message.header), width, height, jpeg.tobytes())
        self._undrawn[picture.stamp_ns] = picture
        if len(self._undrawn) > _UNDRAWN:
            self._undrawn.pop(next(iter(self._undrawn)))
        return picture

    def _receive_skeletons(self, message: msg.SkeletonArray) -> None:
        stamp_ns = stamp_of(message.header)
        self._record_message(stamp_ns)
        self.recording.frames += 1
        self.recording.frames_with_body += bool(message.skeletons)
        picture = self._undrawn.pop(stamp_ns, None)
        if picture is not None:
            picture.bodies = tuple(_body(one, picture) for one in message.skeletons)

    def _receive_finished(self, message: Bool) -> None:
        self.finished = message.data

    def _receive_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if diagnostics.is_active(status):
                self.active.add(status.name.rpartition('/')[2])

    def _record_message(self, stamp_ns: int) -> None:
        self.recording.add_stamp(stamp_ns)
        self._last_message_at = time.monotonic()


def _body(skeleton: msg.Skeleton, picture: Picture) -> DrawnSkeleton:
    pixels = skeleton.image_positions
    points = zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True)
    return DrawnSkeleton(
        skeleton.person_id,
        tuple((u / picture.width, v / picture.height) if math.isfinite(u + v) else None for u, v in points),
    )


def to_line(message: Any) -> str:
    """One line of JSON with every field under its own name. Numbers that JSON cannot say (NaN, infinity) are null."""
    return json.dumps(to_fields(message), ensure_ascii=False, allow_nan=False)


def to_fields(message: Any) -> dict[str, Any]:
    """The message's fields as dicts, lists, strings and numbers."""
    return {name: _plain(getattr(message, name), kind) for name, kind in message.get_fields_and_field_types().items()}


def _plain(value: Any, kind: str) -> Any:
    if hasattr(value, 'get_fields_and_field_types'):
        return to_fields(value)
    if isinstance(value, bytes):  # of the type `byte`, always one
        return value[0]
    if isinstance(value, str | bool):
        return value
    if hasattr(value, '__iter__'):
        return [_plain(item, kind) for item in value]
    if 'float' in kind or 'double' in kind:
        if not math.isfinite(value):
            return None
        # The fewest digits that tell this number from its neighbours, of its own precision.
        return float(value) if 'double' in kind else float(str(np.float32(value)))
    return int(value)
