# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Real speech and what is made of it."""
import numpy as np
import pytest
import soundfile

RATE = 16_000


@pytest.fixture(scope='session')
def speech(shared_data):
    """Four utterances of four speakers, 16 kHz: anger, happiness, neutral, sadness."""
    names = ('03a01Wa', '08a01Fd', '10a01Nb', '16a01Tb')
    files = [shared_data / 'emodb4' / 'wav' / f'{name}.wav' for name in names]
    return [soundfile.read(file, dtype='float32')[0] for file in files]


@pytest.fixture(scope='session')
def conversation(speech):
    """The four utterances with a second and a half of faint noise before, between and after."""
    noise = np.random.default_rng(0)

    def pause():
        return noise.normal(0, 1e-4, RATE * 3 // 2).astype(np.float32)

    return np.concatenate([pause(), *(part for one in speech for part in (one, pause()))])
