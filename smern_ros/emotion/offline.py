# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Analysis of a recording without ROS, with the same functions as the graph; used by `smern predict`."""
from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from smern_ros.audio import features as audio_features
from smern_ros.audio.channels import Downmix
from smern_ros.audio.pcm import decode
from smern_ros.audio.segmenter import UtteranceState
from smern_ros.audio.stream import Boundary, SpeechStream
from smern_ros.emotion.active_speaker import NEAREST, choose
from smern_ros.media.reader import AudioBlock, VideoFrame
from smern_ros.skeleton.history import SkeletonHistory
from smern_ros.skeleton.idle_frames import IdleFrameSkipper
from smern_ros.skeleton.pose import PoseEstimator
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.speech.recogniser import Recogniser
from smern_ros.values import SECOND, Skeleton, SkeletonWindow, Utterance, UtteranceInputs

CLOSING_SILENCE = 1.0
"""Seconds of silence put after a recording, as the live source does, so that its last utterance ends."""
LONGEST_GESTURE = 10 * SECOND
"""ns; a recording without speech is cut into windows of this length."""


class Analyser:
    """Extracts the utterances of one recording with their evidence. Feed it in the order of time."""

    def __init__(
        self, *, pose: PoseEstimator | None = None, recogniser: Recogniser | None = None,
        speech_encoder: SpeechEncoder | None = None, speaker: str = NEAREST,
    ) -> None:
        """
        :param pose: None: no skeletons.
        :param recogniser: None: no text.
        :param speech_encoder: see `smern_ros.audio.features.extract`.
        :param speaker: see `smern_ros.emotion.active_speaker.choose`.
        """
        self._pose = pose
        self._skipper = IdleFrameSkipper()
        self._recogniser = recogniser
        self._speech_encoder = speech_encoder
        self._speaker = speaker
        self._mono = Downmix()
        self._stream = SpeechStream()
        self._history = SkeletonHistory()
        self._sound_rate = 0
        self._sound_end_ns = 0
        self._ended: list[Utterance] = []   # waiting for the frames up to their end

    def add_frame(self, frame: VideoFrame) -> list[UtteranceInputs]:
        """:return: utterances that are complete now."""
        if self._pose is not None:
            self._history.add(frame.stamp_ns, self._skeletons(self._pose, frame))
        return self._whole(frame.stamp_ns)

    def add_audio(self, block: AudioBlock) -> list[UtteranceInputs]:
        """:return: utterances that are complete now."""
        samples = decode(block.samples.tobytes(), encoding='s16le', channels=block.samples.shape[1])
        self._push(self._mono.push(samples, block.sample_rate), block.sample_rate, block.stamp_ns)
        return self._whole(self._history.newest_ns) if self._pose is not None else self._whole(None)

    def finish(self) -> list[UtteranceInputs]:
        """End the recording.

        :return: the remaining utterances.
        """
        if self._sound_rate:
            silence = np.zeros(round(CLOSING_SILENCE * self._sound_rate), np.float32)
            self._push(silence, self._sound_rate, self._sound_end_ns)
            self._collect(self._stream.flush())
        return self._whole(None)

    def skeleton_window(self, start_ns: int, end_ns: int) -> SkeletonWindow | None:
        """The speaker's skeleton window, within the last 30 s."""
        return choose(self._history.window(start_ns, end_ns), self._speaker)

    def _skeletons(self, pose: PoseEstimator, frame: VideoFrame) -> list[Skeleton]:
        if not self._skipper.should_process(frame.stamp_ns):
            return []
        skeletons = pose.estimate(frame.image, frame.stamp_ns)
        self._skipper.record_processed(frame.stamp_ns, anybody=bool(skeletons))
        return skeletons

    def _push(self, samples: np.ndarray, sample_rate: int, stamp_ns: int) -> None:
        self._collect(self._stream.push(samples, sample_rate, stamp_ns))
        self._sound_rate = sample_rate
        self._sound_end_ns = stamp_ns + len(samples) * SECOND // sample_rate

    def _collect(self, events: Iterable) -> None:
        self._ended += [e.utterance for e in events if isinstance(e, Boundary) and e.state == UtteranceState.ENDED]

    def _whole(self, seen_ns: int | None) -> list[UtteranceInputs]:
        """
        :param seen_ns: the newest frame; None: no more frames will come.
        """
        ready = [u for u in self._ended if seen_ns is None or seen_ns >= u.end_ns]
        self._ended = [u for u in self._ended if u not in ready]
        return [self._inputs(u) for u in ready]

    def _inputs(self, utterance: Utterance) -> UtteranceInputs:
        return UtteranceInputs(
            utterance.id,
            utterance.start_ns,
            utterance.end_ns,
            audio=audio_features.extract(utterance, self._speech_encoder),
            text=self._recogniser.transcribe(utterance) if self._recogniser is not None else None,
            skeleton=self.skeleton_window(utterance.start_ns, utterance.end_ns),
        )


def analyse(
    items: Iterable[VideoFrame | AudioBlock],
    *,
    pose: PoseEstimator | None = None,
    recogniser: Recogniser | None = None,
    speech_encoder: SpeechEncoder | None = None,
    speaker: str = NEAREST,
) -> Iterator[UtteranceInputs]:
    """Yield the utterances of a recording; without speech, skeleton windows with an empty utterance id.

    :param items: frames and audio in the order of time, as of `smern_ros.media.reader.MediaReader`.
    """
    analyser = Analyser(pose=pose, recogniser=recogniser, speech_encoder=speech_encoder, speaker=speaker)
    gestures: list[UtteranceInputs] = []
    spoken = False
    window_start_ns = newest_ns = None

    def gesture(start_ns: int, end_ns: int) -> None:
        window = analyser.skeleton_window(start_ns, end_ns)
        if window is not None:
            gestures.append(UtteranceInputs('', start_ns, end_ns, skeleton=window))

    for item in items:
        if isinstance(item, VideoFrame):
            found, newest_ns = analyser.add_frame(item), item.stamp_ns
            window_start_ns = newest_ns if window_start_ns is None else window_start_ns
            if not spoken and newest_ns - window_start_ns >= LONGEST_GESTURE:
                gesture(window_start_ns, newest_ns)
                window_start_ns = newest_ns
        else:
            found = analyser.add_audio(item)
        spoken = spoken or bool(found)
        yield from found
    last = analyser.finish()
    yield from last
    if not (spoken or last):
        if newest_ns is not None and window_start_ns is not None and newest_ns > window_start_ns:
            gesture(window_start_ns, newest_ns)
        yield from gestures
