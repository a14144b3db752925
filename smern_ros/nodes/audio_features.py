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
from smern_ros.audio.activity_decimator import ActivityDecimator
from smern_ros.audio.channels import AUTOMATIC, Downmix
from smern_ros.audio.segmenter import Segmentation, UtteranceState
from smern_ros.audio.stream import Activity, Boundary, Discontinuity, Event, SpeechStream
from smern_ros.ros import qos, topics
from smern_ros.ros.latched_input import LatchedSubscription
from smern_ros.ros.messages import features_to_message, header, sound_from_message, stamp_of, utterance_to_message
from smern_ros.ros.node import SmernNode, run
from smern_ros.ros.parameters import Parameter
from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.utils import malloc
from smern_ros.values import AudioFeatures, Utterance

DEFAULT = Segmentation()
OWN, TOLD = 'own', 'topic'
ROBOT_SPEAKS_LONG = 60.0
"""s after which it is told that nobody is heard because the robot is still said to speak."""


class AudioFeaturesNode(SmernNode):
    NAME = 'audio_features'
    PARAMETERS = (
        Parameter(
            'voice_activity',
            OWN,
            f'who detects it: {OWN}, or {TOLD}: whoever publishes {topics.DETECTED}',
            choices=(OWN, TOLD),
        ),
        Parameter(
            'threshold',
            DEFAULT.threshold,
            'probability of speech from which a frame is voiced',
            (0.01, 0.99),
            live=True,
        ),
        Parameter('pre_roll', DEFAULT.pre_roll, 's of sound kept before the first voiced frame', (0.0, 2.0), live=True),
        Parameter(
            'tentative_silence',
            DEFAULT.tentative_silence,
            's of silence after which an end is announced, so that whoever needs time starts',
            (0.128, 2.0),
            live=True,
        ),
        Parameter(
            'end_silence', DEFAULT.end_silence, 's of silence after which an utterance has ended', (0.2, 5.0), live=True
        ),
        Parameter(
            'min_speech_duration',
            DEFAULT.min_speech_duration,
            's of voiced frames below which nothing was said',
            (0.0, 5.0),
            live=True,
        ),
        Parameter(
            'max_utterance_duration',
            DEFAULT.max_utterance_duration,
            's after which an utterance is cut',
            (1.0, 30.0),
            live=True,
        ),
        Parameter(
            'mute_tail', 0.2, 's after the robot has spoken in which it is still not listened to', (0.0, 5.0), live=True
        ),
        Parameter(
            'stamp_tolerance',
            0.1,
            's by which stamps may jitter; a larger step is a gap or a new stream',
            (0.01, 5.0),
            live=True,
        ),
        Parameter(
            'audio_timeout',
            15.0,
            's without sound that end an open utterance; more than a replay is held up',
            (0.5, 600.0),
            live=True,
        ),
        Parameter('speech_encoder', True, f'publish what the encoder of the asset {SPEC.speech_encoder} hears, too'),
    )

    _extractor: _Extractor | None = None

    def load(self) -> None:
        segmentation = _segmentation({p.name: self.value(p.name) for p in self.PARAMETERS})
        self._stream = SpeechStream(
            segmentation=segmentation, tolerance=self.value('stamp_tolerance'), mute_tail=self.value('mute_tail'),
            own_detector=self.value('voice_activity') == OWN,
        )
        self._tell_model()
        self._mono = Downmix()
        self._channel = AUTOMATIC
        self._tell_channel()
        self._quiet = ActivityDecimator()
        self._microphone = ''                # frame_id of the newest chunk
        self._heard_at = time.monotonic()
        self._activity = self.output(msg.VoiceActivity, topics.IS_SPEAKING, qos.STREAM)
        self._utterances = self.output(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
        self._features = self.output(msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE)
        self._worker = self.worker('features', capacity=8)
        self._extractor = extractor = _Extractor()
        wanted = self.value('speech_encoder')
        self._worker.submit(lambda: self._warm_up(extractor, wanted))
        self.listen(msg.AudioChunk, topics.AUDIO, self._take_sound, qos.AUDIO)
        self._robot = LatchedSubscription(
            self, Bool, topics.ROBOT_SPEAKING, self._take_robot_speaking, self._robot_is_gone
        )
        self.every(0.5, self._follow_robot)
        if self.value('voice_activity') == TOLD:
            self.listen(msg.VoiceActivity, topics.DETECTED, self._take_detected, qos.EVIDENCE)
            self.every(0.5, self._end_what_nobody_tells)
        self._robot_speaks = self._somebody_speaks = False
        self._voice = ''  # whose speech is told
        self.every(0.5, self._end_if_stalled)

    def start(self) -> None:
        self._robot.start()

    def stop(self) -> None:
        self._publish(self._stream.flush())
        self._mono.reset()
        self._nobody_speaks()  # that they end is not heard meanwhile

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

    def _take_sound(self, message: msg.AudioChunk) -> None:
        samples = self._mono.push(sound_from_message(message), message.sample_rate)
        if self._mono.channel != self._channel:
            self._channel = self._mono.channel
            self._tell_channel()
        stamp_ns = stamp_of(message.header)
        self._heard_at = time.monotonic()
        events = self._stream.push(samples, message.sample_rate, stamp_ns)
        self._microphone = message.header.frame_id
        self._publish(events)

    def _tell_channel(self) -> None:
        if self._channel == AUTOMATIC:
            self.health.set_info('channel', 'mean of all')
            return
        self.health.set_info('channel', f'{self._channel}: the channels cancel each other, or the others are silent')
        self.get_logger().info(f'the channels of the sound cancel each other, or all but one are silent: '
                               f'channel {self._channel} is taken')

    def _take_robot_speaking(self, message: Bool) -> None:
        if message.data and not self._robot_speaks:
            self._robot_since = time.monotonic()
        self._robot_speaks = message.data
        self._stream.mute(self.get_clock().now().nanoseconds, message.data)

    def _take_detected(self, message: msg.VoiceActivity) -> None:
        if message.is_speaking and self._somebody_speaks and message.header.frame_id != self._voice:
            self._publish(self._stream.flush())  # what somebody else says is another utterance, without a pause, too
        self._somebody_speaks, self._voice = message.is_speaking, message.header.frame_id
        self._stream.tell(stamp_of(message.header), message.is_speaking)

    def _follow_robot(self) -> None:
        self._robot.follow()
        spoken = time.monotonic() - self._robot_since if self._robot_speaks else 0.0
        name = self.resolve_topic_name(topics.ROBOT_SPEAKING)
        self.health.warn(topics.ROBOT_SPEAKING, '' if spoken < ROBOT_SPEAKS_LONG else (
            f'{name} has been true for {spoken:.0f} s, and nobody is heard meanwhile: publish false when the robot '
            'has spoken'
        ))

    def _robot_is_gone(self) -> None:
        if self._robot_speaks:
            self._take_robot_speaking(Bool(data=False))
            self.log_error(topics.ROBOT_SPEAKING, 'who said that the robot speaks is gone; listening again')

    def _end_what_nobody_tells(self) -> None:
        """Whoever said that speech begins may be gone before it says that it ends."""
        if self._somebody_speaks and not self.publishers_of(topics.DETECTED):
            self._nobody_speaks()
            self.log_error(topics.DETECTED, 'who said that somebody speaks is gone; that ends here')

    def _nobody_speaks(self) -> None:
        if self._somebody_speaks:
            self._somebody_speaks = False
            self._stream.tell(self.get_clock().now().nanoseconds, False)

    def _end_if_stalled(self) -> None:
        silent = time.monotonic() - self._heard_at
        if self._stream.in_utterance and silent > self.value('audio_timeout'):
            self.log_error(topics.AUDIO, f'no sound for {silent:.1f} s in the middle of an utterance; it is ended here')
            self._publish(self._stream.flush())

    # --- events -----------------------------------------------------------------------------------------------

    def _publish(self, events: list[Event]) -> None:
        self.each('result', events, self._publish_one)

    def _publish_one(self, event: Event) -> None:
        match event:
            case Activity() if self._quiet.should_publish(event):
                self._activity.publish(
                    msg.VoiceActivity(
                        header=header(event.stamp_ns, self._microphone),
                        is_speaking=event.is_speaking,
                        probability=event.probability,
                        muted=event.muted,
                    )
                )
            case Boundary():
                self._publish_boundary(event)
            case Discontinuity():
                self._complain_of_jump(event)

    def _publish_boundary(self, boundary: Boundary) -> None:
        utterance, microphone = boundary.utterance, self._microphone
        self._utterances.publish(
            utterance_to_message(utterance, int(boundary.state), boundary.last_voiced_ns, microphone)
        )
        extractor = self._extractor  # a job that outlives this configuration keeps what it uses
        if extractor is not None and boundary.state == UtteranceState.TENTATIVE:  # ENDED has the same sound
            came = time.monotonic()
            self._worker.submit(lambda: self._extract(extractor, utterance, microphone, came), wait=True)

    def _extract(self, extractor: _Extractor, utterance: Utterance, microphone: str, came: float) -> None:
        """On the worker's thread."""
        self._features.publish(features_to_message(extractor.extract(utterance), microphone))
        self.health.record_latency(time.monotonic() - came)
        malloc.trim()  # what an utterance of 12 s needs is 60 MB

    def _warm_up(self, extractor: _Extractor, speech_encoder_wanted: bool) -> None:
        """On the worker's thread, so that a node that was killed hears again before."""
        problem = extractor.load() if speech_encoder_wanted else ''
        if extractor is self._extractor:  # not cleaned up meanwhile
            self.health.warn(SPEC.speech_encoder, problem)
            self._tell_model(extractor)
        extractor.warm_up()

    def _tell_model(self, extractor: _Extractor | None = None) -> None:
        encoder = f', {SPEC.speech_encoder}' if extractor is not None and extractor.hears_speech else ''
        self.health.set_info('model', f'silero-vad {importlib.metadata.version("silero-vad")}, {SPEC.name}{encoder}')

    def _complain_of_jump(self, jump: Discontinuity) -> None:
        what = 'skipped' if jump.seconds > 0 else 'went back'
        self.log_error(
            f'stamps of {topics.AUDIO}',
            f'time {what} {abs(jump.seconds):.3f} s; what was being said is ended there, and hearing begins anew',
        )


class _Extractor:
    """What makes the features of one configuration, all on the worker's thread."""

    def __init__(self) -> None:
        self._speech_encoder: SpeechEncoder | None = None

    @property
    def hears_speech(self) -> bool:
        return self._speech_encoder is not None

    def load(self) -> str:
        """:return: why there is no speech encoder, and what to do; empty: there is."""
        try:
            self._speech_encoder = SpeechEncoder()
        except AssetError as error:
            return (f'the voice is told by MFCC and prosody alone: the speech encoder has no weights: {error}. Then '
                    'start this node again; or set its parameter speech_encoder to false')
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
