# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""audio_features: sound to voice activity, utterances, and the features of each."""
from __future__ import annotations

import importlib.metadata
import sys
import time
from typing import Any

import numpy as np
from std_msgs.msg import Bool

from smern_ros import msg
from smern_ros.assets import AssetError
from smern_ros.audio import features
from smern_ros.audio.channels import AUTOMATIC, Downmix
from smern_ros.audio.segmenter import Segmentation, UtteranceState
from smern_ros.audio.stream import Activity, ActivityDecimator, Boundary, Discontinuity, Event, SpeechStream
from smern_ros.ros import qos, topics
from smern_ros.ros.latched_input import LatchedSubscription
from smern_ros.ros.main import run
from smern_ros.ros.messages import features_to_message, header, sound_from_message, stamp_of, utterance_to_message
from smern_ros.ros.node import SmernNode
from smern_ros.ros.parameters import Parameter
from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.utils import malloc
from smern_ros.values import AudioFeatures, Utterance

DEFAULT = Segmentation()
OWN, TOPIC = 'own', 'topic'
MUTED_WARNING_AFTER = 60.0
"""s of robot_speaking after which a warning is given."""


class AudioFeaturesNode(SmernNode):
    NAME = 'audio_features'
    PARAMETERS = (
        Parameter(
            'voice_activity',
            OWN,
            f'source of the voice activity: {OWN} detector, or {TOPIC} {topics.DETECTED}',
            choices=(OWN, TOPIC),
        ),
        Parameter(
            'threshold',
            DEFAULT.threshold,
            'minimum speech probability of a voiced frame',
            (0.01, 0.99),
            live=True,
        ),
        Parameter('pre_roll', DEFAULT.pre_roll, 's of audio kept before the first voiced frame', (0.0, 2.0), live=True),
        Parameter(
            'tentative_silence',
            DEFAULT.tentative_silence,
            's of silence after which an utterance ends tentatively',
            (0.128, 2.0),
            live=True,
        ),
        Parameter(
            'end_silence', DEFAULT.end_silence, 's of silence after which an utterance ends', (0.2, 5.0), live=True
        ),
        Parameter(
            'min_speech_duration',
            DEFAULT.min_speech_duration,
            'minimum s of voiced frames in an utterance',
            (0.0, 5.0),
            live=True,
        ),
        Parameter(
            'max_utterance_duration',
            DEFAULT.max_utterance_duration,
            's after which an utterance is split',
            (1.0, 30.0),
            live=True,
        ),
        Parameter(
            'mute_tail', 0.2, 's for which audio stays muted after the robot speaks', (0.0, 5.0), live=True
        ),
        Parameter(
            'stamp_tolerance',
            0.1,
            'tolerated jitter of stamps in s; a larger step is a discontinuity',
            (0.01, 5.0),
            live=True,
        ),
        Parameter(
            'audio_timeout',
            15.0,
            's without audio after which an open utterance ends',
            (0.5, 600.0),
            live=True,
        ),
        Parameter('speech_encoder', True, f'publish the speech embedding of {SPEC.speech_encoder}, too'),
    )

    _extractor: _Extractor | None = None

    def load(self) -> None:
        segmentation = _segmentation({p.name: self.value(p.name) for p in self.PARAMETERS})
        self._stream = SpeechStream(
            segmentation=segmentation, tolerance=self.value('stamp_tolerance'), mute_tail=self.value('mute_tail'),
            own_detector=self.value('voice_activity') == OWN,
        )
        self._set_model_info()
        self._mono = Downmix()
        self._channel = AUTOMATIC
        self._report_channel()
        self._decimator = ActivityDecimator()
        self._frame_id = ''  # of the newest chunk
        self._audio_at = time.monotonic()
        self._activity = self.add_publisher(msg.VoiceActivity, topics.IS_SPEAKING, qos.STREAM)
        self._utterances = self.add_publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
        self._features = self.add_publisher(msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE)
        self._worker = self.worker('features', capacity=8)
        self._extractor = extractor = _Extractor()
        use_speech_encoder = self.value('speech_encoder')
        self._worker.submit(lambda: self._warm_up(extractor, use_speech_encoder))
        self.add_subscription(msg.AudioChunk, topics.AUDIO, self._on_sound, qos.AUDIO)
        self._robot_topic = LatchedSubscription(
            self, Bool, topics.ROBOT_SPEAKING, self._on_robot_speaking, self._robot_lost
        )
        self.add_timer(0.5, self._check_robot)
        if self.value('voice_activity') == TOPIC:
            self.add_subscription(msg.VoiceActivity, topics.DETECTED, self._on_detected, qos.EVIDENCE)
            self.add_timer(0.5, self._check_detector)
        self._robot_speaking = self._speech_detected = False
        self._voice_id = ''  # frame_id of the newest topics.DETECTED
        self.add_timer(0.5, self._check_audio_timeout)

    def start(self) -> None:
        self._robot_topic.start()

    def stop(self) -> None:
        self._publish(self._stream.flush())
        self._mono.reset()
        self._end_detected_speech()  # the end would be missed while inactive

    def unload(self) -> None:
        vars(self).pop('_stream', None)
        self._extractor = None
        self.health.warn(SPEC.speech_encoder, '')

    def check(self, values: dict[str, Any]) -> None:
        _segmentation(values)

    def reconfigure(self) -> None:
        values = {p.name: self.value(p.name) for p in self.PARAMETERS}
        self._stream.change(_segmentation(values), values['mute_tail'])
        self._stream.tolerance = values['stamp_tolerance']

    # --- topics -----------------------------------------------------------------------------------------------

    def _on_sound(self, message: msg.AudioChunk) -> None:
        samples = self._mono.push(sound_from_message(message), message.sample_rate)
        if self._mono.channel != self._channel:
            self._channel = self._mono.channel
            self._report_channel()
        stamp_ns = stamp_of(message.header)
        self._audio_at = time.monotonic()
        events = self._stream.push(samples, message.sample_rate, stamp_ns)
        self._frame_id = message.header.frame_id
        self._publish(events)

    def _report_channel(self) -> None:
        if self._channel == AUTOMATIC:
            self.health.set_info('channel', 'mean of all')
            return
        self.health.set_info('channel', f'{self._channel}: the channels cancel each other, or the others are silent')
        self.get_logger().info(f'audio channels cancel each other or are silent; using channel {self._channel}')

    def _on_robot_speaking(self, message: Bool) -> None:
        if message.data and not self._robot_speaking:
            self._robot_speaking_since = time.monotonic()
        self._robot_speaking = message.data
        self._stream.mute(self.get_clock().now().nanoseconds, message.data)

    def _on_detected(self, message: msg.VoiceActivity) -> None:
        if message.is_speaking and self._speech_detected and message.header.frame_id != self._voice_id:
            self._publish(self._stream.flush())  # another voice starts another utterance, even without a pause
        self._speech_detected, self._voice_id = message.is_speaking, message.header.frame_id
        self._stream.tell(stamp_of(message.header), message.is_speaking)

    def _check_robot(self) -> None:
        self._robot_topic.check_publishers()
        duration = time.monotonic() - self._robot_speaking_since if self._robot_speaking else 0.0
        name = self.resolve_topic_name(topics.ROBOT_SPEAKING)
        self.health.warn(topics.ROBOT_SPEAKING, '' if duration < MUTED_WARNING_AFTER else (
            f'{name} has been true for {duration:.0f} s and mutes the audio; '
            'publish false when the robot stops speaking'
        ))

    def _robot_lost(self) -> None:
        if self._robot_speaking:
            self._on_robot_speaking(Bool(data=False))
            self.log_error(topics.ROBOT_SPEAKING, 'no publisher; unmuting the audio')

    def _check_detector(self) -> None:
        """The external detector may end before it publishes the end of speech."""
        if self._speech_detected and not self.publishers_of(topics.DETECTED):
            self._end_detected_speech()
            self.log_error(topics.DETECTED, 'no publisher; ending the current utterance')

    def _end_detected_speech(self) -> None:
        if self._speech_detected:
            self._speech_detected = False
            self._stream.tell(self.get_clock().now().nanoseconds, False)

    def _check_audio_timeout(self) -> None:
        silence = time.monotonic() - self._audio_at
        if self._stream.in_utterance and silence > self.value('audio_timeout'):
            self.log_error(topics.AUDIO, f'no audio for {silence:.1f} s during an utterance; ending it')
            self._publish(self._stream.flush())

    # --- events -----------------------------------------------------------------------------------------------

    def _publish(self, events: list[Event]) -> None:
        self.each('result', events, self._publish_one)

    def _publish_one(self, event: Event) -> None:
        match event:
            case Activity() if self._decimator.should_publish(event):
                self._activity.publish(
                    msg.VoiceActivity(
                        header=header(event.stamp_ns, self._frame_id),
                        is_speaking=event.is_speaking,
                        probability=event.probability,
                        muted=event.muted,
                    )
                )
            case Boundary():
                self._publish_boundary(event)
            case Discontinuity():
                self._report_discontinuity(event)

    def _publish_boundary(self, boundary: Boundary) -> None:
        utterance, frame_id = boundary.utterance, self._frame_id
        self._utterances.publish(
            utterance_to_message(utterance, int(boundary.state), boundary.last_voiced_ns, frame_id)
        )
        extractor = self._extractor  # a job that outlives this configuration keeps what it uses
        if extractor is not None and boundary.state == UtteranceState.TENTATIVE:  # ENDED has the same sound
            received_at = time.monotonic()
            self._worker.submit(lambda: self._extract(extractor, utterance, frame_id, received_at), wait=True)

    def _extract(self, extractor: _Extractor, utterance: Utterance, frame_id: str, received_at: float) -> None:
        """On the worker's thread."""
        self._features.publish(features_to_message(extractor.extract(utterance), frame_id))
        self.health.record_latency(time.monotonic() - received_at)
        malloc.trim()  # what an utterance of 12 s needs is 60 MB

    def _warm_up(self, extractor: _Extractor, use_speech_encoder: bool) -> None:
        """On the worker's thread, so that the node processes audio meanwhile."""
        problem = extractor.load() if use_speech_encoder else ''
        if extractor is self._extractor:  # not cleaned up meanwhile
            self.health.warn(SPEC.speech_encoder, problem)
            self._set_model_info(extractor)
        extractor.warm_up()

    def _set_model_info(self, extractor: _Extractor | None = None) -> None:
        encoder = f', {SPEC.speech_encoder}' if extractor is not None and extractor.has_speech_encoder else ''
        self.health.set_info('model', f'silero-vad {importlib.metadata.version("silero-vad")}, {SPEC.name}{encoder}')

    def _report_discontinuity(self, jump: Discontinuity) -> None:
        direction = 'forward' if jump.seconds > 0 else 'back'
        self.log_error(
            f'stamps of {topics.AUDIO}',
            f'time jumped {direction} by {abs(jump.seconds):.3f} s; ending the current utterance',
        )


class _Extractor:
    """Extracts the features of one configuration, on the worker's thread."""

    def __init__(self) -> None:
        self._speech_encoder: SpeechEncoder | None = None

    @property
    def has_speech_encoder(self) -> bool:
        return self._speech_encoder is not None

    def load(self) -> str:
        """:return: why the speech encoder cannot be loaded, and what to do; empty: it is loaded."""
        try:
            self._speech_encoder = SpeechEncoder()
        except AssetError as error:
            return (f'using MFCC and prosody only; the speech encoder has no weights: {error}. Then restart this '
                    'node, or set speech_encoder to false')
        return ''

    def warm_up(self) -> None:
        """Imports and builds what extractions use."""
        import torch

        torch.set_num_threads(1)
        self.extract(Utterance('warm-up', 0, 1, np.zeros(SPEC.sample_rate, np.float32)))
        malloc.give_back()  # the weights as they were read

    def extract(self, utterance: Utterance) -> AudioFeatures:
        return features.extract(utterance, self._speech_encoder)


def _segmentation(values: dict[str, Any]) -> Segmentation:
    """:raises ValueError: if they do not go together."""
    return Segmentation(
        threshold=values['threshold'],
        release=0.7 * values['threshold'],
        **{
            name: values[name]
            for name in (
                'pre_roll',
                'tentative_silence',
                'end_silence',
                'min_speech_duration',
                'max_utterance_duration',
            )
        },
    )


def main(args: list[str] | None = None) -> int:
    return run(AudioFeaturesNode, args)


if __name__ == '__main__':
    sys.exit(main())
