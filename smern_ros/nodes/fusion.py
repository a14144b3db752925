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
from smern_ros.emotion.active_speaker import NAMED, NEAREST, SpeakerAssignment, check_wanted, choose
from smern_ros.emotion.aligner import Aligner, ReadyUtterance
from smern_ros.models.person_statistics import ABSENT, EVERYBODY, is_stranger
from smern_ros.ros import qos, topics
from smern_ros.ros.latched_input import LatchedSubscription
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
from smern_ros.ros.node import ConfigurationError, SmernNode, run
from smern_ros.ros.parameters import Parameter
from smern_ros.spec import AUDIO, SKELETON, TEXT, SpecMismatch
from smern_ros.values import CLOCK_JUMP, DOUBTFUL_TEXT, SECOND

if TYPE_CHECKING:
    from smern_ros.emotion.session import EncodedEvidence, UtterancePrediction
    from smern_ros.values import SkeletonWindow

SPEECH_HOLDS = 0.5
"""s after a voiced frame in which somebody still speaks: longer than a pause between words, and than the detector needs
to announce an utterance."""


LABELLED_WITHIN = 64
"""Utterances: the last so many can be labelled."""
WAITING_LABELS = 64
"""That may wait to be learnt from; more are refused."""
DOUBTFUL = 'doubtful transcripts'
FOREIGN = 'transcripts of other languages'
UNFAMILIAR = 'windows of movement unlike what was learnt'
"""In /diagnostics: those that were not used."""


class FusionNode(SmernNode):
    NAME = 'fusion'
    PARAMETERS = (
        Parameter('checkpoint', '', shipped_checkpoints.CHOICES, path=True),
        Parameter(
            'speaker',
            NEAREST,
            f'person_id whose movement belongs to the voice, "{NEAREST}", or "{NAMED}": whom '
            f'{topics.SPEAKER} names, else the nearest',
            live=True,
        ),
        Parameter(
            'skeleton_timeout', 0.3, 's to wait for the movement before a provisional state', (0.0, 10.0), live=True
        ),
        Parameter('text_timeout', 2.0, 's to wait for the words after the end of an utterance', (0.0, 60.0), live=True),
        Parameter(
            'publish_gesture_states',
            True,
            'publish gesture-only states: of everybody in view between utterances, of all but '
            'the speaker while somebody speaks',
            live=True,
        ),
        Parameter('adaptation', '', 'file that save_adaptation writes and the start reads; empty: none', path=True),
    )

    def check(self, values: dict[str, Any]) -> None:
        check_wanted(values['speaker'])

    def load(self) -> None:
        # Only here, for torch takes a second, in which the others find this node already.
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
        self._reads = predictor.checkpoint.modalities
        self.health.set_info('modalities', ', '.join(self._reads))
        self.get_logger().info(f'the checkpoint {predictor.id} reads {", ".join(self._reads)}')
        self._doubtful = self._foreign = self._unfamiliar = 0
        self.health.set_info(DOUBTFUL, self._doubtful)
        self.health.set_info(FOREIGN, self._foreign)
        self.health.set_info(UNFAMILIAR, self._unfamiliar)
        self._session = Session(predictor)
        self._load_adaptation()
        self._judged: OrderedDict[str, UtterancePrediction] = (
            OrderedDict()
        )  # of the last utterances; filled by the encoder
        self._in_view = ABSENT  # who was chosen of the newest window: the best guess whose the next voice is
        self._camera = ''       # its frame_id
        self._named = SpeakerAssignment()   # by topics.SPEAKER
        self._of_others: set[str] = set()  # utterances of people who are forgotten by now; they teach nothing
        self._aligner: Aligner[EncodedEvidence] = Aligner(
            expected=self._reads,
            skeleton_timeout=self.value('skeleton_timeout'),
            text_timeout=self.value('text_timeout'),
        )
        self._newest_ns: dict[str, int] = {}
        self._spoken_at = -float('inf')  # steady time at which somebody was last heard to speak
        self._cancel_deadline: Callable[[], None] | None = None

        self._states = self.output(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
        # All that follows runs on the worker's thread, in order of arrival: the aligner needs no lock.
        self._worker = self.worker('encoder', capacity=50)
        for message_type, topic, take, profile in (
            (msg.Utterance, topics.UTTERANCE, self._take_utterance, qos.EVIDENCE),
            (msg.AudioFeatures, topics.AUDIO_FEATURES, self._take_audio, qos.EVIDENCE),
            (msg.Transcript, topics.TRANSCRIPT, self._take_text, qos.EVIDENCE),
            (msg.SkeletonWindow, topics.SKELETON_WINDOW, self._take_skeleton, qos.EVIDENCE),
            (msg.SkeletonArray, topics.PEOPLE, self._take_people, qos.STATE),
        ):
            self.listen(message_type, topic, self._on_worker(topic, take), profile)
        self._names = LatchedSubscription(
            self, String, topics.SPEAKER, self._on_worker(topics.SPEAKER, self._take_speaker), self._nobody_names,
        )
        self.every(0.5, self._names.follow)
        self.listen(msg.VoiceActivity, topics.IS_SPEAKING, self._take_activity, qos.STREAM)
        self._learner = self.worker('adaptation', capacity=WAITING_LABELS)
        self.add_service(srv.ForgetPerson, topics.FORGET_PERSON, self._forget)
        self.add_service(srv.LabelUtterance, topics.LABEL_UTTERANCE, self._label)
        self.add_service(Trigger, topics.UNDO_ADAPTATION, self._undo_label)
        self.add_service(Trigger, topics.SAVE_ADAPTATION, self._save_adaptation)

    def start(self) -> None:
        self._names.start()

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
        self._judged = OrderedDict()

    # --- topics -----------------------------------------------------------------------------------------------

    def _take_activity(self, message: msg.VoiceActivity) -> None:
        if message.is_speaking:
            self._spoken_at = time.monotonic()

    def _take_people(self, message: msg.SkeletonArray) -> None:
        if not is_tracker_reset(message):
            return
        self._in_view = ABSENT
        self._named = SpeakerAssignment()
        self._of_others = {*self._aligner.pending}
        for person_id in self._session.forget_bodies():
            self._forget_judged(person_id)

    def _take_speaker(self, message: String) -> None:
        self._named.name(require_name(message.data, 'a person_id'))

    def _nobody_names(self) -> None:
        if self.value('speaker') == NAMED:
            self.log_error(topics.SPEAKER, 'who named the speaker is gone; until somebody does, it is the nearest')
        self._worker.submit(lambda: self._named.name(''), wait=True)

    def _take_utterance(self, message: msg.Utterance) -> None:
        start_ns, end_ns = utterance_span(message)
        if message.state == msg.Utterance.RESUMED:
            self._aligner.resume(message.id, end_ns, now=time.monotonic())
            return
        self._forward_only(topics.UTTERANCE, end_ns)
        ended = message.state == msg.Utterance.ENDED
        if not ended:
            self._named.ends(message.id)
        self._aligner.announce(message.id, start_ns, end_ns, ended=ended, now=time.monotonic())

    def _take_audio(self, message: msg.AudioFeatures) -> None:
        features = features_from_message(message)
        encoded = self._session.hear(features, self._speaker(features.utterance_id) or self._in_view)
        self._add(AUDIO, features.utterance_id, features.start_ns, features.end_ns, encoded)

    def _take_text(self, message: msg.Transcript) -> None:
        transcript = transcript_from_message(message)
        if transcript.doubtful and message.is_final:
            self._doubtful += 1
            self.health.set_info(DOUBTFUL, self._doubtful)
            self.get_logger().info(f'utterance {transcript.utterance_id[:80]}: its words are not used, for their '
                                   f'confidence is {transcript.confidence:.2f}; wanted {DOUBTFUL_TEXT}')
        if transcript.foreign and message.is_final:
            self._foreign += 1
            self.health.set_info(FOREIGN, self._foreign)
            self.get_logger().info(f'utterance {transcript.utterance_id[:80]}: its words are not used, for their '
                                   f'language is {transcript.language[:20]!r}, and the network knows English alone')
        encoded = self._session.read(transcript)
        self._add(TEXT, transcript.utterance_id, transcript.start_ns, transcript.end_ns, encoded)

    def _take_skeleton(self, message: msg.SkeletonWindow) -> None:
        people, wanted = windows_from_message(message), self.value('speaker')
        if wanted == NAMED:
            wanted = self._speaker(message.utterance_id) or NEAREST
        speaker = choose(people, wanted)
        self._in_view = ABSENT if speaker is None else speaker.person_id
        self._camera = message.header.frame_id
        start_ns, end_ns = to_ns(message.start), to_ns(message.end)
        if message.utterance_id:
            if people and speaker is None:
                names = f'{wanted[:80]!r} speaks, but in view is {" ".join(p.person_id for p in people)[:200]}'
                self.get_logger().info(f'utterance {message.utterance_id[:80]}: {names}')
            encoded = None if speaker is None else self._see(speaker)
            self._add(SKELETON, message.utterance_id, start_ns, end_ns, encoded)
            return
        self._forward_only(topics.SKELETON_WINDOW, end_ns)
        if not self.value('publish_gesture_states') or SKELETON not in self._reads:
            return
        speaking = time.monotonic() < self._spoken_at + SPEECH_HOLDS or self._aligner.busy
        # While somebody speaks, the speaker's state is the utterance's.
        self.each(topics.SKELETON_WINDOW, [p for p in people if not (speaking and p is speaker)], self._judge_gesture)

    def _judge_gesture(self, window: SkeletonWindow) -> None:
        encoded = self._see(window)
        if encoded is not None and encoded.vector is not None:
            self._publish(
                ReadyUtterance('', window.start_ns, window.end_ns, {SKELETON: encoded}, late=(), is_final=False)
            )

    def _see(self, window: SkeletonWindow) -> EncodedEvidence | None:
        encoded = self._session.see(window)
        if encoded is not None and encoded.vector is None and SKELETON in self._reads:
            self._unfamiliar += 1
            self.health.set_info(UNFAMILIAR, self._unfamiliar)
        return encoded

    def _speaker(self, utterance_id: str) -> str:
        """:return: the person_id that others name, if they are to be believed; empty: not known."""
        return self._named.of(utterance_id) if self.value('speaker') == NAMED else ABSENT

    # --- services ---------------------------------------------------------------------------------------------

    def _forget(self, request: srv.ForgetPerson.Request) -> str:
        people, adaptation, person_id = self._session.people, self._session.adaptation, request.person_id
        self._worker.submit(lambda: self._forget_under_way(person_id), wait=True)
        if not person_id:
            people.forget_everybody()
            adaptation.forget_everybody()
            return 'everybody is forgotten'
        known, labelled = people.forget(person_id), adaptation.forget(person_id)
        if not (known or labelled):
            raise ValueError(f'nothing is known of {person_id!r}')
        if person_id == EVERYBODY:
            for other in adaptation.people:
                self._refit(other)
        return f'{person_id} is forgotten'

    def _forget_under_way(self, person_id: str) -> None:
        """What is being judged is of nobody in particular yet: it teaches nothing."""
        self._of_others = {*self._aligner.pending}
        self._forget_judged(person_id)
        if person_id:
            self._session.people.forget(person_id)
        else:
            self._session.people.forget_everybody()

    def _forget_judged(self, person_id: str) -> None:
        for utterance_id, judged in list(self._judged.items()):
            if person_id in ('', judged.person_id):
                del self._judged[utterance_id]

    def _label(self, request: srv.LabelUtterance.Request) -> str:
        judged = self._judged.get(request.utterance_id)
        if judged is None:
            raise ValueError(f'{request.utterance_id!r} is none of the last {LABELLED_WITHIN} final states')
        from smern_ros.emotion.adaptation import Example

        if self._session.people.is_over(judged.identity):
            raise ValueError(f'{request.utterance_id} is of {_name(judged.identity)}, and whose the next is, nobody '
                             'knows: there is none to learn it for')
        self._require_room()
        example = Example(request.utterance_id, judged.vectors, request.label)
        self._session.adaptation.add(judged.identity, example)
        self._refit(judged.identity)
        return f'{request.utterance_id} was {request.label}: being learnt for {_name(judged.person_id)}'

    def _undo_label(self, _: Trigger.Request) -> str:
        self._require_room()
        identity, example = self._session.adaptation.undo()
        self._refit(identity)
        return f'{example.utterance_id} is no longer {example.label} for {_name(identity)}'

    def _save_adaptation(self, _: Trigger.Request) -> str:
        path = self.value('adaptation')
        if not path:
            raise ValueError('the parameter adaptation names no file')
        from smern_ros.emotion import adaptation_file

        session = self._session
        try:
            count = adaptation_file.save(session.adaptation, session.predictor.checkpoint, Path(path))
        except OSError as error:
            raise ValueError(f'{path} cannot be written: {error}') from error
        left_out = sum(len(session.adaptation.examples(identity)) for identity in session.adaptation.people) - count
        return f'{count} labelled utterances are in {path}{f"; {adaptation_file.told(left_out)}" if left_out else ""}'

    def _load_adaptation(self) -> None:
        from smern_ros.emotion import adaptation_file

        path = self.value('adaptation')
        if path and Path(path).exists():
            try:
                left_out = adaptation_file.load(
                    self._session.adaptation, self._session.predictor.checkpoint, Path(path)
                )
            except adaptation_file.AdaptationError as error:
                raise ConfigurationError(str(error)) from error
            if left_out:
                self.get_logger().warning(f'{path}: {adaptation_file.told(left_out)}')

    def _require_room(self) -> None:
        if self._learner.queued >= WAITING_LABELS:  # one more would push out the oldest
            raise ValueError(f'{WAITING_LABELS} labels wait to be learnt from; try again')

    def _refit(self, identity: str) -> None:
        adaptation = self._session.adaptation
        self._learner.submit(lambda: adaptation.refit(identity))

    # --- from evidence to states ------------------------------------------------------------------------------

    def _on_worker(self, topic: str, take: Callable) -> Callable:
        def job(message) -> None:
            try:
                take(message)
            except Exception as error:
                self.log_error(topic, error)
            self._tell_what_is_due()

        return lambda message: self._worker.submit(lambda: job(message), wait=True)

    def _add(
        self, modality: str, utterance_id: str, start_ns: int, end_ns: int, encoded: EncodedEvidence | None
    ) -> None:
        if not utterance_id:
            raise ValueError(f'{modality} evidence without an utterance id')
        self._aligner.add(modality, utterance_id, start_ns, end_ns, encoded, now=time.monotonic())

    def _forward_only(self, topic: str, stamp_ns: int) -> None:
        newest_ns = self._newest_ns.get(topic, 0)
        if stamp_ns < newest_ns - CLOCK_JUMP:
            self._aligner.reset()
            self._newest_ns.clear()
            self._session.people.clock_jumped()
            self.log_error('clock', f'{topic} jumped back by {(newest_ns - stamp_ns) / SECOND:.1f} s; starting afresh')
            newest_ns = 0
        self._newest_ns[topic] = max(newest_ns, stamp_ns)

    def _tell_what_is_due(self) -> None:
        self.each('state', self._aligner.due(time.monotonic()), self._publish)
        self.health.dropped(len(self._aligner.given_up))
        for utterance_id in self._aligner.given_up:
            self.log_error('utterance', f'evidence for {utterance_id!r}, which never ended, is dropped')
        self._aligner.given_up.clear()
        deadline = self._aligner.next_deadline()
        self.post(lambda: self._plan_deadline(deadline))

    def _plan_deadline(self, deadline: float | None) -> None:
        if self._cancel_deadline is not None:
            self._cancel_deadline()
            self._cancel_deadline = None
        if deadline is not None:
            self._cancel_deadline = self.after(deadline - time.monotonic(), self._deadline_passed)

    def _deadline_passed(self) -> None:
        self._cancel_deadline = None
        self._worker.submit(self._tell_what_is_due, wait=True)

    def _publish(self, due: ReadyUtterance[EncodedEvidence]) -> None:
        evidence = due.evidence
        if due.is_final and due.late:
            self.get_logger().info(f'utterance {due.utterance_id[:80]}: no {" or ".join(due.late)} in time')
        if all(encoded.vector is None for encoded in evidence.values()):
            self.get_logger().info(f'utterance {due.utterance_id}: nothing to judge by')
            return
        speaker = self._speaker(due.utterance_id) if due.utterance_id else ABSENT
        judgement = self._session.judge(evidence, due.start_ns, speaker)
        if due.is_final and due.utterance_id not in self._of_others:
            self._session.learn(evidence, due.start_ns, due.end_ns, speaker)
            self._judged[due.utterance_id] = judgement
            while len(self._judged) > LABELLED_WITHIN:
                self._judged.popitem(last=False)
        prediction = judgement.prediction
        ages = [(due.end_ns - evidence[modality].newest_ns) / SECOND for modality in prediction.modalities]
        latency = (self.get_clock().now().nanoseconds - due.end_ns) / SECOND
        self.health.record_latency(latency)
        self._states.publish(
            msg.EmotionState(
                header=header(due.end_ns, self._camera if SKELETON in evidence else ''),
                person_id=judgement.person_id,
                utterance_id=due.utterance_id,
                window_start=to_time(due.start_ns),
                window_end=to_time(due.end_ns),
                is_final=due.is_final,
                modality_ages=to_floats(ages),
                latency=latency,
                **prediction_to_fields(prediction),
            )
        )


def _name(identity: str) -> str:
    return 'the voice without a body' if is_stranger(identity) else identity


def main(args: list[str] | None = None) -> int:
    return run(FusionNode, args)


if __name__ == '__main__':
    sys.exit(main())
