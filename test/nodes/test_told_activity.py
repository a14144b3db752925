# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""audio_features cuts what is said where another detector says so."""
import array

import numpy as np
import pytest
import soundfile
from lifecycle_msgs.srv import GetState

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import header, to_ns
from smern_ros.values import SECOND

pytestmark = pytest.mark.ros

START = 1_000 * SECOND
RATE, CHUNK = 16_000, 1600


@pytest.mark.parametrize('topic', [topics.DETECTED, '/my_vad'])
def test_an_utterance_is_what_is_told_to_be_one(probe, start_node, shared_data, topic):
    node = start_node('audio_features', {'voice_activity': 'topic', 'audio_timeout': 600.0},
                      arguments=['-r', f'{topics.DETECTED}:={topic}'])
    sound = probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    told = probe.publisher(msg.VoiceActivity, topic, qos.EVIDENCE)
    activity = probe.collect(msg.VoiceActivity, topics.IS_SPEAKING, qos.AUDIO)
    utterances = probe.collect(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    features = probe.collect(msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE)
    probe.wait_for_listener(sound, told, timeout=120.0)
    probe.wait_for_speaker(topics.IS_SPEAKING, topics.UTTERANCE, topics.AUDIO_FEATURES)
    probe.wait_for(
        lambda: probe.call(GetState, 'audio_features/get_state').current_state.label == 'active', 'the node', 120.0
    )
    samples, rate = soundfile.read(shared_data / 'emodb4/wav/03a01Wa.wav', dtype='int16')
    assert rate == RATE
    samples = np.concatenate([np.zeros(RATE, np.int16), samples, np.zeros(RATE, np.int16)])[:3 * RATE]

    def hear(first, last):
        for at in range(first, last, CHUNK):
            sound.publish(msg.AudioChunk(
                header=header(START + at * SECOND // RATE, 'array'), sample_rate=RATE, channels=1,
                encoding=msg.AudioChunk.S16LE, data=array.array('B', samples[at:at + CHUNK].tobytes()),
            ))
        end_ns = START + last * SECOND // RATE - SECOND // 8  # of silence every third frame of 32 ms is told
        probe.wait_for(lambda: activity and to_ns(activity[-1].header.stamp) > end_ns, f'sound to {last}', 60.0)

    def tell(at, speaks):
        told.publish(msg.VoiceActivity(header=header(START + at, 'array'), is_speaking=speaks))

    hear(0, 8000)
    assert not any(a.is_speaking for a in activity)
    # What is told has no answer: it is told until the sound that follows shows that it came.
    position = 8000
    while not any(a.is_speaking for a in activity):
        assert position < 2 * RATE, 'nobody is said to speak'
        tell(SECOND // 2, True)
        hear(position, position + CHUNK)
        position += CHUNK
    probe.settle(1.2)  # in which the node looks whether who told is still there
    while position < 2 * RATE:
        tell(2 * SECOND, False)
        hear(position, position + CHUNK)
        position += CHUNK
    hear(position, 3 * RATE)
    (ended,) = probe.wait_for(lambda: [u for u in utterances if u.state == msg.Utterance.ENDED], 'the utterance', 60.0)
    first_ns = min(to_ns(a.header.stamp) for a in activity if a.is_speaking)
    assert first_ns - SECOND // 3 < to_ns(ended.start) < first_ns
    assert START + 2 * SECOND <= to_ns(ended.end) < START + 2 * SECOND + SECOND // 4
    probe.wait_for(lambda: any(f.utterance_id == ended.id for f in features), 'its features', 60.0)
    assert '[ERROR]' not in node.output
