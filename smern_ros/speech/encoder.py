# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Speech embedding: the encoder of a pretrained recogniser, which also carries the tone of voice."""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.speech.encoder_weights import write_encoder
from smern_ros.speech.log_mel import BANDS, RATE, SHIFT, log_mel

LONGEST = 12                  # s; what comes after is not encoded
LOUDNESS = 0.05               # RMS to which an utterance is brought
_QUIET = 1e-3                 # of the greatest power; before the first and after the last louder sample is silence
_POWER_OVER = 400             # samples: 25 ms
_MARGIN = 1600                # samples kept of the silence on each side: 100 ms
_BLOCK = 2                    # s, of whose multiples the encoder reads one
_POSITIONS_PER_SECOND = 50    # of the encoder's output


class SpeechEncoder:
    """The encoder of Whisper (Radford et al. 2022), 8 bits, run by CTranslate2 on the CPU. One thread may use it."""

    def __init__(self, cpu_threads: int = 1) -> None:
        """
        :raises smern_ros.assets.AssetError: if the weights are not there, naming the command that fetches them.
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

        Of the first 12 s: silence at both ends is cut off but for 100 ms, the rest is brought to an RMS of 0.05; one
        second of silence is put behind, and the spectrogram is filled with its minimum to a multiple of 2 s. What the
        encoder makes of that filling is left out. Digital silence has features, too.

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
    """(N,) float32 of the first 12 s, without the silence at both ends and of one loudness; N >= 1."""
    samples = samples[: LONGEST * RATE].astype(np.float64)  # float32 has no squares of what is very loud or very quiet
    power = np.concatenate([[0.0], np.cumsum(samples**2)])
    at = np.arange(len(samples))
    half = _POWER_OVER // 2
    power = (power[np.minimum(at + half, len(samples))] - power[np.maximum(at - half, 0)]) / _POWER_OVER
    loud = np.flatnonzero(power > power.max() * _QUIET)
    if len(loud):  # not of digital silence
        samples = samples[max(0, loud[0] - _MARGIN) : loud[-1] + _MARGIN]
    return (samples / (np.sqrt(np.mean(samples**2)) + 1e-8) * LOUDNESS).astype(np.float32)


def _spectrogram(samples: np.ndarray) -> np.ndarray:
    """(1, 80, frames) float32 of the samples and silence behind them."""
    mel = log_mel(np.concatenate([samples, np.zeros(RATE, np.float32)]))
    blocks = -(-(len(samples) + RATE) // (_BLOCK * RATE))  # rounded up
    padded = np.full((1, BANDS, blocks * _BLOCK * RATE // SHIFT), mel.min(), np.float32)
    padded[0, :, : mel.shape[1]] = mel
    return padded
