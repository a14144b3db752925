# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""skeleton_filter: raw skeletons to a smooth stream and to windows of movement, one for each utterance."""
from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.main import run
from smern_ros.ros.messages import (
    header,
    is_tracker_reset,
    skeletons_from_message,
    skeletons_to_message,
    stamp_of,
    utterance_from_message,
    window_to_message,
)
from smern_ros.ros.node import SmernNode
from smern_ros.ros.parameters import Parameter
from smern_ros.skeleton.history import ClockMismatchDetector, SkeletonHistory
from smern_ros.skeleton.live import LiveFilter
from smern_ros.spec import SPEC
from smern_ros.values import CLOCK_JUMP, SECOND, Utterance

MAX_WAITING = 16
"""Utterances whose last frames are waited for at once; beyond, the oldest gets what is there."""
REMEMBERED = 100
"""Utterances of which the last published window's end is kept."""


@dataclass(frozen=True)
class PendingUtterance:
    """An utterance whose last camera frames have not come yet."""

    start_ns: int
    end_ns: int
    cancel: Callable[[], None]


class SkeletonFilterNode(SmernNode):
    NAME = 'skeleton_filter'
    PARAMETERS = (
        Parameter('history', 30.0, 's of raw skeletons kept; the longest complete window', (2.0, 600.0),
                  live=True),
        Parameter('gesture_window', 2.0, 's, length of a window between utterances', (0.5, 30.0), live=True),
        Parameter('gesture_period', 0.5, 's, period of windows between utterances; 0: none', (0.0, 60.0), live=True),
        Parameter('late_frame_wait', 0.25, 's to wait for the frames at the end of an utterance', (0.0, 10.0),
                  live=True),
        Parameter('camera_timeout', 1.0, 's without a frame after which the camera is off', (0.1, 60.0), live=True),
    )

    _first_ns: int | None = None   # of the frames that gesture windows may use
    _gesture_end_ns = 0            # of the newest gesture window
    _newest_end_ns = 0             # of an utterance

    def load(self) -> None:
        self.check({p.name: self.value(p.name) for p in self.PARAMETERS})
        self._history = SkeletonHistory(self.value('history'))
        self._live = LiveFilter()
        self.reconfigure()
        self._waiting: dict[str, PendingUtterance] = {}
        self._published: OrderedDict[str, int] = OrderedDict()  # utterance id: end of its newest window
        self._reset()
        self.health.set_info('model', f'low-pass filter of {SPEC.name}')
        self.health.set_info('delay of skeleton/filtered [s]', f'{self._live.delay_ns / SECOND:.3f}')

        self._filtered = self.add_publisher(msg.SkeletonArray, topics.SKELETON_FILTERED, qos.STREAM)
        self._windows = self.add_publisher(msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE)
        self.add_subscription(msg.SkeletonArray, topics.SKELETON_RAW, self._on_skeletons, qos.STREAM)
        self.add_subscription(msg.SkeletonArray, topics.PEOPLE, self._on_people, qos.STATE)
        self.add_subscription(msg.Utterance, topics.UTTERANCE, self._on_utterance, qos.EVIDENCE)

    def check(self, values: dict[str, Any]) -> None:
        if values['gesture_window'] > values['history']:
            raise ValueError(f'gesture_window is {values["gesture_window"]} s, but history keeps only '
                             f'{values["history"]} s; increase history or decrease gesture_window')

    def reconfigure(self) -> None:
        self._history.seconds = self.value('history')
        self._gesture_window_ns = round(self.value('gesture_window') * SECOND)
        self._gesture_period_ns = round(self.value('gesture_period') * SECOND)

    def stop(self) -> None:
        self._history.clear()
        self._reset()

    # --- topics -----------------------------------------------------------------------------------------------

    def _on_skeletons(self, message: msg.SkeletonArray) -> None:
        received_at = time.monotonic()
        skeletons = skeletons_from_message(message)
        stamp_ns = stamp_of(message.header)
        if self._history.add(stamp_ns, skeletons):
            self._reset()
            self.log_error('clock', f'camera stamps jumped back to {stamp_ns / SECOND:.3f} s; resetting')
        self._frame_at, self._frame_id = time.monotonic(), message.header.frame_id

        for value_ns, people in self._live.push(stamp_ns, skeletons):
            self._filtered.publish(skeletons_to_message(people, header(value_ns, self._frame_id)))
        complete = [u for u, waiting in self._waiting.items() if waiting.end_ns <= stamp_ns]
        self.each(topics.SKELETON_WINDOW, complete, self._publish_waiting)
        if self._gesture_period_ns:
            self._publish_gesture(stamp_ns)
        self.health.record_latency(time.monotonic() - received_at)

    def _on_people(self, message: msg.SkeletonArray) -> None:
        """Two people who have had the same id in turn have not moved as one."""
        if is_tracker_reset(message):
            self._history.clear()
            self._live.reset()
            self._first_ns = None

    def _on_utterance(self, message: msg.Utterance) -> None:
        utterance = utterance_from_message(message)
        if message.state == msg.Utterance.RESUMED:
            self._cancel_waiting(utterance.id)
        else:
            self._schedule_window(utterance)

    # --- windows of utterances --------------------------------------------------------------------------------

    def _schedule_window(self, utterance: Utterance) -> None:
        """Publish the utterance's window when its last frame is there, once for each end."""
        self._check_clock(utterance)
        if self._published.get(utterance.id) == utterance.end_ns:
            return
        waiting = self._waiting.get(utterance.id)
        if waiting is not None and waiting.end_ns == utterance.end_ns:
            return
        self._cancel_waiting(utterance.id)
        newest_ns = self._history.newest_ns
        camera_off = time.monotonic() - self._frame_at > self.value('camera_timeout')
        if camera_off or (newest_ns is not None and newest_ns >= utterance.end_ns):
            self._publish_window(utterance.id, utterance.start_ns, utterance.end_ns)
            return
        if len(self._waiting) == MAX_WAITING:
            self.each(topics.SKELETON_WINDOW, [next(iter(self._waiting))], self._publish_waiting)
        cancel = self.call_later(self.value('late_frame_wait'), lambda: self._wait_expired(utterance.id))
        self._waiting[utterance.id] = PendingUtterance(utterance.start_ns, utterance.end_ns, cancel)

    def _check_clock(self, utterance: Utterance) -> None:
        """A recording played again has the same ids: without a camera nothing else tells that it is another pass."""
        back_ns = self._newest_end_ns - utterance.end_ns
        if back_ns > CLOCK_JUMP:
            self._reset_utterances()
            self.log_error('clock', f'{topics.UTTERANCE} jumped back by {back_ns / SECOND:.1f} s; resetting')
        self._newest_end_ns = max(self._newest_end_ns, utterance.end_ns)

    def _publish_waiting(self, utterance_id: str) -> None:
        waiting = self._waiting.pop(utterance_id)
        waiting.cancel()
        self._publish_window(utterance_id, waiting.start_ns, waiting.end_ns)

    def _wait_expired(self, utterance_id: str) -> None:
        waiting = self._waiting.pop(utterance_id)
        missing = (waiting.end_ns - max(self._history.newest_ns or 0, waiting.start_ns)) / SECOND
        self._publish_window(utterance_id, waiting.start_ns, waiting.end_ns)
        self.get_logger().warning(f'no skeletons of the last {missing:.2f} s of utterance {utterance_id[:80]!r}')

    def _cancel_waiting(self, utterance_id: str) -> None:
        if utterance_id in self._waiting:
            self._waiting.pop(utterance_id).cancel()

    def _publish_window(self, utterance_id: str, start_ns: int, end_ns: int) -> None:
        people = self._history.window(start_ns, end_ns)
        self._windows.publish(window_to_message(utterance_id, start_ns, end_ns, people, self._frame_id))
        if utterance_id:
            self._check_history_length(utterance_id, start_ns, end_ns)
            camera_on = time.monotonic() - self._frame_at <= self.value('camera_timeout')
            self.health.warn('clocks', self._clock_mismatch.look(end_ns, self._history) if camera_on else '')
            self._published[utterance_id] = end_ns
            self._published.move_to_end(utterance_id)
            while len(self._published) > REMEMBERED:
                self._published.popitem(last=False)

    def _check_history_length(self, utterance_id: str, start_ns: int, end_ns: int) -> None:
        seconds, oldest_ns = (end_ns - start_ns) / SECOND, self._history.oldest_ns
        if seconds > self._history.seconds and oldest_ns is not None and start_ns < oldest_ns < end_ns:
            self.log_error('history', f'utterance {utterance_id!r} lasts {seconds:.1f} s, but skeletons are kept for '
                                     f'its last {(end_ns - oldest_ns) / SECOND:.1f} s only; increase history, which is '
                                     f'{self._history.seconds:.1f} s')

    # --- windows between utterances ---------------------------------------------------------------------------

    def _publish_gesture(self, stamp_ns: int) -> None:
        """Publish the newest window that ends on a whole period and is full, unless it was published before."""
        end_ns = stamp_ns // self._gesture_period_ns * self._gesture_period_ns
        start_ns = end_ns - self._gesture_window_ns
        if self._first_ns is None:
            self._first_ns = stamp_ns
        if start_ns >= self._first_ns and end_ns > self._gesture_end_ns:
            self._gesture_end_ns = end_ns
            self._publish_window('', start_ns, end_ns)

    def _reset(self) -> None:
        """All but the history, which knows by itself what to forget."""
        self._live.reset()
        self._reset_utterances()
        self._first_ns = None
        self._gesture_end_ns = 0
        self._frame_at = -float('inf')      # steady time of the last frame
        self._frame_id = ''

    def _reset_utterances(self) -> None:
        for utterance_id in list(self._waiting):
            self._cancel_waiting(utterance_id)
        self._published.clear()
        self._clock_mismatch = ClockMismatchDetector()
        self._newest_end_ns = 0


def main(args: list[str] | None = None) -> int:
    return run(SkeletonFilterNode, args)


if __name__ == '__main__':
    sys.exit(main())
