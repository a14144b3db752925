# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""media_source: a file, a webcam or a microphone into the graph, as a robot's drivers would give them."""
from __future__ import annotations

import array
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Bool

from smern_ros import msg
from smern_ros.audio.channels import AUTOMATIC, pick
from smern_ros.media.back_pressure import BackPressure
from smern_ros.media.capture import Microphone, Webcam
from smern_ros.media.device import Device, KeptDevice
from smern_ros.media.playback import Playback, chunks
from smern_ros.media.reader import MediaError, MediaReader
from smern_ros.media.tracks import AudioBlock, VideoFrame
from smern_ros.ros import qos, topics
from smern_ros.ros.audio_common import CHANNEL
from smern_ros.ros.image_messages import to_compressed, to_image
from smern_ros.ros.main import run
from smern_ros.ros.messages import header
from smern_ros.ros.node import ConfigurationError, SmernNode
from smern_ros.ros.parameters import Parameter
from smern_ros.ros.replay_acks import AUDIO_NODE, FUSION_NODE, POSE_NODE, ReplayAcks
from smern_ros.ros.sim_clock import SimulatedTime
from smern_ros.ros.wait_for_nodes import NodeReadinessWaiter
from smern_ros.utils import malloc
from smern_ros.values import SECOND

WEBCAM, MICROPHONE = 'webcam', 'microphone'


class MediaSourceNode(SmernNode):
    NAME = 'media_source'
    PARAMETERS = (
        Parameter('media', WEBCAM, f'a file, {WEBCAM} (camera and microphone) or {MICROPHONE}', path=True),
        Parameter('rate', 1.0, 'playback rate of a file; 1: real time, 0: as fast as possible', (0.0, 100.0)),
        Parameter('loop', False, 'repeat a file; stamps continue'),
        Parameter('lossless', False, 'play a file no faster than the nodes in wait_for process it'),
        Parameter('wait_for', f'{POSE_NODE},skeleton_filter,{AUDIO_NODE},asr,{FUSION_NODE}',
                  'nodes that must be active before a file starts, comma-separated'),
        Parameter('wait_timeout', 60.0, 's after which a file starts without them', (0.0, 3600.0)),
        Parameter('patience', 10.0, 's without any output after which a lossless replay continues', (0.1, 3600.0)),
        Parameter('start_time', 0.0, 'stamp of the start of a file in s; 0: now', (0.0, 4e9)),
        Parameter('publish_clock', False, 'publish the time of a file on /clock, for use_sim_time'),
        Parameter('silence', 1.5, 's of silence appended to a file, which ends its last utterance', (0.0, 60.0)),
        Parameter('chunk', 0.032, 's of audio in a message', (0.01, 0.1)),
        Parameter('camera', '0', 'number, path or URL of the camera; empty: none', path=True),
        Parameter('microphone', 'default', 'name or number of the microphone; empty: none'),
        CHANNEL,
        Parameter('width', 640, 'of the camera image in pixels', (16, 8192)),
        Parameter('height', 480, 'of the camera image in pixels', (16, 8192)),
        Parameter('camera_rate', 30.0, 'requested frame rate in Hz', (1.0, 240.0)),
        Parameter('transport', 'raw', f'{topics.IMAGE} or {topics.IMAGE_COMPRESSED}', choices=('raw', 'compressed')),
        Parameter('quality', 90, 'JPEG quality of compressed images', (1, 100), live=True),
        Parameter('camera_frame', 'camera', 'optical frame_id of images', live=True),
        Parameter('microphone_frame', 'microphone', 'frame_id of audio', live=True),
    )

    def load(self) -> None:
        malloc.keep_freed(malloc.IMAGES)
        self._media = self.value('media')
        self._reader = None if self._media in (WEBCAM, MICROPHONE) else self._open_file()
        self._waited_for = {name.strip() for name in self.value('wait_for').split(',') if name.strip()}
        self._to_stop: list[Callable[[], object]] = []

        images = qos.IMAGES if self._reader is None else qos.LOSSLESS_IMAGES
        self._compressed = self.value('transport') == 'compressed'
        kind, topic = (CompressedImage, topics.IMAGE_COMPRESSED) if self._compressed else (Image, topics.IMAGE)
        # What is not in the file, or has no device, has no topic: another node may publish it.
        sees = self._media == WEBCAM and self.value('camera') if self._reader is None else self._reader.has_video
        hears = self.value('microphone') if self._reader is None else self._reader.has_audio
        self._images = self.add_publisher(kind, topic, images) if sees else None
        self._sound = self.add_publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO) if hears else None
        self._finished = self.add_publisher(Bool, topics.MEDIA_FINISHED, qos.STATE)
        clock = self.add_publisher(Clock, '/clock', qos.STREAM) if self.value('publish_clock') else None
        self._time = None if clock is None else SimulatedTime(clock.publish)
        self._acks = ReplayAcks(self) if self._reader is not None and self.value('lossless') else None

    def start(self) -> None:
        reader = self._reader
        if reader is None:
            self._start_devices()
            return
        readiness = NodeReadinessWaiter(
            self, self._waited_for, also_missing=self._missing, timeout=self.value('wait_timeout'),
            on_done=lambda missing: self._play(reader, missing),
        )
        self._to_stop.append(readiness.close)

    def stop(self) -> None:
        while self._to_stop:
            self._to_stop.pop()()
        if self._acks is not None:
            self._acks.clear_target()
        if self._time is not None:
            self._time.reset()

    # --- files ------------------------------------------------------------------------------------------------

    def _open_file(self) -> MediaReader:
        try:
            return MediaReader(self._media)
        except MediaError as error:
            raise ConfigurationError(f'{error}. Set media to a file, {WEBCAM} or {MICROPHONE}') from error

    def _missing(self) -> list[str]:
        """What must be there beside the nodes that are waited for."""
        missing = []
        if POSE_NODE in self._waited_for and self._images is not None and not self._images.subscription_count:
            missing.append(f'a subscriber of {topics.IMAGE_COMPRESSED if self._compressed else topics.IMAGE}')
        if AUDIO_NODE in self._waited_for and self._sound is not None and not self._sound.subscription_count:
            missing.append(f'a subscriber of {topics.AUDIO}')
        if not self._now():
            missing.append('a clock')
        return missing

    def _now(self) -> int:
        """The stamp of the file's start."""
        wanted = round(self.value('start_time') * SECOND)
        # Whoever gives the time to others cannot take it from them.
        return wanted or (time.time_ns() if self._time else self.get_clock().now().nanoseconds)

    def _play(self, reader: MediaReader, missing: list[str]) -> None:
        if missing:
            self.log_error('wait_for', f'timed out waiting for {", ".join(missing)}; starting without')
        start_ns = self._now()
        playback = Playback(
            reader,
            show=lambda frame: self._show(frame, start_ns),
            sound=lambda chunk: self._send(chunk, start_ns),
            on_error=lambda error: self.log_error('media', str(error) if isinstance(error, MediaError) else error),
            on_end=self._tell_the_end,
            rate=self.value('rate'),
            chunk=self.value('chunk'),
            loop=self.value('loop'),
            silence=self.value('silence'),
            pressure=self._pressure(start_ns),
        )
        self._to_stop.append(playback.stop)
        self._finished.publish(Bool(data=False))
        self._tick(start_ns)
        playback.start()

    def _pressure(self, start_ns: int) -> BackPressure | None:
        if self._acks is None:
            return None
        pressure = BackPressure(
            frames=POSE_NODE in self._waited_for and self._images is not None,
            audio=AUDIO_NODE in self._waited_for and self._sound is not None,
            states=FUSION_NODE in self._waited_for,
            patience=self.value('patience'),
            on_stall=lambda text: self.log_error('lossless', text),
        )
        self._acks.set_target(pressure, start_ns)
        return pressure

    def _tell_the_end(self) -> None:
        self._finished.publish(Bool(data=True))
        self.get_logger().info(f'finished playing {self._media}')

    # --- devices ----------------------------------------------------------------------------------------------

    def _start_devices(self) -> None:
        def now() -> int:
            return self.get_clock().now().nanoseconds

        try:
            if self._media == WEBCAM and self.value('camera'):
                self._keep('camera', lambda: Webcam(
                    self.value('camera'), width=self.value('width'), height=self.value('height'),
                    rate=self.value('camera_rate'), clock=now,
                ), iter, self._show)
            if self.value('microphone'):
                name = self.value('microphone')
                self._keep('microphone', lambda: Microphone(
                    '' if name == 'default' else name, channel=self.value('channel'), clock=now,
                ),
                           lambda microphone: chunks(microphone, self.value('chunk')), self._send)
        except MediaError as error:
            self.stop()
            raise ConfigurationError(f'{error}. To run without, set camera or microphone to an empty name') from error

    def _keep(self, name: str, open_device: Callable[[], Device], read: Callable[[Any], Iterable],
              publish: Callable) -> None:
        """Publish what a device gives. Who is lost may come back, so the node does not end: the other goes on."""
        def say(error: Exception) -> None:
            self.log_error(name, f'{error}; retrying' if isinstance(error, MediaError) else error)

        device = KeptDevice(open_device, read=read, take=publish, on_error=say, name=f'media.{name}')
        def stop() -> None:
            if not device.stop():
                self.log_error(name, 'the device does not respond and stays open')

        self._to_stop.append(stop)
        device.start()

    # --- publishing, on the threads of playback and devices -----------------------------------------------------

    def _show(self, frame: VideoFrame, start_ns: int = 0) -> None:
        taken_at = time.monotonic()
        stamp_ns = start_ns + frame.stamp_ns
        self._tick(stamp_ns)
        taken = header(stamp_ns, self.value('camera_frame'))
        if self._images is None:
            return
        if self._compressed:
            self._images.publish(to_compressed(frame.image, taken, quality=self.value('quality')))
        else:
            self._images.publish(to_image(frame.image, taken))
        self.health.record_latency(time.monotonic() - taken_at)

    def _send(self, chunk: AudioBlock, start_ns: int = 0) -> None:
        taken_at = time.monotonic()
        channel = self.value('channel')
        samples = chunk.samples if channel == AUTOMATIC else pick(chunk.samples, channel)
        self._tick(start_ns + chunk.end_ns)
        if self._sound is None:
            return
        self._sound.publish(msg.AudioChunk(
            header=header(start_ns + chunk.stamp_ns, self.value('microphone_frame')),
            sample_rate=chunk.sample_rate,
            channels=samples.shape[1],
            encoding=msg.AudioChunk.S16LE,
            data=array.array('B', samples.astype('<i2').tobytes()),
        ))
        self.health.record_latency(time.monotonic() - taken_at)

    def _tick(self, now_ns: int) -> None:
        if self._time is not None:
            self._time.advance(now_ns)


def main(args: list[str] | None = None) -> int:
    return run(MediaSourceNode, args)


if __name__ == '__main__':
    sys.exit(main())
