# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fusion node as a process, with evidence to give it."""
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import features_to_message, header, to_time, transcript_to_message, window_to_message
from smern_ros.spec import SPEC
from smern_ros.values import SECOND, AudioFeatures, SkeletonWindow, Transcript, Word
from support.body import standing

START = 1_000 * SECOND
END = START + 2 * SECOND
MICROPHONE, CAMERA = 'microphone', 'camera_optical'


def audio(utterance_id='u1', start=START, end=END, seed=1) -> AudioFeatures:
    rng = np.random.default_rng(seed)
    return AudioFeatures(
        utterance_id, start, end, rng.normal(size=(200, SPEC.mfcc)).astype(np.float32),
        np.abs(rng.normal(size=len(SPEC.prosody))).astype(np.float32),
    )


def text(words='i am so happy today', utterance_id='u1', start=START, end=END) -> Transcript:
    spoken = tuple(Word(w, start + i * SECOND // 10, start + (i + 1) * SECOND // 10, 0.9)
                   for i, w in enumerate(words.split()))
    return Transcript(utterance_id, start, end, words, spoken, 0.9)


def body(person_id='p1', start=START, end=END, extent=0.2, seed=2) -> SkeletonWindow:
    frames = round((end - start) / SECOND * SPEC.skeleton_rate) + 1
    rng = np.random.default_rng(seed)
    return SkeletonWindow(
        person_id, start, end, standing(frames, rng), np.ones((frames, 10), bool), extent,
    )


class Fusion:
    """The node and its topics."""

    def __init__(self, probe, start_node, parameters=None, module='fusion'):
        self.probe = probe
        self.node = start_node(module, parameters)
        self.utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
        self.audio = probe.publisher(msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE)
        self.text = probe.publisher(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
        self.skeleton = probe.publisher(msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE)
        self.people = probe.publisher(msg.SkeletonArray, topics.PEOPLE, qos.STATE)
        self.activity = probe.publisher(msg.VoiceActivity, topics.IS_SPEAKING, qos.STREAM)
        self.health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        self.states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
        probe.wait_for_listener(self.utterances, self.audio, self.text, self.skeleton, self.people, self.activity)
        probe.wait_for_speaker(topics.EMOTION_STATE)
        probe.wait_for_node('fusion')

    def wait_until_heard(self, topic, publish):
        """Publishes again and again until the node's diagnostics tell that it came."""
        key, came = f'in {topic} [Hz]', len(self.health)

        def told() -> bool:
            publish()
            values = {v.key: v.value for m in self.health[came:] for s in m.status for v in s.values}
            return float(values.get(key, 0)) > 0

        self.probe.wait_for(told, f'{topic} to be heard')

    def announce(self, state, utterance_id='u1', start=START, end=END):
        self.utterances.publish(msg.Utterance(
            header=header(start, MICROPHONE), id=utterance_id, state=state, start=to_time(start), end=to_time(end),
            last_voiced=to_time(end), sample_rate=SPEC.sample_rate,
        ))

    def hear(self, features):
        self.audio.publish(features_to_message(features, MICROPHONE))

    def read(self, transcript):
        self.text.publish(transcript_to_message(transcript, MICROPHONE, is_final=True))

    def see(self, *people, utterance_id='u1', start=START, end=END):
        self.skeleton.publish(window_to_message(utterance_id, start, end, people, CAMERA))

    def final(self, utterance_id='u1', timeout=20.0):
        return self.probe.wait_for(
            lambda: next((s for s in self.states if s.is_final and s.utterance_id == utterance_id), None),
            f'the final state of {utterance_id}; the node said:\n{self.node.output}', timeout,
        )
