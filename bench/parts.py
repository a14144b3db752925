# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The heavy steps alone, in this process, on one thread."""
from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path

from bench.summary import repeat, row, spread


def audio_features(clip: Path) -> None:
    """Real-time factor of MFCC, prosody and the speech encoder on the clip's own utterances."""
    from smern_ros.audio.features import extract
    from smern_ros.spec import SPEC
    from smern_ros.speech.encoder import SpeechEncoder

    speech_encoder = SpeechEncoder()
    for utterance in _utterances(clip):
        length = len(utterance.samples) / SPEC.sample_rate
        seconds = statistics.median(repeat(partial(extract, utterance, speech_encoder), times=10))
        row(f'audio features of {length:.1f} s of speech',
            f'{1e3 * seconds:.1f} ms, real-time factor {seconds / length:.4f}')


def recognition(clip: Path) -> None:
    """Time of the default recogniser on the clip's own utterances."""
    from smern_ros.speech.recogniser import create

    recogniser = create('faster_whisper')
    for utterance in _utterances(clip):
        row(f'words of {len(utterance.samples) / 16000:.1f} s of speech',
            spread(repeat(partial(recogniser.transcribe, utterance), times=5)))


def fusion() -> None:
    """Encoders and graph attention for an utterance of three seconds."""
    import numpy as np

    from smern_ros.emotion.predictor import EmotionPredictor
    from smern_ros.spec import AUDIO, SKELETON, SPEC, TEXT
    from smern_ros.values import SECOND, AudioFeatures, SkeletonWindow, Transcript

    end, rng = 3 * SECOND, np.random.default_rng(0)
    audio = AudioFeatures('u', 0, end, rng.normal(size=(300, SPEC.mfcc)).astype(np.float32),
                          np.ones(len(SPEC.prosody), np.float32))
    text = Transcript('u', 0, end, 'i am so glad that you came to see me today')
    body = SkeletonWindow('p1', 0, end, rng.normal(size=(91, 10, 3)).astype(np.float32), np.ones((91, 10), bool), 0.2)
    predictor = EmotionPredictor.load()
    encode = {
        AUDIO: lambda: predictor.encode_audio(audio),
        TEXT: lambda: predictor.encode_text(text),
        SKELETON: lambda: predictor.encode_skeleton(body),
    }
    for modality, work in encode.items():
        row(f'encoding {modality}, 3 s', spread(repeat(work, times=20)))
    vectors = {modality: work() for modality, work in encode.items()}
    row('graph attention and output (once all is encoded)', spread(repeat(lambda: predictor.fuse(vectors), times=50)))


def pose(clip: Path) -> float:
    """Frames per second of the default pose estimator, frame after frame."""
    from smern_ros.media.reader import MediaReader, VideoFrame
    from smern_ros.skeleton.pose import create

    frames = [item for item in MediaReader(clip) if isinstance(item, VideoFrame)]
    estimator = create('mediapipe')
    estimator.estimate(frames[0].image, frames[0].stamp_ns)
    seconds = []
    for frame in frames[1:]:
        began = time.perf_counter()
        estimator.estimate(frame.image, frame.stamp_ns)
        seconds.append(time.perf_counter() - began)
    estimator.close()
    return len(seconds) / sum(seconds)


def _utterances(clip: Path) -> list:
    from smern_ros.audio.channels import Downmix
    from smern_ros.audio.pcm import decode
    from smern_ros.audio.segmenter import UtteranceState
    from smern_ros.audio.stream import Boundary, SpeechStream
    from smern_ros.media.reader import AudioBlock, MediaReader

    mono, stream, events = Downmix(), SpeechStream(), []
    for item in MediaReader(clip):
        if isinstance(item, AudioBlock):
            samples = decode(item.samples.tobytes(), encoding='s16le', channels=item.samples.shape[1])
            events += stream.push(mono.push(samples, item.sample_rate), item.sample_rate, item.stamp_ns)
    events += stream.flush()
    return [e.utterance for e in events if isinstance(e, Boundary) and e.state == UtteranceState.ENDED]
