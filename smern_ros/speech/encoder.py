# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Speech embedding by the encoder of a pretrained recogniser, which also represents the tone of voice."""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.speech.encoder_weights import write_encoder
from smern_ros.speech.log_mel import BANDS, RATE, SHIFT, log_mel

LONGEST = 12                  # s; longer speech is cut
LOUDNESS = 0.05               # RMS to which an utterance is scaled
_QUIET = 1e-3                 # of the maximum power; below it, both ends are silence
_POWER_OVER = 400             # samples: 25 ms
_MARGIN = 1600                # samples of silence kept on each side: 100 ms
_BLOCK = 2                    # s; the encoder reads a multiple
_POSITIONS_PER_SECOND = 50    # of the encoder's output


class SpeechEncoder:
    """The encoder of Whisper (Radford et al. 2022), 8 bits, run by CTranslate2 on the CPU. Not thread-safe."""

    def __init__(self, cpu_threads: int = 1) -> None:
        """
        :raises smern_ros.assets.AssetError: if the weights are not fetched, naming the command to fetch them.
        """
        folder = assets.path(SPEC.speech_encoder)
        import ctranslate2

        with tempfile.TemporaryDirectory(prefix='smern-encoder-') as reduced:
            write_encoder(folder, Path(reduced))
            self._network = ctranslate2.models.Whisper(
                reduced, device='cpu', compute_type='int8', intra_threads=cpu_threads
            )

    def encode(self, samples: np.ndarray) -> np.ndarray:
        """Mean and standard deviation of the last layer over the time of the utterance.

        Reads the first 12 s: silence at both ends is cut to 100 ms, the rest is scaled to an RMS of 0.05; 1 s of
        silence is appended, and the spectrogram is padded with its minimum to a multiple of 2 s. Positions of the
        padding are ignored. Digital silence has features, too.

        :param samples: (N,) float32, mono, at 16 kHz, N >= 1, finite
        :return: (768,) float32
        """
        import ctranslate2

        samples = normalised(np.asarray(samples))
        spectrogram = ctranslate2.StorageView.from_array(_spectrogram(samples))
        layer = np.array(self._network.encode(spectrogram, to_cpu=True))[0]  # (positions, 384)
        own = layer[: max(1, len(samples) * _POSITIONS_PER_SECOND // RATE)].astype(np.float32)
        return np.concatenate([own.mean(axis=0), own.std(axis=0)])


def normalised(samples: np.ndarray) -> np.ndarray:
    """(N,) float32, N >= 1: the first 12 s without silence at both ends, scaled to `LOUDNESS`."""
    samples = samples[: LONGEST * RATE].astype(np.float64)  # squares of float32 may overflow or vanish
    power = np.concatenate([[0.0], np.cumsum(samples**2)])
    at = np.arange(len(samples))
    half = _POWER_OVER // 2
    power = (power[np.minimum(at + half, len(samples))] - power[np.maximum(at - half, 0)]) / _POWER_OVER
    loud = np.flatnonzero(power > power.max() * _QUIET)
    if len(loud):  # except for digital silence
        samples = samples[max(0, loud[0] - _MARGIN) : loud[-1] + _MARGIN]
    return (samples / (np.sqrt(np.mean(samples**2)) + 1e-8) * LOUDNESS).astype(np.float32)


def _spectrogram(samples: np.ndarray) -> np.ndarray:
    """(1, 80, frames) float32 of the samples followed by silence."""
    mel = log_mel(np.concatenate([samples, np.zeros(RATE, np.float32)]))
    blocks = -(-(len(samples) + RATE) // (_BLOCK * RATE))  # rounded up
    padded = np.full((1, BANDS, blocks * _BLOCK * RATE // SHIFT), mel.min(), np.float32)
    padded[0, :, : mel.shape[1]] = mel
    return padded
