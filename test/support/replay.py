# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A test that plays the camera and the microphone itself: any frame rate, lost frames, any size of chunk."""
from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from smern_ros import msg
from smern_ros.media.reader import AudioBlock, VideoFrame
from smern_ros.ros import qos, topics
from smern_ros.ros.image_messages import to_image
from smern_ros.ros.messages import header, to_ns, to_time
from smern_ros.values import SECOND

CAMERA, MICROPHONE = 'camera_optical', 'microphone'
AHEAD = SECOND // 5
"""ns that the sound may run ahead of what the pose node has seen."""
SHOW_AGAIN = 5.0
"""s after which a picture counts as lost: a camera's are sent once, and a listener may not know the camera yet."""


def at_frame_rate(items: Iterable[VideoFrame | AudioBlock], rate: float) -> Iterator[VideoFrame | AudioBlock]:
    """The same film as a camera of that rate would have sent it: the newest picture at each of its instants.

    The instants count from the film's start, begin with its first picture and end with its last item.

    :param items: in the order of their stamps, a picture before sound of the same stamp, as a reader gives them.
    """
    newest: VideoFrame | None = None
    sent = 0  # instants that are over

    def until(stamp_ns: float) -> Iterator[VideoFrame]:
        nonlocal sent
        while (instant_ns := round(sent * SECOND / rate)) <= stamp_ns:
            sent += 1
            if newest is not None:
                yield VideoFrame(instant_ns, newest.image)

    for item in items:
        if isinstance(item, VideoFrame):
            yield from until(item.stamp_ns - 1)
            newest = item
            yield from until(item.stamp_ns)
        else:
            yield from until(item.stamp_ns)
            yield item


def losing_frames(
    items: Iterable[VideoFrame | AudioBlock], *, share: float, gap: tuple[float, float], seed: int = 0
) -> Iterator[VideoFrame | AudioBlock]:
    """Loses that share of the frames at random, and all between the two times (s) of the gap."""
    rng = np.random.default_rng(seed)
    for item in items:
        lost = isinstance(item, VideoFrame) and (
            rng.random() < share or gap[0] * SECOND <= item.stamp_ns < gap[1] * SECOND
        )
        if not lost:
            yield item


def in_odd_chunks(
    items: Iterable[VideoFrame | AudioBlock], *, smallest: int = 1, largest: int = 4001, seed: int = 0
) -> Iterator[VideoFrame | AudioBlock]:
    """Cuts and joins the sound anew, so that each chunk has another number of samples."""
    rng = np.random.default_rng(seed)
    held: list[np.ndarray] = []
    start_ns, rate, wanted = 0, 0, int(rng.integers(smallest, largest))

    def emit(samples: np.ndarray) -> AudioBlock:
        nonlocal start_ns
        block = AudioBlock(start_ns, samples, rate)
        start_ns += round(len(samples) * SECOND / rate)
        return block

    for item in items:
        if isinstance(item, VideoFrame):
            yield item
            continue
        if not rate:
            start_ns, rate = item.stamp_ns, item.sample_rate
        held.append(item.samples)
        while sum(map(len, held)) >= wanted:
            whole = np.concatenate(held)
            yield emit(whole[:wanted])
            held, wanted = [whole[wanted:]], int(rng.integers(smallest, largest))
    if sum(map(len, held)):
        yield emit(np.concatenate(held))


class Player:
    """Publishes items with stamps from `start_ns` on, never far ahead of the graph, so that nothing is lost."""

    def __init__(self, graph, start_ns: int, *, clock: bool = False) -> None:
        probe = graph.probe
        self._graph = graph
        self._start_ns = self._now_ns = start_ns
        self._images = probe.publisher(Image, topics.IMAGE, qos.IMAGES)
        self._sound = probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
        self._clock = probe.publisher(Clock, '/clock', qos.STREAM) if clock else None
        probe.wait_for_listener(self._images, self._sound)

    def play(self, items: Iterable[VideoFrame | AudioBlock], *, closing_silence: float = 1.0) -> None:
        sound = None
        for item in items:
            if isinstance(item, VideoFrame):
                self._show(item)
            else:
                sound = item
                self._say(item)
        if sound is not None:
            end_ns = sound.stamp_ns + round(len(sound.samples) * SECOND / sound.sample_rate)
            silence = np.zeros((round(closing_silence * sound.sample_rate), sound.samples.shape[1]), np.int16)
            self._say(AudioBlock(end_ns, silence, sound.sample_rate))

    def _show(self, frame: VideoFrame) -> None:
        stamp_ns = self._start_ns + frame.stamp_ns
        self._tick(stamp_ns)
        image = to_image(frame.image, header(stamp_ns, CAMERA))
        shown_at = float('-inf')

        def seen() -> bool:
            nonlocal shown_at
            if self._seen_ns() >= stamp_ns:
                return True
            if time.monotonic() - shown_at > SHOW_AGAIN:
                self._images.publish(image)
                shown_at = time.monotonic()
            return False

        self._graph.wait_for(seen, f'the skeletons of {frame.stamp_ns} ns', timeout=60.0)

    def _say(self, block: AudioBlock) -> None:
        stamp_ns = self._start_ns + block.stamp_ns
        end_ns = stamp_ns + round(len(block.samples) * SECOND / block.sample_rate)
        self._tick(end_ns)  # when a microphone gives it
        self._sound.publish(msg.AudioChunk(
            header=header(stamp_ns, MICROPHONE), sample_rate=block.sample_rate, channels=block.samples.shape[1],
            encoding=msg.AudioChunk.S16LE, data=block.samples.tobytes(),
        ))
        self._graph.wait_for(
            lambda: self._heard_ns() >= end_ns - AHEAD, f'voice activity up to {end_ns} ns', timeout=60.0
        )

    def _tick(self, now_ns: int) -> None:
        """Simulated time, which never goes back: a chunk of sound may come before pictures from within it."""
        self._now_ns = max(self._now_ns, now_ns)
        if self._clock is not None:
            self._clock.publish(Clock(clock=to_time(self._now_ns)))

    def _seen_ns(self) -> int:
        skeletons = self._graph.evidence.skeletons
        return to_ns(skeletons[-1].header.stamp) if skeletons else 0

    def _heard_ns(self) -> int:
        activity = self._graph.evidence.activity
        return to_ns(activity[-1].header.stamp) if activity else 0
