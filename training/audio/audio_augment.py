# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recorded utterances as samples for the audio encoder; each also as it would sound elsewhere."""
from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from smern_ros.audio.features import extract
from smern_ros.spec import SPEC
from smern_ros.speech.encoder import SpeechEncoder
from smern_ros.training.common.cache import AUDIO_FEATURES, SPEECH_ENCODER, code
from smern_ros.training.common.trainer import say
from smern_ros.training.corpora import Clip
from smern_ros.values import SECOND, AudioFeatures, Utterance


def _code() -> str:
    """Hash of the code that makes the features: with any change of it they are computed again."""
    return code((*AUDIO_FEATURES, *SPEECH_ENCODER, __name__))


def load(clip: Clip) -> np.ndarray:
    """(N,) float32 mono samples at the spec's rate."""
    import soundfile

    samples, rate = soundfile.read(clip.path, dtype='float32', always_2d=True)
    mono = samples.mean(axis=1)
    if rate != SPEC.sample_rate:
        import soxr

        mono = soxr.resample(mono, rate, SPEC.sample_rate)
    return mono


def features(clips: Sequence[Clip], variants: int, cache: Path) -> list[list[AudioFeatures]]:
    """Of each clip, the features as recorded and then of `variants` altered copies.

    They are kept in `cache`, speaker by speaker, below names made of all that they depend on.

    :raises smern_ros.assets.AssetError: if they are to be computed and the speech encoder's weights are not there.
    """
    by_speaker: dict[str, list[Clip]] = {}
    for clip in clips:
        by_speaker.setdefault(clip.speaker, []).append(clip)
    found = {
        (clip.corpus, clip.id): versions
        for own in by_speaker.values() for clip, versions in zip(own, _of_speaker(own, variants, cache), strict=True)
    }
    return [found[clip.corpus, clip.id] for clip in clips]


def _of_speaker(clips: Sequence[Clip], variants: int, cache: Path) -> list[list[AudioFeatures]]:
    key = json.dumps([_code(), SPEC.to_dict(), variants, [(c.corpus, c.id) for c in clips]])
    file = cache / f'speech-{clips[0].speaker}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz'
    if not file.is_file():
        say(f'speech: features of {len(clips)} clips of {clips[0].speaker}')
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # each step is so small that several threads cost more than they give
        encoder = _speech_encoder()
        rows = [version for clip in clips for version in _versions(clip, variants, encoder)]
        torch.set_num_threads(threads)
        cache.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f'.{os.getpid()}.part.npz')
        np.savez(
            part,
            mfcc=np.concatenate([f.mfcc for f in rows]),
            lengths=[len(f.mfcc) for f in rows],
            prosody=np.stack([f.prosody for f in rows]),
            speech=np.stack([f.speech for f in rows if f.speech is not None]),
        )
        part.replace(file)
    with np.load(file) as stored:
        mfcc = np.split(stored['mfcc'], np.cumsum(stored['lengths'])[:-1])
        prosody, heard = stored['prosody'], stored['speech']
    step = variants + 1
    return [
        [AudioFeatures(clip.id, 0, 0, mfcc[k], prosody[k], heard[k]) for k in range(i * step, (i + 1) * step)]
        for i, clip in enumerate(clips)
    ]


@functools.cache
def _speech_encoder() -> SpeechEncoder:
    return SpeechEncoder()


def _versions(clip: Clip, variants: int, speech_encoder: SpeechEncoder) -> Iterable[AudioFeatures]:
    samples = load(clip)
    seed = int.from_bytes(hashlib.sha256(f'{clip.corpus}/{clip.id}'.encode()).digest()[:8], 'big')
    generator = np.random.default_rng(seed)
    for version in (samples, *(augment(samples, generator) for _ in range(variants))):
        yield extract(Utterance(clip.id, 0, len(version) * SECOND // SPEC.sample_rate, version), speech_encoder)


def augment(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The utterance faster or slower, in a room, with noise, at another level, and cut with some silence around it.

    Corpora are recorded in a studio, close by; a robot hears people across a room, cut by a voice activity detector.
    """
    speed = generator.uniform(0.9, 1.1)
    positions = np.arange(0, len(samples) - 1, speed)
    out = np.interp(positions, np.arange(len(samples)), samples)
    rate = SPEC.sample_rate
    if generator.random() < 0.5:
        decay = generator.uniform(0.15, 0.5)  # s until the room's answer has fallen by 60 dB
        times = np.arange(int(decay * rate)) / rate
        room = generator.standard_normal(len(times)) * 10 ** (-3 * times / decay)
        room *= generator.uniform(0.1, 0.5) / np.sqrt(np.sum(room**2))
        room[0] = 1.0
        size = 1 << (len(out) + len(room) - 1).bit_length()
        out = np.fft.irfft(np.fft.rfft(out, size) * np.fft.rfft(room, size), size)[: len(out) + rate // 10]
    before, after = (int(seconds * rate) for seconds in generator.uniform((0.0, 0.0), (0.2, 0.4)))
    out = np.concatenate([np.zeros(before), out, np.zeros(after)])
    noise = _noise(len(out), generator) * np.sqrt(np.mean(samples**2)) * 10 ** (-generator.uniform(12, 45) / 20)
    gain = 10 ** (generator.uniform(-14, 6) / 20)
    return np.clip((out + noise) * gain, -1, 1).astype(np.float32)


def _noise(count: int, generator: np.random.Generator) -> np.ndarray:
    """Noise of power 1 whose spectrum falls by 0 to 6 dB an octave."""
    spectrum = np.fft.rfft(generator.standard_normal(count))
    spectrum *= (1 + np.arange(len(spectrum))) ** -generator.uniform(0, 1)
    noise = np.fft.irfft(spectrum, count)
    return noise / max(np.sqrt(np.mean(noise**2)), 1e-12)
