# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""fusion: audio features, words and skeleton windows of one utterance to one emotional state (SMERN-GA)."""
from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from std_msgs.msg import String
from std_srvs.srv import Trigger

from smern_ros import msg, srv
from smern_ros.emotion import shipped_checkpoints
from smern_ros.emotion.active_speaker import EXTERNAL, NEAREST, SpeakerAssignment, check_speaker, choose
from smern_ros.emotion.aligner import Aligner, ReadyUtterance
from smern_ros.emotion.people import ABSENT, EVERYBODY, is_anonymous
from smern_ros.ros import qos, topics
from smern_ros.ros.latched_input import LatchedSubscription
from smern_ros.ros.main import run
from smern_ros.ros.messages import (
    features_from_message,
    header,
    is_tracker_reset,
    prediction_to_fields,
    require_name,
    to_floats,
    to_ns,
    to_time,
    transcript_from_message,
    utterance_span,
    windows_from_message,
)
from smern_ros.ros.node import ConfigurationError, SmernNode
from smern_ros.ros.parameters import Parameter
from smern_ros.spec import AUDIO, SKELETON, TEXT, SpecMismatch
from smern_ros.values import CLOCK_JUMP, DOUBTFUL_TEXT, SECOND

if TYPE_CHECKING:
    from smern_ros.emotion.session import EncodedEvidence, UtterancePrediction
    from smern_ros.values import SkeletonWindow

SPEECH_HOLD = 0.5
"""s after a voiced frame in which somebody still counts as speaking: longer than a pause between words, and than the
detector needs to announce an utterance."""
LABELLABLE = 64
"""Final states that can be labelled: the last ones."""
MAX_QUEUED_FITS = 64
"""Labels are refused while so many wait to be fitted."""
DOUBTFUL = 'doubtful transcripts'
FOREIGN = 'transcripts in other languages'
UNFAMILIAR = 'out-of-distribution skeleton windows'
"""Keys of /diagnostics: counts of evidence that is not used."""


class FusionNode(SmernNode):
    NAME = 'fusion'
    PARAMETERS = (
        Parameter('checkpoint', '', shipped_checkpoints.CHOICES, path=True),
        Parameter(
            'speaker',
            NEAREST,
            f'who speaks: a person_id, "{NEAREST}", or "{EXTERNAL}" (the person_id on topic '
            f'{topics.SPEAKER}, else the nearest)',
            live=True,
        ),
        Parameter(
            'skeleton_timeout', 0.3, 's to wait for the skeleton before a provisional state', (0.0, 10.0), live=True
        ),
        Parameter('text_timeout', 2.0, 's to wait for the transcript after an utterance ends', (0.0, 60.0), live=True),
        Parameter(
            'publish_gesture_states',
            True,
            'publish skeleton-only states: of everybody between utterances, of all but the speaker during speech',
            live=True,
        ),
        Parameter('adaptation', '', 'file read at startup and written by save_adaptation; empty: none', path=True),
    )

    def check(self, values: dict[str, Any]) -> None:
        check_speaker(values['speaker'])

    def load(self) -> None:
        # torch takes a second to import; the other nodes discover this one meanwhile
        import torch

        from smern_ros.assets import AssetError
        from smern_ros.emotion.checkpoint import CheckpointError
        from smern_ros.emotion.predictor import EmotionPredictor
        from smern_ros.emotion.session import Session

        torch.set_num_threads(1)
        self.check({'speaker': self.value('speaker')})
        try:
            predictor = EmotionPredictor.load(self.value('checkpoint'))
        except (CheckpointError, SpecMismatch, AssetError) as error:
            raise ConfigurationError(str(error)) from error
        self.health.set_info('model', predictor.id)
        self._modalities = predictor.checkpoint.modalities
        self.health.set_info('modalities', ', '.join(self._modalities))
        self.get_logger().info(f'loaded checkpoint {predictor.id}: {", ".join(self._modalities)}')
        self._doubtful = self._foreign = self._unfamiliar = 0
        self.health.set_info(DOUBTFUL, self._doubtful)
        self.health.set_info(FOREIGN, self._foreign)
        self.health.set_info(UNFAMILIAR, self._unfamiliar)
        self._session = Session(predictor)
        self._load_adaptation()
        self._predictions: OrderedDict[str, UtterancePrediction] = OrderedDict()  # of the last final states
        self._likely_speaker = ABSENT  # chosen from the newest skeleton window, until the utterance has its own
        self._camera_frame = ''        # frame_id of the newest skeleton window
        self._assignment = SpeakerAssignment()  # by topics.SPEAKER
        self._excluded: set[str] = set()  # utterances pending when their person was forgotten; they update nothing
        self._aligner: Aligner[EncodedEvidence] = Aligner(
            expected=self._modalities,
            skeleton_timeout=self.value('skeleton_timeout'),
            text_timeout=self.value('text_timeout'),
        )
        self._newest_ns: dict[str, int] = {}
        self._speech_at = -float('inf')  # steady time of the last voiced frame
        self._cancel_deadline: Callable[[], None] | None = None

        self._states = self.add_publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
        # The callbacks below run on the worker's thread in order of arrival, so the aligner needs no lock.
        self._worker = self.worker('encoder', capacity=50)
        for message_type, topic, callback, profile in (
            (msg.Utterance, topics.UTTERANCE, self._on_utterance, qos.EVIDENCE),
            (msg.AudioFeatures, topics.AUDIO_FEATURES, self._on_audio, qos.EVIDENCE),
            (msg.Transcript, topics.TRANSCRIPT, self._on_text, qos.EVIDENCE),
            (msg.SkeletonWindow, topics.SKELETON_WINDOW, self._on_skeleton, qos.EVIDENCE),
            (msg.SkeletonArray, topics.PEOPLE, self._on_people, qos.STATE),
        ):
            self.add_subscription(message_type, topic, self._on_worker(topic, callback), profile)
        self._speaker_topic = LatchedSubscription(
            self, String, topics.SPEAKER, self._on_worker(topics.SPEAKER, self._on_speaker), self._speaker_lost,
        )
        self.add_timer(0.5, self._speaker_topic.check_publishers)
        self.add_subscription(msg.VoiceActivity, topics.IS_SPEAKING, self._on_activity, qos.STREAM)
        self._fitter = self.worker('adaptation', capacity=MAX_QUEUED_FITS)
        self.add_service(srv.ForgetPerson, topics.FORGET_PERSON, self._forget_person)
        self.add_service(srv.LabelUtterance, topics.LABEL_UTTERANCE, self._label)
        self.add_service(Trigger, topics.UNDO_ADAPTATION, self._undo_label)
        self.add_service(Trigger, topics.SAVE_ADAPTATION, self._save_adaptation)

    def start(self) -> None:
        self._speaker_topic.start()

    def stop(self) -> None:
        self._worker.submit(self._aligner.reset)

    def reconfigure(self) -> None:
        self._aligner.skeleton_timeout, self._aligner.text_timeout = (
            self.value('skeleton_timeout'),
            self.value('text_timeout'),
        )

    def unload(self) -> None:
        vars(self).pop('_session', None)
        self._cancel_deadline = None
        self._predictions = OrderedDict()

    # --- topics -----------------------------------------------------------------------------------------------

    def _on_activity(self, message: msg.VoiceActivity) -> None:
        if message.is_speaking:
            self._speech_at = time.monotonic()

    def _on_people(self, message: msg.SkeletonArray) -> None:
        if not is_tracker_reset(message):
            return
        self._likely_speaker = ABSENT
        self._assignment = SpeakerAssignment()
        self._excluded = {*self._aligner.pending}
        for person_id in self._session.reset_tracked_people():
            self._forget_predictions(person_id)

    def _on_speaker(self, message: String) -> None:
        self._assignment.set_current(require_name(message.data, 'a person_id'))

    def _speaker_lost(self) -> None:
        if self.value('speaker') == EXTERNAL:
            self.log_error(topics.SPEAKER, 'no publisher; using the nearest person as the speaker')
        self._worker.submit(lambda: self._assignment.set_current(''), wait=True)

    def _on_utterance(self, message: msg.Utterance) -> None:
        start_ns, end_ns = utterance_span(message)
        if message.state == msg.Utterance.RESUMED:
            self._aligner.resume(message.id, end_ns, now=time.monotonic())
            return
        self._check_clock(topics.UTTERANCE, end_ns)
        ended = message.state == msg.Utterance.ENDED
        if not ended:
            self._assignment.assign(message.id)
        self._aligner.announce(message.id, start_ns, end_ns, ended=ended, now=time.monotonic())

    def _on_audio(self, message: msg.AudioFeatures) -> None:
        features = features_from_message(message)
        encoded = self._session.encode_audio(features, self._speaker(features.utterance_id) or self._likely_speaker)
        self._add(AUDIO, features.utterance_id, features.start_ns, features.end_ns, encoded)

    def _on_text(self, message: msg.Transcript) -> None:
        transcript = transcript_from_message(message)
        if transcript.doubtful and message.is_final:
            self._doubtful += 1
            self.health.set_info(DOUBTFUL, self._doubtful)
            self.get_logger().info(f'utterance {transcript.utterance_id[:80]}: ignoring the transcript; its confidence '
                                   f'{transcript.confidence:.2f} is below {DOUBTFUL_TEXT}')
        if transcript.foreign and message.is_final:
            self._foreign += 1
            self.health.set_info(FOREIGN, self._foreign)
            self.get_logger().info(f'utterance {transcript.utterance_id[:80]}: ignoring the transcript; only English '
                                   f'is supported, not {transcript.language[:20]!r}')
        encoded = self._session.encode_text(transcript)
        self._add(TEXT, transcript.utterance_id, transcript.start_ns, transcript.end_ns, encoded)

    def _on_skeleton(self, message: msg.SkeletonWindow) -> None:
        people, wanted = windows_from_message(message), self.value('speaker')
        if wanted == EXTERNAL:
            wanted = self._speaker(message.utterance_id) or NEAREST
        speaker = choose(people, wanted)
        self._likely_speaker = ABSENT if speaker is None else speaker.person_id
        self._camera_frame = message.header.frame_id
        start_ns, end_ns = to_ns(message.start), to_ns(message.end)
        if message.utterance_id:
            if people and speaker is None:
                in_view = ' '.join(p.person_id for p in people)[:200]
                self.get_logger().info(
                    f'utterance {message.utterance_id[:80]}: speaker {wanted[:80]!r} is not in view; in view: {in_view}'
                )
            encoded = None if speaker is None else self._encode_skeleton(speaker)
            self._add(SKELETON, message.utterance_id, start_ns, end_ns, encoded)
            return
        self._check_clock(topics.SKELETON_WINDOW, end_ns)
        if not self.value('publish_gesture_states') or SKELETON not in self._modalities:
            return
        speaking = time.monotonic() < self._speech_at + SPEECH_HOLD or self._aligner.busy
        # while somebody speaks, the speaker's state is the utterance's
        self.each(topics.SKELETON_WINDOW, [p for p in people if not (speaking and p is speaker)], self._publish_gesture)

    def _publish_gesture(self, window: SkeletonWindow) -> None:
        encoded = self._encode_skeleton(window)
        if encoded is not None and encoded.vector is not None:
            self._publish(
                ReadyUtterance('', window.start_ns, window.end_ns, {SKELETON: encoded}, late=(), is_final=False)
            )

    def _encode_skeleton(self, window: SkeletonWindow) -> EncodedEvidence | None:
        encoded = self._session.encode_skeleton(window)
        if encoded is not None and encoded.vector is None and SKELETON in self._modalities:
            self._unfamiliar += 1
            self.health.set_info(UNFAMILIAR, self._unfamiliar)
        return encoded

    def _speaker(self, utterance_id: str) -> str:
        """:return: the person_id from topics.SPEAKER if `speaker` is "external"; empty: not known."""
        return self._assignment.of(utterance_id) if self.value('speaker') == EXTERNAL else ABSENT

    # --- services ---------------------------------------------------------------------------------------------

    def _forget_person(self, request: srv.ForgetPerson.Request) -> str:
        people, adaptation, person_id = self._session.people, self._session.adaptation, request.person_id
        self._worker.submit(lambda: self._exclude_pending(person_id), wait=True)
        if not person_id:
            people.forget_everybody()
            adaptation.forget_everybody()
            return 'forgot everybody'
        known, labelled = people.forget(person_id), adaptation.forget(person_id)
        if not (known or labelled):
            raise ValueError(f'unknown person_id {person_id!r}')
        if person_id == EVERYBODY:
            for other in adaptation.people:
                self._refit(other)
        return f'forgot {person_id}'

    def _exclude_pending(self, person_id: str) -> None:
        """Pending utterances may be of that person: they do not update the statistics."""
        self._excluded = {*self._aligner.pending}
        self._forget_predictions(person_id)
        if person_id:
            self._session.people.forget(person_id)
        else:
            self._session.people.forget_everybody()

    def _forget_predictions(self, person_id: str) -> None:
        for utterance_id, prediction in list(self._predictions.items()):
            if person_id in ('', prediction.person_id):
                del self._predictions[utterance_id]

    def _label(self, request: srv.LabelUtterance.Request) -> str:
        prediction = self._predictions.get(request.utterance_id)
        if prediction is None:
            raise ValueError(f'utterance {request.utterance_id!r} is not among the last {LABELLABLE} final states')
        from smern_ros.emotion.adaptation import Example

        if self._session.people.is_expired(prediction.identity):
            raise ValueError(f'{request.utterance_id} is of a voice without a body that has ended; a label of it '
                             'cannot apply to later utterances')
        self._require_queue_space()
        example = Example(request.utterance_id, prediction.vectors, request.label)
        self._session.adaptation.add(prediction.identity, example)
        self._refit(prediction.identity)
        return f'labelled {request.utterance_id} as {request.label}; adapting to {_name(prediction.person_id)}'

    def _undo_label(self, _: Trigger.Request) -> str:
        self._require_queue_space()
        identity, example = self._session.adaptation.undo()
        self._refit(identity)
        return f'removed the label {example.label} of {example.utterance_id} of {_name(identity)}'

    def _save_adaptation(self, _: Trigger.Request) -> str:
        path = self.value('adaptation')
        if not path:
            raise ValueError('parameter adaptation is empty; set it to a file name')
        from smern_ros.emotion import adaptation_file

        session = self._session
        try:
            count = adaptation_file.save(session.adaptation, session.predictor.checkpoint, Path(path))
        except OSError as error:
            raise ValueError(f'cannot write {path}: {error}') from error
        skipped = sum(len(session.adaptation.examples(identity)) for identity in session.adaptation.people) - count
        note = f'; {adaptation_file.skipped_message(skipped)}' if skipped else ''
        return f'wrote {count} labelled utterances to {path}{note}'

    def _load_adaptation(self) -> None:
        from smern_ros.emotion import adaptation_file

        path = self.value('adaptation')
        if path and Path(path).exists():
            try:
                skipped = adaptation_file.load(
                    self._session.adaptation, self._session.predictor.checkpoint, Path(path)
                )
            except adaptation_file.AdaptationError as error:
                raise ConfigurationError(str(error)) from error
            if skipped:
                self.get_logger().warning(f'{path}: {adaptation_file.skipped_message(skipped)}')

    def _require_queue_space(self) -> None:
        if self._fitter.queued >= MAX_QUEUED_FITS:  # one more would replace the oldest
            raise ValueError(f'{MAX_QUEUED_FITS} labels are queued; try again later')

    def _refit(self, identity: str) -> None:
        adaptation = self._session.adaptation
        self._fitter.submit(lambda: adaptation.refit(identity))

    # --- from evidence to states ------------------------------------------------------------------------------

    def _on_worker(self, topic: str, callback: Callable) -> Callable:
        def job(message) -> None:
            try:
                callback(message)
            except Exception as error:
                self.log_error(topic, error)
            self._publish_ready()

        return lambda message: self._worker.submit(lambda: job(message), wait=True)

    def _add(
        self, modality: str, utterance_id: str, start_ns: int, end_ns: int, encoded: EncodedEvidence | None
    ) -> None:
        if not utterance_id:
            raise ValueError(f'{modality} message has an empty utterance_id')
        self._aligner.add(modality, utterance_id, start_ns, end_ns, encoded, now=time.monotonic())

    def _check_clock(self, topic: str, stamp_ns: int) -> None:
        newest_ns = self._newest_ns.get(topic, 0)
        if stamp_ns < newest_ns - CLOCK_JUMP:
            self._aligner.reset()
            self._newest_ns.clear()
            self._session.people.clock_jumped()
            self.log_error('clock', f'{topic} jumped back by {(newest_ns - stamp_ns) / SECOND:.1f} s; resetting')
            newest_ns = 0
        self._newest_ns[topic] = max(newest_ns, stamp_ns)

    def _publish_ready(self) -> None:
        self.each('state', self._aligner.ready(time.monotonic()), self._publish)
        self.health.dropped(len(self._aligner.expired))
        for utterance_id in self._aligner.expired:
            self.log_error('utterance', f'{utterance_id!r} did not end; dropping its evidence')
        self._aligner.expired.clear()
        deadline = self._aligner.next_deadline()
        self.post(lambda: self._set_deadline(deadline))

    def _set_deadline(self, deadline: float | None) -> None:
        if self._cancel_deadline is not None:
            self._cancel_deadline()
            self._cancel_deadline = None
        if deadline is not None:
            self._cancel_deadline = self.call_later(deadline - time.monotonic(), self._deadline_passed)

    def _deadline_passed(self) -> None:
        self._cancel_deadline = None
        self._worker.submit(self._publish_ready, wait=True)

    def _publish(self, ready: ReadyUtterance[EncodedEvidence]) -> None:
        evidence = ready.evidence
        if ready.is_final and ready.late:
            self.get_logger().info(f'utterance {ready.utterance_id[:80]}: {" and ".join(ready.late)} timed out')
        if all(encoded.vector is None for encoded in evidence.values()):
            self.get_logger().info(f'utterance {ready.utterance_id}: no usable evidence; publishing no state')
            return
        speaker = self._speaker(ready.utterance_id) if ready.utterance_id else ABSENT
        result = self._session.fuse(evidence, ready.start_ns, speaker)
        if ready.is_final and ready.utterance_id not in self._excluded:
            self._session.update_statistics(evidence, ready.start_ns, ready.end_ns, speaker)
            self._predictions[ready.utterance_id] = result
            while len(self._predictions) > LABELLABLE:
                self._predictions.popitem(last=False)
        prediction = result.prediction
        ages = [(ready.end_ns - evidence[modality].newest_ns) / SECOND for modality in prediction.modalities]
        latency = (self.get_clock().now().nanoseconds - ready.end_ns) / SECOND
        self.health.record_latency(latency)
        self._states.publish(
            msg.EmotionState(
                header=header(ready.end_ns, self._camera_frame if SKELETON in evidence else ''),
                person_id=result.person_id,
                utterance_id=ready.utterance_id,
                window_start=to_time(ready.start_ns),
                window_end=to_time(ready.end_ns),
                is_final=ready.is_final,
                modality_ages=to_floats(ages),
                latency=latency,
                **prediction_to_fields(prediction),
            )
        )


def _name(identity: str) -> str:
    return 'the voice without a body' if is_anonymous(identity) else identity


def main(args: list[str] | None = None) -> int:
    return run(FusionNode, args)


if __name__ == '__main__':
    sys.exit(main())
