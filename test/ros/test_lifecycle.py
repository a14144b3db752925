# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every node of the graph, put to sleep, emptied and woken again by a lifecycle manager, works as on the first day.

On its way each is asked how it is: what it says on /diagnostics is what happened, and its memory is given back.
"""
import array
import time
from dataclasses import dataclass

import numpy as np
import psutil
import pytest
import soundfile
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image
from support import film
from support.lifecycle import Manager
from support.probe import NodeProcess, Probe, wait_until_loaded
from support.replay import SHOW_AGAIN
from support.speech import START, sentence, utterance

from smern_ros import assets, msg
from smern_ros.deploy import graph
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.ros import qos, topics
from smern_ros.ros.image_messages import to_image
from smern_ros.ros.messages import (
    features_to_message,
    header,
    skeletons_to_message,
    to_ns,
    to_time,
    utterance_to_message,
)
from smern_ros.spec import AUDIO, SPEC
from smern_ros.values import SECOND, AudioFeatures, Skeleton

pytestmark = pytest.mark.ros


MEGABYTE = 2**20
SPARE = 60 * MEGABYTE
"""That libraries may keep of the first life in which they had to work: their code, their buffers and their threads."""


@dataclass
class Life:
    """A node that has been active, was cleaned up, and is active again."""

    probe: Probe
    node: NodeProcess
    manager: Manager
    health: list[DiagnosticArray]
    emptied: int  # bytes that it held after its first life

    @property
    def memory(self) -> int:
        """Bytes that the node holds."""
        return psutil.Process(self.node.pid).memory_info().rss

    def told(self, key: str) -> list[str]:
        """The values of a key in its reports."""
        return [v.value for m in self.health for s in m.status for v in s.values if v.key == key]

    def finish(self, model: str, *, heard: dict[str, int], said: str, weights: int) -> None:
        """It had no trouble and counted rightly, sleeps when told to, gives its memory back and ends cleanly.

        :param model: a part of its model's id.
        :param heard: how many messages of which topic it has got.
        :param said: a topic on which it has published.
        :param weights: bytes of its model.
        """
        self.probe.wait_for(lambda: any(map(float, self.told(f'out {said} [Hz]'))), f'the rate of {said}')
        for topic, count in heard.items():
            near = max(0.5, 0.1 * count)  # rates are told with one decimal
            self.probe.wait_for(
                lambda t=topic, n=count, d=near: abs(self._came(t) - n) < d, f'{count} times in {topic}', timeout=60.0
            )
        assert any(float(value) > 0 for value in self.told('latency max [ms]') if value)
        assert model in self.told('model')[-1]
        assert set(self.told('errors')) == set(self.told('dropped')) == {'0'} and set(self.told('last error')) == {''}
        self.probe.wait_for(lambda: self.told('queue')[-1] == '0', 'an empty queue')
        full = self.memory
        self.manager.deactivate()
        self.manager.cleanup()
        assert full - self.memory >= 0.9 * weights, f'{full} bytes before, {self.memory} after'
        assert self.memory - self.emptied < SPARE, f'{self.memory} bytes after the second life, {self.emptied} before'
        self.probe.wait_for(lambda: self.told('state')[-1] == 'unconfigured', 'its state')
        assert self.told('model')[-1] == 'none'
        assert self.node.stop() == 0
        assert '[ERROR]' not in self.node.output and 'Traceback' not in self.node.output

    def _came(self, topic: str) -> float:
        """How many messages its rates amount to."""
        stamps = [m.header.stamp.sec + m.header.stamp.nanosec / 1e9 for m in self.health]
        rates = [next((float(v.value) for v in m.status[0].values if v.key == f'in {topic} [Hz]'), 0.0)
                 for m in self.health]
        return sum(rate * (stamp - last) for rate, stamp, last in zip(rates[1:], stamps[1:], stamps, strict=False))


@pytest.fixture
def again(probe, start_node):
    """Starts a node, takes it through a life and into the next."""
    def start(name, **parameters):
        health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        node = start_node(name, {'autostart': False, **parameters})
        manager = Manager(probe, name)
        manager.configure()
        manager.activate()
        wait_until_loaded(probe, node)
        manager.deactivate()
        manager.cleanup()
        emptied = psutil.Process(node.pid).memory_info().rss
        manager.configure()
        manager.activate()
        probe.wait_for(lambda: health, f'a report of {name}')  # from which on its rates are counted
        return Life(probe, node, manager, health, emptied)

    return start


def asset(name):
    try:
        return assets.path(name)
    except assets.MissingAsset as error:
        pytest.skip(str(error))


@pytest.mark.weights
def test_pose_estimation_sees_a_person(probe, again, shared_data):
    asset('pose-landmarker-full')
    life = again('pose_estimation')
    images = probe.publisher(Image, topics.IMAGE, qos.IMAGES)
    skeletons = probe.collect(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    probe.wait_for_listener(images)
    probe.wait_for_speaker(topics.SKELETON_RAW)
    picture, shown_at = film.pictures(shared_data, 1)[0], -SHOW_AGAIN

    def seen() -> bool:
        nonlocal shown_at
        if time.monotonic() >= shown_at + SHOW_AGAIN:
            shown_at = time.monotonic()
            images.publish(to_image(picture, header(START, 'camera')))
        return bool(skeletons)

    probe.wait_for(seen, 'a skeleton', 60.0)
    assert to_ns(skeletons[0].header.stamp) == START and len(skeletons[0].skeletons) == 1
    life.finish('pose-landmarker-full', heard={topics.IMAGE: 1}, said=topics.SKELETON_RAW,
                weights=asset('pose-landmarker-full').stat().st_size)


def test_skeleton_filter_cuts_a_window(probe, again):
    life = again('skeleton_filter', gesture_period=0.0)
    raw = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
    utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    filtered = probe.collect(msg.SkeletonArray, topics.SKELETON_FILTERED, qos.STREAM)
    windows = probe.collect(msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE)
    probe.wait_for_listener(raw, utterances)
    probe.wait_for_speaker(topics.SKELETON_WINDOW, topics.SKELETON_FILTERED)
    for k in range(61):
        stamp_ns = START + k * SECOND // 30
        body = Skeleton(
            stamp_ns=stamp_ns, person_id='a', positions=np.full((10, 3), 0.1, np.float32), score=0.9, extent=0.2,
            confidences=np.ones(10, np.float32), image_positions=np.ones((10, 2), np.float32),
        )
        raw.publish(skeletons_to_message([body], header(stamp_ns, 'camera')))
    probe.wait_for(lambda: filtered, 'the first frames to pass')
    spoken = utterance(np.zeros(24000, np.float32))
    utterances.publish(utterance_to_message(spoken, msg.Utterance.ENDED, spoken.end_ns, 'microphone'))
    (window,) = probe.wait_for(lambda: windows, 'the window')
    assert window.utterance_id == spoken.id and [track.person_id for track in window.tracks] == ['a']
    life.finish(SPEC.name, heard={topics.SKELETON_RAW: 61, topics.UTTERANCE: 1}, said=topics.SKELETON_WINDOW, weights=0)


def test_audio_features_hears_speech(probe, again, shared_data):
    life = again('audio_features')
    sound = probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    activity = probe.collect(msg.VoiceActivity, topics.IS_SPEAKING, qos.AUDIO)
    features = probe.collect(msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE)
    probe.wait_for_listener(sound)
    probe.wait_for_speaker(topics.IS_SPEAKING, topics.AUDIO_FEATURES)
    samples, rate = soundfile.read(shared_data / 'emodb4/wav/03a01Wa.wav', dtype='int16')
    samples = np.concatenate([samples, np.zeros(rate, np.int16)])
    for first in range(0, len(samples), 1600):
        sound.publish(msg.AudioChunk(
            header=header(START + first * SECOND // rate, 'microphone'), sample_rate=rate, channels=1,
            encoding=msg.AudioChunk.S16LE, data=array.array('B', samples[first:first + 1600].tobytes()),
        ))
    probe.wait_for(lambda: any(a.is_speaking for a in activity), 'is_speaking')
    heard = probe.wait_for(lambda: features, 'the features of what was said')[0]
    assert heard.spec == SPEC.name and START <= to_ns(heard.start) < to_ns(heard.end)
    life.finish('silero-vad', heard={topics.AUDIO: len(range(0, len(samples), 1600))}, said=topics.AUDIO_FEATURES,
                weights=0)


@pytest.mark.weights
def test_asr_understands_a_sentence(probe, again):
    asset('whisper-tiny.en')
    asset('demo-speech')
    life = again('asr')
    utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    transcripts = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
    probe.wait_for_listener(utterances)
    probe.wait_for_speaker(topics.TRANSCRIPT)
    spoken = utterance(sentence('0930').samples)
    utterances.publish(utterance_to_message(spoken, msg.Utterance.ENDED, spoken.end_ns, 'microphone'))
    (transcript,) = probe.wait_for(lambda: transcripts, 'the transcript')
    assert transcript.is_final and transcript.text == 'He might even have been made amiable himself.'
    weights = sum(file.stat().st_size for file in asset('whisper-tiny.en').iterdir())
    life.finish('whisper-tiny.en', heard={topics.UTTERANCE: 1}, said=topics.TRANSCRIPT, weights=weights)


def test_fusion_judges_a_voice(probe, again):
    life = again('fusion', text_timeout=0.1)
    utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    features = probe.publisher(msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE)
    states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
    probe.wait_for_listener(utterances, features)
    probe.wait_for_speaker(topics.EMOTION_STATE)
    end_ns, random = START + 2 * SECOND, np.random.default_rng(0)
    voice = AudioFeatures('u1', START, end_ns, random.normal(size=(200, SPEC.mfcc)).astype(np.float32),
                          np.ones(len(SPEC.prosody), np.float32))
    features.publish(features_to_message(voice, 'microphone'))
    utterances.publish(msg.Utterance(
        header=header(START, 'microphone'), id='u1', state=msg.Utterance.ENDED, start=to_time(START),
        end=to_time(end_ns), last_voiced=to_time(end_ns), sample_rate=SPEC.sample_rate,
    ))
    final = probe.wait_for(lambda: [s for s in states if s.is_final], 'the final state')[0]
    assert list(final.modalities) == [AUDIO] and sum(final.probabilities) == pytest.approx(1.0, abs=1e-5)
    life.finish(final.model, heard={topics.UTTERANCE: 1, topics.AUDIO_FEATURES: 1}, said=topics.EMOTION_STATE,
                weights=(checkpoint_folder() / 'model.safetensors').stat().st_size)


def test_every_node_on_the_path_is_tested_here():
    tested = [name for name in globals() if name.startswith('test_')]
    for node in graph.NODES:
        assert node.optional or any(name.startswith(f'test_{node.name}_') for name in tested), node.name
