# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""asr: utterances to words. It begins when silence begins, so that the words are there when the end is certain."""
from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np

from smern_ros import msg
from smern_ros.assets import AssetError
from smern_ros.ros import qos, topics
from smern_ros.ros.main import run
from smern_ros.ros.messages import transcript_to_message, utterance_from_message
from smern_ros.ros.node import ConfigurationError, SmernNode
from smern_ros.ros.parameters import Parameter
from smern_ros.spec import SPEC
from smern_ros.speech import recogniser
from smern_ros.speech.schedule import Schedule
from smern_ros.speech.whisper_ct2 import ASSET
from smern_ros.values import SECOND, Transcript, Utterance


class AsrNode(SmernNode):
    NAME = 'asr'
    PARAMETERS = (
        Parameter('backend', 'faster_whisper', 'speech recogniser', choices=recogniser.BACKENDS),
        Parameter('model', '', 'folder or name of the model or asset (whisper-base: 99 languages); empty: '
                               'whisper-tiny.en (faster_whisper only)', path=True),
        Parameter('language', 'en', 'ISO 639-1 code of the language, or "auto" to detect it in each utterance'),
        Parameter('context', 'own_length', 'own_length: encode the utterance, and 30 s only if the result is doubtful; '
                                           'full: always encode 30 s', choices=recogniser.CONTEXTS),
        Parameter('allow_download', False, 'download a missing model from the model hub'),
        Parameter('cpu_threads', 1, 'threads of the recogniser', (1, 64)),
        Parameter('device', 'cpu', 'device of the recogniser; auto: cuda if available',
                  choices=recogniser.DEVICES),
        Parameter('compute_type', 'default', 'number format of the weights; default: int8 with faster_whisper, float32 '
                                             'with transformers', choices=recogniser.COMPUTE_TYPES),
        Parameter('queue', 8, 'queue size in utterances; tentative ones are dropped first', (1, 100), live=True),
    )

    def load(self) -> None:
        try:
            self._recogniser = recogniser.create(
                self.value('backend'), self.value('model') or None, language=self.value('language'),
                context=self.value('context'), allow_download=self.value('allow_download'),
                cpu_threads=self.value('cpu_threads'), device=self.value('device'),
                compute_type=self.value('compute_type'),
            )
        except (AssetError, ValueError) as error:
            raise ConfigurationError(str(error)) from error
        self.health.set_info('model', f'{self.value("backend")} {self.value("model") or ASSET}')
        _warm_up(self._recogniser)
        self._schedule = Schedule(self.value('queue'))
        self.add_cleanup(lambda: delattr(self, '_recogniser'))
        self._received_at: WeakKeyDictionary[Utterance, float] = WeakKeyDictionary()  # steady time
        self._frame_id = ''  # the microphone's
        self._transcripts = self.add_publisher(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
        self._worker = self.worker('recogniser', capacity=1, waiting=self._schedule.waiting)
        self.add_subscription(msg.Utterance, topics.UTTERANCE, self._on_utterance, qos.EVIDENCE)

    def stop(self) -> None:
        self._schedule.clear()

    def reconfigure(self) -> None:
        self._schedule.capacity = self.value('queue')

    def _on_utterance(self, message: msg.Utterance) -> None:
        utterance = utterance_from_message(message)
        self._received_at[utterance] = time.monotonic()
        self._frame_id = message.header.frame_id
        if message.state == msg.Utterance.RESUMED:
            self._schedule.resumed(utterance.id)
            return
        if message.state == msg.Utterance.TENTATIVE:
            dropped = self._schedule.tentative(utterance)
        else:
            transcript, dropped = self._schedule.ended(utterance)
            if transcript is not None:
                self.post(lambda: self._publish(transcript, is_final=True))
        for lost in dropped:
            self.health.dropped(1)
            self.log_error('queue', f'utterance {lost.id!r} is dropped: recognition is slower than speech')
        # What belongs to this configuration: a job that outlives it shall not touch the next one's.
        model, schedule, received_at = self._recogniser, self._schedule, self._received_at
        self._worker.submit(lambda: self._transcribe_all(model, schedule, received_at))

    def _transcribe_all(self, model: recogniser.Recogniser, schedule: Schedule, received_at: Mapping) -> None:
        """On the worker's thread, until nothing waits."""
        while (utterance := schedule.take()) is not None:
            transcript = None
            try:
                transcript = model.transcribe(utterance)
                self.health.record_latency(time.monotonic() - received_at[utterance])
            except Exception as error:  # the others are still to be done
                self.log_error('recogniser', error)

            def finish(utterance: Utterance = utterance, transcript: Transcript | None = transcript) -> None:
                self._finish(schedule, utterance, transcript)

            self.post(finish)

    def _finish(self, schedule: Schedule, utterance: Utterance, transcript: Transcript | None) -> None:
        """On the executor's thread, where the end may have come meanwhile."""
        is_final = schedule.finish(utterance, transcript)
        if transcript is not None and is_final is not None:
            self._publish(transcript, is_final=is_final)

    def _publish(self, transcript: Transcript, *, is_final: bool) -> None:
        self._transcripts.publish(transcript_to_message(transcript, self._frame_id, is_final=is_final))


def _warm_up(model: recogniser.Recogniser) -> None:
    """The first inference allocates; no utterance shall wait for that."""
    silence = np.zeros(SPEC.sample_rate, np.float32)
    model.transcribe(Utterance('warm-up', SECOND, 2 * SECOND, silence))


def main(args: list[str] | None = None) -> int:
    return run(AsrNode, args)


if __name__ == '__main__':
    sys.exit(main())
