"""The modules that make features and words: what was computed of them is computed again when one of these changes.

The packages hold more, such as trackers and detectors of voices, whose changes concern no stored result.
"""
from __future__ import annotations

HEARD = tuple(f'smern_ros.audio.{name}' for name in ('features', 'frames', 'loudness', 'mfcc', 'pitch', 'prosody'))
ENCODED = tuple(f'smern_ros.speech.{name}' for name in ('encoder', 'encoder_weights', 'log_mel'))
RECOGNISED = tuple(
    f'smern_ros.speech.{name}' for name in ('attempt', 'recogniser', 'whisper', 'whisper_ct2', 'word_times')
)
SHOWN = tuple(f'smern_ros.skeleton.{name}' for name in ('features', 'lowpass', 'resample', 'window'))
