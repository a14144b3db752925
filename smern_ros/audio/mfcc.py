"""Mel-frequency cepstral coefficients: the sequence that the audio encoder reads (paper, section IV-B)."""
from __future__ import annotations

import functools

import numpy as np

from smern_ros import wheel_shims
from smern_ros.spec import SPEC, FeatureSpec


def mfcc(samples: np.ndarray, spec: FeatureSpec = SPEC) -> np.ndarray:
    """39 MFCC of each frame: 13 coefficients (C0 to C12), their first and their second differences over 5 frames.

    Power spectrum of Hamming-windowed frames of 25 ms each 10 ms, 26 triangular mel bands from 0 Hz to half the
    sample rate, in dB and not more than 80 dB below the loudest of the signal, orthonormal DCT-II. Frame k is centred
    on sample k * shift, the signal being continued with zeros. C0 is in dB times the root of the number of bands;
    digital silence gives a constant C0 and zeros.

    :param samples: (N,) float32 in -1..1 at the spec's sample rate, N >= 1
    :return: (N // shift + 1, 39) float32
    """
    import torch

    with torch.inference_mode():
        return _extractor(spec)(torch.from_numpy(np.array(samples, np.float32))[None])[0].numpy()


@functools.cache
def _extractor(spec: FeatureSpec):
    wheel_shims.speechbrain()
    from speechbrain.lobes.features import MFCC

    return MFCC(
        context=False,
        sample_rate=spec.sample_rate,
        n_fft=round(spec.frame_length * spec.sample_rate),
        n_mels=spec.mel_bands,
        n_mfcc=spec.mfcc // 3,
        win_length=spec.frame_length * 1000,  # ms
        hop_length=spec.frame_shift * 1000,
    ).eval()
